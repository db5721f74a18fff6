"""Telemetry as the contracts of its extension points want it; the ways in that it has itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from neomind_plugins.devices import plugin as devices
from neomind_plugins.telemetry import plugin as telemetry
from neomind_sdk import ApiError, DeviceUnregistered, Event, Ingest, Platform, Uplink
from neomind_sdk.testing import make_host
from neomind_sdk.testing.suites import (
    AgentToolContract,
    IngestContract,
    JobContract,
    ListenerContract,
    RouteContract,
    SettingsContract,
)


class TestSubmit(IngestContract):
    """A plugin that has messages of devices."""

    plugins = (devices, telemetry)
    source = "adapter:test:boiler"

    async def send(self, host: Any, device_id: str, metric: str, value: Any) -> str | None:
        uplink = Uplink(device_id=device_id, payload={metric: value}, received_ms=host.clock.now_ms(), transport="test")
        try:
            await host.services[Ingest].submit([uplink])
        except ApiError as error:
            return error.code
        return None


class TestRestWrite(IngestContract):
    """``POST /devices/{device_id}/metrics``."""

    plugins = (devices, telemetry)
    source = "api"

    async def send(self, host: Any, device_id: str, metric: str, value: Any) -> str | None:
        body = {"metric": metric, "value": value}
        answer = await host.client().post(f"/api/devices/{device_id}/metrics", json=body)
        return None if answer.status_code == 200 else answer.json()["error"]["code"]


class Contributed:
    """What the running plugin contributes of one kind."""

    kind = ""

    @pytest.fixture
    async def subject(self) -> AsyncIterator[list[Any]]:
        async with make_host(devices, telemetry) as host:
            every = host.services[Platform].contributions(self.kind)
            yield [item for owner, item in every if owner == "telemetry"]


class TestRoutes(Contributed, RouteContract):
    kind = "routes"


class TestSettings(Contributed, SettingsContract):
    kind = "settings"


class TestJobs(Contributed, JobContract):
    kind = "jobs"


class TestTools(Contributed, AgentToolContract):
    kind = "agent_tools"
    arguments = {"read_history": {"source": "boiler", "metric": "t"}}


class TestListeners(Contributed, ListenerContract):
    kind = "listeners"

    def events(self) -> Sequence[Event]:
        return [DeviceUnregistered(device_id="boiler", device_type="heater")]
