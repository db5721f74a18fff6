"""What can be wrong with the broker."""

from __future__ import annotations

import errno

from neomind_sdk import ApiError, PluginUnavailable


class PortInUse(PluginUnavailable):
    """One sentence for the plugin's record."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        why = "is in use by another program" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        super().__init__(
            f"The MQTT broker cannot start: port {port} on {host} {why}; end that program, set mqtt_broker.port, "
            "or set mqtt_broker.enabled = false and use the other broker"
        )


class BrokerDown(PluginUnavailable):
    """The process ended, or does not listen."""


class CannotApply(ApiError):
    """400: the broker did not start with the new configuration; the one before holds again."""

    def __init__(self, reason: str) -> None:
        super().__init__("BAD_REQUEST", f"The broker does not start with this, so nothing was changed: {reason}")


class CredentialNotFound(ApiError):
    """404 for a user name that has no credential."""

    def __init__(self, username: str) -> None:
        super().__init__("CREDENTIAL_NOT_FOUND", f"There is no MQTT credential for '{username}'")


class NoCertificate(ApiError):
    """404: nobody generated or uploaded one."""

    def __init__(self) -> None:
        super().__init__("CERTIFICATE_NOT_FOUND", "The broker has no CA certificate")
