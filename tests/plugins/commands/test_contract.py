"""What every plugin must keep to; what commands promise to rules and agents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from neomind_plugins.commands import hooks
from neomind_plugins.commands import plugin as commands
from neomind_sdk import (
    ACTUATE,
    READ,
    CommandAcks,
    DeviceCommands,
    DeviceDirectory,
    DeviceTransportOnline,
    DeviceUnregistered,
    DeviceUpdated,
    Event,
    ExtensionStateChanged,
    Firing,
    NotFound,
    Plugin,
    Principal,
    Service,
    ToolContext,
    hookimpl,
)
from neomind_sdk.testing.suites import (
    AgentToolContract,
    FromHook,
    ListenerContract,
    RouteContract,
    RuleActionContract,
    ServiceContract,
    SettingsContract,
    TablesContract,
)
from neomind_sdk.testing.suites.base import structured

from .conftest import Plant, Wire, code, plant_with

EXECUTE = {"target": "p1", "target_type": "device", "command": "sleep", "params": {"seconds": 5}}
AGENT = ToolContext(
    principal=Principal(kind="agent", id="a-1", name="agent", scopes=frozenset({"read", "write"})),
    agent_id="a-1",
    execution_id="x-1",
    hops=2,
)


@pytest.fixture
def context(plant: Plant) -> Any:
    return plant.host.context(commands.name)


class TestRoutes(FromHook, RouteContract):
    hook = hooks.neomind_routes


class TestTables(FromHook, TablesContract):
    hook = hooks.neomind_tables


class TestSettings(FromHook, SettingsContract):
    hook = hooks.neomind_settings


class TestListeners(FromHook, ListenerContract):
    hook = hooks.neomind_listeners

    def events(self) -> Sequence[Event]:
        return [
            DeviceTransportOnline(device_id="p1", client_id="c"),
            DeviceUpdated(device_id="p1"),
            ExtensionStateChanged(extension_id="wire", state="started"),
            ExtensionStateChanged(extension_id="wire", state="stopped"),
            DeviceUnregistered(device_id="p9", device_type="pump"),
        ]


class TestTools(FromHook, AgentToolContract):
    hook = hooks.neomind_agent_tools
    arguments = {
        "control_device": {"device_id": "p1", "command": "sleep", "params": {"seconds": 5}},
        "list_commands": {"device_id": "p1"},
    }


class TestExecute(FromHook, RuleActionContract):
    hook = hooks.neomind_rule_actions
    params = EXECUTE
    bad = (
        {**EXECUTE, "target": "nobody"},
        {**EXECUTE, "command": "dance"},
        {**EXECUTE, "params": {"seconds": 0}},
        {**EXECUTE, "target_type": "extension"},
    )


class TestServices(FromHook, ServiceContract):
    hook = hooks.neomind_services


# ---- rules ----


@pytest.fixture
def execute(context: Any) -> Any:
    return hooks.neomind_rule_actions(context)[0]


def firing(**more: Any) -> Firing:
    return Firing(rule_id="r-1", rule_name="Too hot", fired_ms=1_700_000_000_000, **more)


async def test_a_rule_gives_a_command(plant: Plant, execute: Any) -> None:
    outcome = await execute.run(structured(execute.params, EXECUTE), firing(hops=1))
    assert (outcome.ok, outcome.summary) == (True, "EXECUTE: p1.sleep")
    [command] = await plant.history()
    assert (command["source"], command["parameters"]) == ("rule:r-1", {"seconds": 5})
    await plant.acks.acknowledge("p1", None, True)
    assert [(event.cause, event.hops) for event in plant.finished] == [("rule:r-1", 2)]


async def test_a_rule_is_told_what_went_wrong(plant: Plant, execute: Any) -> None:
    plant.wire.error = ValueError("boom")
    outcome = await execute.run(structured(execute.params, EXECUTE), firing())
    assert (outcome.ok, "boom" in outcome.error) == (False, True)
    plant.wire.error = ConnectionError("away")
    assert (await execute.run(structured(execute.params, EXECUTE), firing())).ok is True
    await plant.host.services[DeviceDirectory].remove("p1")
    outcome = await execute.run(structured(execute.params, EXECUTE), firing())
    assert outcome.error == "Device with id 'p1' not found"


# ---- agents ----


@pytest.fixture
def tools(context: Any) -> dict[str, Any]:
    return {tool.name: tool for tool in hooks.neomind_agent_tools(context)}


async def test_an_agent_gives_a_command_and_looks_it_up(plant: Plant, tools: dict[str, Any]) -> None:
    assert {name: tool.effect for name, tool in tools.items()} == {"control_device": ACTUATE, "list_commands": READ}
    arguments = {"device_id": "p1", "command": "stop"}
    assert tools["control_device"].targets(arguments) == ("device:p1",)
    answer = await tools["control_device"].run(arguments, AGENT)
    assert (answer["sent"], answer["command_id"]) == (True, "cmd_1")
    listed = await tools["list_commands"].run({"device_id": "p1"}, AGENT)
    assert [row["source"] for row in listed["commands"]] == ["agent:a-1"]
    await plant.acks.acknowledge("p1", None, True)
    assert [(event.cause, event.hops) for event in plant.finished] == [("agent:a-1", 3)]
    with pytest.raises(NotFound):
        await tools["control_device"].run({"device_id": "nobody", "command": "stop"}, AGENT)


# ---- services ----


async def test_the_services_are_those_of_the_contracts(plant: Plant) -> None:
    assert plant.host.services[DeviceCommands] is plant.host.services[CommandAcks]
    assert isinstance(plant.host.services[DeviceCommands], DeviceCommands)
    assert isinstance(plant.host.services[CommandAcks], CommandAcks)


class Album:
    """Where pictures are."""

    async def read(self, device: str, metric: str, file: str) -> tuple[bytes, str]:
        if file != "1.png":
            raise NotFound("IMAGE", file)
        return f"{device}/{metric}".encode(), "image/png"


class _AlbumHooks:
    @hookimpl
    def neomind_services(self, ctx: Any) -> Any:
        from neomind_sdk import ImageFiles

        return [Service(key=ImageFiles, build=lambda ctx: Album())]


async def test_pictures_are_sent_along() -> None:
    import json

    from neomind_sdk import CommandDef, DeviceType, ParamDef

    album = Plugin(name="telemetry", summary="Has pictures.", hooks=_AlbumHooks())
    show = CommandDef(name="show", payload_template='{"p": ${picture}}', parameters=(ParamDef(name="picture"),))
    async with plant_with(Wire(), album) as plant:
        await plant.furnish()
        directory = plant.host.services[DeviceDirectory]
        await directory.register_type(DeviceType(device_type="pump", name="Pump", commands=(show,)))
        await plant.give("show", {"picture": "/api/images/cam/snap/1.png"})
        assert json.loads(plant.wire.payloads[0]) == {"p": "data:image/png;base64,Y2FtL3NuYXA="}
        assert (await plant.history())[0]["parameters"] == {"picture": "/api/images/cam/snap/1.png"}
        answer = await plant.control("show", {"picture": "/api/images/cam/snap/2.png"})
        assert code(answer) == (422, "VALIDATION_ERROR")
