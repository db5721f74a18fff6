"""The MQTT broker of our own, as those see it who connect to it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import attrs


@attrs.frozen(kw_only=True)
class BrokerAccess:
    """How the platform's own client connects: over the loopback interface, with a credential of its own."""

    host: str
    port: int
    client_id: str
    username: str
    password: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class BrokerState:
    """``listen`` and ``port`` are for devices; ``usernames`` are of their credentials.

    ``running`` is false while the broker restarts, and for good when it is switched off (``enabled`` false).
    """

    enabled: bool
    running: bool
    detail: str
    listen: str
    port: int
    tls_enabled: bool = False
    tls_ca_available: bool = False
    auth_enabled: bool = False
    usernames: tuple[str, ...] = ()


@runtime_checkable
class EmbeddedBroker(Protocol):
    """The broker that runs as a child of the platform."""

    def access(self) -> BrokerAccess | None:
        """``None`` while it does not run. Ask again for every connection: it changes when the broker restarts."""
        ...

    def state(self) -> BrokerState: ...

    async def clients(self) -> int | None:
        """How many connections devices have to it now; ``None`` where the system does not tell."""
        ...
