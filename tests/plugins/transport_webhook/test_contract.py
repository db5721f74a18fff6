"""The webhook is a way in like any other."""

from __future__ import annotations

from typing import Any

from neomind_plugins.devices import plugin as devices
from neomind_plugins.telemetry import plugin as telemetry
from neomind_plugins.transport_webhook import plugin as transport_webhook
from neomind_sdk.testing.suites import IngestContract


class TestWebhook(IngestContract):
    plugins = (devices, telemetry, transport_webhook)
    source = "adapter:webhook:boiler"

    async def send(self, host: Any, device_id: str, metric: str, value: Any) -> str | None:
        answer = await host.client(role=None).post(f"/api/devices/{device_id}/webhook", json={metric: value})
        return None if answer.status_code == 200 else answer.json()["error"]["code"]
