"""MQTT is a way in like any other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from neomind_plugins.devices import plugin as devices
from neomind_plugins.telemetry import plugin as telemetry
from neomind_plugins.transport_mqtt import plugin as transport_mqtt
from neomind_plugins.transport_mqtt.service import Links
from neomind_sdk.testing.suites import IngestContract

from .clients import eventually
from .fakes import FakeBroker

TYPES = {"boiler": "heater"}
NOT_ACKNOWLEDGED_S = 0.3


class TestMqtt(IngestContract):
    plugins = (devices, telemetry, transport_mqtt)
    source = "adapter:mqtt:boiler"
    adapter_type = "mqtt"
    unknown = None  # a device of MQTT is not told anything

    @pytest.fixture(autouse=True)
    def broker(self, monkeypatch):
        async def connect(target: Any, received: Any) -> Any:
            return await self.fake.connect(target, received)

        monkeypatch.setattr("neomind_plugins.transport_mqtt.assembly.connect", connect)

    async def send(self, host: Any, device_id: str, metric: str, value: Any) -> str | None:
        if host.services[Links].find("external-fake") is None:
            self.fake = FakeBroker()
            body = {"id": "fake", "name": "Fake", "broker": "127.0.0.1", "port": 1}
            assert (await host.client().post("/api/brokers", json=body)).status_code == 200
        await eventually(lambda: host.services[Links].find("external-fake").connected)
        topic = f"device/{TYPES.get(device_id, 'thing')}/{device_id}/uplink"
        packet_id = self.fake.send(topic, json.dumps({metric: value}).encode())
        patience = NOT_ACKNOWLEDGED_S if self.refusing(host) else 10
        acked = await self.fake.acked(packet_id, patience)
        return None if acked else "SERVICE_UNAVAILABLE"

    @staticmethod
    def refusing(host: Any) -> bool:
        from neomind_sdk import TelemetryStore

        return getattr(host.services[TelemetryStore].append, "__name__", "") == "refuse"
