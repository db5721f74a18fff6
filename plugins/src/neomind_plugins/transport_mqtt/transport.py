"""MQTT as a transport."""

from __future__ import annotations

from typing import Any

from neomind_sdk import Downlink, PluginContext, ServiceMissing, TransportStatus

from .routing import ADAPTER_TYPE
from .service import EVERYTHING, Links

PROTOCOL = "MQTT 3.1.1"


class MqttTransport:
    """Devices at any of the brokers."""

    name = "mqtt"
    adapter_types: tuple[str, ...] = (ADAPTER_TYPE,)

    def __init__(self, ctx: PluginContext) -> None:
        self._ctx = ctx

    async def status(self) -> TransportStatus:
        """Connected to any broker; what is said of the broker is of the one that comes along, if there is one."""
        links = self._links()
        if links is None:
            return TransportStatus(connected=False, detail="not started")
        problems = [f"{link.adapter_id}: {link.last_error}" for link in links.all if not link.connected]
        details = await embedded_details(links) if links.embedded else {}
        return TransportStatus(
            connected=any(link.connected for link in links.all),
            detail="; ".join(problems) if links.all else "no broker is configured",
            details={"protocol": PROTOCOL, **details},
        )

    async def send(self, downlink: Downlink) -> None:
        """See ``Links.send``."""
        links = self._links()
        if links is None:
            raise ConnectionError("the MQTT transport is not started")
        await links.send(downlink)

    def _links(self) -> Links | None:
        try:
            return self._ctx.services.find(Links)
        except ServiceMissing:
            return None


async def embedded_details(links: Links) -> dict[str, Any]:
    embedded = links.embedded
    assert embedded is not None
    state = embedded.state()
    return {
        "port": state.port,
        "tls_enabled": state.tls_enabled,
        "tls_ca_available": state.tls_ca_available,
        "auth_enabled": state.auth_enabled,
        "anonymous": not state.auth_enabled,
        "credentials": [{"username": name} for name in state.usernames],
        "devices_connected": await embedded.clients() or 0,
        "discovery_topic": EVERYTHING,
    }
