"""Settings of the broker, and what its endpoints take and answer."""

from __future__ import annotations

import ipaddress
from typing import Any

import attrs

from neomind_sdk import fields

MASK = "*****"
RESERVED = "__neomind"
MAX_CREDENTIALS = 100
MAX_PEM = 64 * 1024
PORT_MIN = 1024
PORT_MAX = 65535


def ip_problem(text: str) -> str | None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return "must be an IP address of this machine, e.g. 0.0.0.0 for all of them"
    return None


def port_problem(port: int) -> str | None:
    return None if PORT_MIN <= port <= PORT_MAX else f"must be within {PORT_MIN} and {PORT_MAX}"


@attrs.frozen(kw_only=True)
class BrokerSettings:
    """What holds until somebody changes it through the API. ``port`` 0 is any free port, for tests.

    ``max_payload_size`` is in bytes; ``enabled`` false: no broker is started, devices use another one.
    """

    enabled: bool = True
    listen: str = fields.field(ip_problem, default="0.0.0.0")  # noqa: S104 - devices are other machines
    port: int = fields.number(0, PORT_MAX, default=1883)
    auth_enabled: bool = False
    tls_enabled: bool = False
    max_connections: int = fields.number(1, 100_000, default=1000)
    max_payload_size: int = fields.number(1024, 268_435_456, default=268_435_456)


@attrs.frozen(kw_only=True)
class Config:
    """What the broker runs with."""

    listen: str
    port: int
    auth_enabled: bool
    tls_enabled: bool
    max_connections: int
    max_payload_size: int


@attrs.frozen(kw_only=True)
class ConfigChange:
    """What is absent stays. The ranges are checked by hand, because this endpoint answers 400."""

    listen: str | None = None
    port: int | None = None
    auth_enabled: bool | None = None
    tls_enabled: bool | None = None

    def values(self) -> dict[str, Any]:
        return {key: value for key, value in attrs.asdict(self).items() if value is not None}


@attrs.frozen(kw_only=True)
class Credential:
    username: str
    password: str = attrs.field(default=MASK, repr=False)


@attrs.frozen(kw_only=True)
class ConfigView:
    """``dynamic_filters`` is always on: devices subscribe to what they like."""

    listen: str
    port: int
    max_connections: int
    max_payload_size: int
    dynamic_filters: bool = True
    auth_enabled: bool
    tls_enabled: bool
    tls_cert_path: str | None = None
    tls_key_path: str | None = None
    tls_ca_path: str | None = None
    credentials: list[Credential]


@attrs.frozen(kw_only=True)
class ConfigAnswer:
    config: ConfigView


@attrs.frozen(kw_only=True)
class ConfigChanged:
    """``restart_required`` is never true: the broker was restarted, devices connect again."""

    message: str
    config: ConfigView
    restart_required: bool = False


@attrs.frozen(kw_only=True)
class NewCredential:
    username: str = fields.text(min=1, max=64, pattern=r"[^\x00-\x1f\x7f]+")
    password: str = fields.secret(min=4, max=256, pattern=r"[^\x00-\x1f\x7f]+")


@attrs.frozen(kw_only=True)
class OldCredential:
    username: str = fields.text(min=1, max=64)


@attrs.frozen(kw_only=True)
class CredentialAnswer:
    message: str
    username: str


@attrs.frozen(kw_only=True)
class Certificates:
    """PEM texts: the broker's certificate (and its chain), its key, and the CA that devices shall trust."""

    cert_pem: str = fields.text(min=1, max=MAX_PEM)
    key_pem: str = fields.secret(min=1, max=MAX_PEM)
    ca_pem: str | None = fields.text(min=1, max=MAX_PEM, default=None)


@attrs.frozen(kw_only=True)
class CertificatesAnswer:
    """Paths within the data directory of the platform's machine."""

    message: str
    cert_path: str
    key_path: str
    ca_path: str | None
