"""A platform that takes messages by webhook and keeps drafts of who is unknown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from neomind_plugins.devices import plugin as devices
from neomind_plugins.drafts import plugin as drafts
from neomind_plugins.telemetry import plugin as telemetry
from neomind_plugins.transport_webhook import plugin as transport_webhook
from neomind_sdk import CustomPublished, DiscoveryInbox, Ingest, TelemetryStore, UnknownSample, Uplink
from neomind_sdk.testing import make_host

PLUGINS = (devices, telemetry, transport_webhook, drafts)
FAR_MS = 4 * 10**12
API = "/api/devices/drafts"


class World:
    """A running host and what tests do with it."""

    def __init__(self, host: Any) -> None:
        self.host = host
        self.client = host.client()
        self.anonymous = host.client(role=None)

    async def post(self, device_id: str, body: Any = None, **more: Any) -> Any:
        """What a device gets for a message."""
        given = more or {"json": body}
        return await self.anonymous.post(f"/api/devices/{device_id}/webhook", **given)

    async def mqtt(self, device_id: str, *payloads: Any, **more: Any) -> list[bool]:
        """Whether each message was kept as a sample of a draft."""
        now_ms = self.host.clock.now_ms()
        common = {"device_id": device_id, "received_ms": now_ms, "transport": "mqtt", **more}
        uplinks = [Uplink(payload=payload, **common) for payload in payloads]
        return [receipt.draft for receipt in await self.host.services[Ingest].submit(uplinks)]

    async def offer(self, device_id: str, payload: Any = None, **more: Any) -> bool:
        """Hand one sample to the inbox."""
        given = {"source": "webhook", "received_ms": self.host.clock.now_ms(), **more}
        payload = {"t": 1} if payload is None else payload
        return await self.host.services[DiscoveryInbox].offer(
            UnknownSample(device_id=device_id, payload=payload, **given)
        )

    async def call(self, method: str, path: str = "", **more: Any) -> Any:
        return await self.client.request(method, f"{API}{path}", **more)

    async def data(self, method: str, path: str = "", **more: Any) -> Any:
        """The data of an answer that must be good."""
        answer = await self.call(method, path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def error(self, method: str, path: str = "", **more: Any) -> tuple[int, str]:
        answer = await self.call(method, path, **more)
        return answer.status_code, answer.json()["error"]["code"]

    async def analyzed(self, device_id: str) -> Any:
        """The draft when its samples were looked at."""
        await self.host.settle()
        return await self.data("GET", f"/{device_id}")

    async def history(self, device_id: str) -> dict[str, list[Any]]:
        """All samples of a device by metric."""
        store, prefix = self.host.services[TelemetryStore], f"device:{device_id}:"
        return {
            name.removeprefix(prefix): list(await store.range(name, 0, FAR_MS, limit=999, newest_first=False))
            for name in await store.series(prefix)
        }

    def onboard(self, event_type: str) -> list[dict[str, Any]]:
        """The ``auto_onboard`` events of a kind."""
        found = [event.data for event in self.host.events.of(CustomPublished) if event.custom_type == "auto_onboard"]
        return [data for data in found if data["event_type"] == event_type]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with make_host(*PLUGINS) as host:
        yield World(host)


@pytest.fixture
def make_world() -> Any:
    """For tests that need more than one host, or other plugins and settings."""
    return World
