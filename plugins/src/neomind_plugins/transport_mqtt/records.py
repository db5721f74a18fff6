"""What is kept of an external broker."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Broker:
    """An external broker. ``session_id`` is the client id we use when none is chosen; it stays, so the session does."""

    id: str
    name: str
    broker: str
    port: int
    tls: bool
    username: str | None
    password: str | None = attrs.field(repr=False)
    ca_cert: str | None
    client_cert: str | None
    client_key: str | None = attrs.field(repr=False)
    client_id: str | None
    session_id: str
    enabled: bool
    subscribe_topics: tuple[str, ...]
    updated_ms: int

    @property
    def adapter_id(self) -> str:
        return f"external-{self.id}"
