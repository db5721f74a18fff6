"""What every plugin must keep to, and what devices promise to agents."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from neomind_plugins.devices import hooks
from neomind_plugins.devices import plugin as devices
from neomind_sdk import (
    READ,
    Device,
    DeviceDirectory,
    DeviceTransportOffline,
    DeviceTransportOnline,
    DeviceType,
    Event,
    MetricDef,
    NotFound,
    Point,
    Principal,
    SettingsChanged,
    TelemetryStore,
    ToolContext,
)
from neomind_sdk.testing import make_host
from neomind_sdk.testing.suites import (
    AgentToolContract,
    FromHook,
    ListenerContract,
    RouteContract,
    ServiceContract,
    SettingsContract,
    TablesContract,
)
from neomind_sdk.testing.suites.data import memory_database

AGENT = ToolContext(
    principal=Principal(kind="agent", id="a-1", name="agent", scopes=frozenset({"read"})),
    agent_id="a-1",
    execution_id="x-1",
)


@pytest.fixture
async def host() -> AsyncIterator[Any]:
    """With the device ``boiler``, which has sent a temperature."""
    async with make_host(devices) as host:
        directory = host.services[DeviceDirectory]
        metric = MetricDef(name="temperature", data_type="float", unit="°C")
        await directory.register_type(DeviceType(device_type="boiler", name="Boiler", metrics=(metric,)))
        await directory.register(Device(device_id="boiler", name="Cellar", device_type="boiler"))
        await host.services[TelemetryStore].append([Point("device:boiler:temperature", host.clock.now_ms(), 81.5)])
        directory.seen("boiler", host.clock.now_ms())
        yield host


@pytest.fixture
def context(host: Any) -> Any:
    return host.context(devices.name)


class TestRoutes(FromHook, RouteContract):
    hook = hooks.neomind_routes


class TestTables(FromHook, TablesContract):
    hook = hooks.neomind_tables

    async def test_the_models_work_on_them(self, subject: Any) -> None:
        """All tables are empty but that of the types, of which some are there from the first start."""
        with memory_database() as database:
            await self.migrate(database, subject)
            filled = [model.__name__ for model in subject.models if model.select().count()]
            assert filled == ["TypeRow"]


class TestSettings(FromHook, SettingsContract):
    hook = hooks.neomind_settings


class TestListeners(FromHook, ListenerContract):
    hook = hooks.neomind_listeners

    def events(self) -> Sequence[Event]:
        ids = {"device_id": "boiler", "client_id": "c"}
        return [DeviceTransportOnline(**ids), DeviceTransportOffline(**ids), SettingsChanged(section="device")]


class TestTools(FromHook, AgentToolContract):
    hook = hooks.neomind_agent_tools
    arguments = {"get_device": {"device_id": "boiler"}, "list_devices": {"status": "online"}}


class TestServices(FromHook, ServiceContract):
    hook = hooks.neomind_services


@pytest.fixture
def tools(context: Any) -> dict[str, Any]:
    return {tool.name: tool for tool in hooks.neomind_agent_tools(context)}


async def test_agents_may_only_look(tools: dict[str, Any]) -> None:
    assert {tool.effect for tool in tools.values()} == {READ}
    assert tools["get_device"].targets({"device_id": "boiler"}) == ("device:boiler",)


async def test_an_agent_sees_a_device_with_its_values(tools: dict[str, Any]) -> None:
    shown = await tools["get_device"].run({"device_id": "boiler"}, AGENT)
    assert (shown["name"], shown["status"]) == ("Cellar", "online")
    assert shown["metrics"]["temperature"]["value"] == 81.5
    with pytest.raises(NotFound):
        await tools["get_device"].run({"device_id": "nobody"}, AGENT)


async def test_an_agent_finds_devices(tools: dict[str, Any]) -> None:
    found = await tools["list_devices"].run({"search": "cell"}, AGENT)
    assert [row["device_id"] for row in found["devices"]] == ["boiler"]
    assert (await tools["list_devices"].run({"status": "offline"}, AGENT))["devices"] == []
