"""What was not granted is not done, whatever the model says."""

from __future__ import annotations

from typing import Any

import pytest

from neomind_plugins.commands import plugin as commands
from neomind_plugins.messages import plugin as messages
from neomind_plugins.outbox import plugin as outbox
from neomind_plugins.rules import plugin as rules
from neomind_sdk import CommandDef, DeviceDirectory, DeviceType, Ingest, Point

from .conftest import Gadgets, House, ScriptedModels, call, calls, house_with, words


def outside() -> list[Any]:
    """Fifty calls of what an agent that is bound to ``boiler`` may not do."""
    odd = [
        "pump",
        "Boiler",
        "boiler ",
        " boiler",
        "boiler\n",
        "boiler\x00",
        "boiler:on",
        "device:boiler",
        "*",
        "",
        "BOILER",
    ]
    odd += ["boiler,pump", "boiler/../pump", "../boiler", "%62oiler", "boi\u200bler", "ｂoiler", "boiler;pump"]
    found = [call("press", device_id=ident) for ident in odd]
    found += [call("press", device_id="boiler", extra=number) for number in range(3)]
    found += [call("press", device_id=value) for value in (None, 5, True, ["boiler"], {"a": "boiler"}, 1.5)]
    found += [call("press"), call("press", deviceId="boiler"), call("press", target="device:boiler")]
    found += [
        call("wipe"),
        call("wipe", device_id="boiler"),
        call("wipe", force=True),
        call("broken", device_id="boiler"),
    ]
    names = [
        "shell",
        "PRESS",
        "press ",
        "gadgets.press",
        "gadgets:press",
        "delete_device",
        "__import__",
        "wipe\n",
        "sudo",
        "",
    ]
    found += [call(name, device_id="boiler") for name in names]
    found += [call("start_agent", agent_id="x"), call("start_agent", agent_id="boiler"), call("wipe", admin=True)]
    found += [
        call("wipe", granted=True, tier="auto"),
        call("press", device_id="pump", params={}),
        call("press", device_id="pump", command="on"),
    ]
    return found


async def test_fifty_calls_outside_the_grant_and_none_is_executed(house: House) -> None:
    agent_id = await house.bound("boiler", limits={"max_rounds": 50})
    wanted = outside()
    assert len(wanted) >= 50
    house.models.says(*[calls(each) for each in wanted[:45]], words())
    first = await house.run(agent_id)
    # What fails again and again ends a run, so the rest comes in a round of its own.
    house.models.says(calls(*wanted), words())
    second = await house.run(agent_id)
    assert house.gadgets.names() == []
    for record in (first, second):
        verdicts = {each["verdict"] for each in record["tool_calls"]}
        assert verdicts <= {"denied", "invalid", "unknown_tool"}
        assert not any(each["success"] for each in record["tool_calls"])
    assert len(second["tool_calls"]) >= 50
    assert all('"error"' in text for text in house.models.told)


async def test_the_call_inside_the_grant_is_executed(house: House) -> None:
    """Else nothing would be proved by the fifty."""
    agent_id = await house.bound("boiler")
    house.models.says(calls(*outside(), call("press", device_id="boiler")), words())
    record = await house.run(agent_id)
    assert house.gadgets.done == [("press", {"device_id": "boiler"})]
    [good] = [each for each in record["tool_calls"] if each["success"]]
    assert (good["targets"], good["grant"]) == (["device:boiler"], "bound to device:boiler")
    assert house.gadgets.contexts[0].agent_id == agent_id
    assert house.gadgets.contexts[0].principal.kind == "agent"


@pytest.mark.parametrize(
    ("members", "asked", "runs"),
    [
        ({}, call("look"), True),
        ({}, call("press", device_id="boiler"), False),
        ({"grants": [{"tool": "press"}]}, call("press", device_id="pump"), True),
        ({"grants": [{"tool": "press", "targets": ["device:pump"]}]}, call("press", device_id="pump"), True),
        ({"grants": [{"tool": "press", "targets": ["device:pump"]}]}, call("press", device_id="boiler"), False),
        ({"grants": [{"tool": "*", "targets": ["device:pump"]}]}, call("press", device_id="pump"), True),
        ({"grants": [{"tool": "*", "targets": ["device:pump"]}]}, call("wipe"), False),
        ({"grants": [{"tool": "*"}]}, call("wipe"), True),
        ({"grants": [{"tool": "wipe", "targets": ["device:pump"]}]}, call("wipe"), False),
        ({"grants": [{"tool": "*"}, {"tool": "wipe", "tier": "never"}]}, call("wipe"), False),
        ({"grants": [{"tool": "*", "tier": "never"}]}, call("look"), True),
        ({"grants": [{"tool": "look", "tier": "never"}]}, call("look"), False),
        ({"tool_config": {"allowed_tools": ["look"]}, "grants": [{"tool": "*"}]}, call("press", device_id="a"), False),
        ({"tool_config": {"allowed_tools": ["look"]}}, call("look"), True),
        ({"tool_config": {"allowed_tools": ["press"]}}, call("look"), False),
        ({"tool_config": {"enabled": False}}, call("look"), False),
        (
            {"resources": [{"resource_id": "boiler:t", "resource_type": "metric"}]},
            call("press", device_id="boiler"),
            False,
        ),
        (
            {"resources": [{"resource_id": "boiler:on", "resource_type": "command"}]},
            call("press", device_id="boiler", command="on"),
            True,
        ),
        (
            {"resources": [{"resource_id": "boiler:on", "resource_type": "command"}]},
            call("press", device_id="boiler", command="off"),
            False,
        ),
        (
            {"resources": [{"resource_id": "boiler:on", "resource_type": "command"}]},
            call("press", device_id="pump", command="on"),
            False,
        ),
        (
            {
                "resources": [{"resource_id": "boiler", "resource_type": "device"}],
                "grants": [{"tool": "press", "tier": "never"}],
            },
            call("press", device_id="boiler"),
            False,
        ),
    ],
)
async def test_tiers_and_targets(house: House, members: Any, asked: Any, runs: bool) -> None:
    agent_id = await house.add(**members)
    house.models.says(calls(asked), words())
    await house.run(agent_id)
    assert (len(house.gadgets.done) == 1) is runs


async def test_fixed_parameters_of_a_command(house: House) -> None:
    config = {"parameters": {"level": 1}}
    agent_id = await house.add(resources=[{"resource_id": "boiler:on", "resource_type": "command", "config": config}])
    asked = [{"level": 2}, {}, {"level": True}, None, {"level": 1, "more": 2}]
    wanted = [
        call("press", device_id="boiler", command="on", **({"params": each} if each is not None else {}))
        for each in asked
    ]
    house.models.says(calls(*wanted), words())
    await house.run(agent_id)
    assert [arguments["params"] for _, arguments in house.gadgets.done] == [{"level": 1, "more": 2}]


async def test_only_what_may_be_is_shown_to_the_model(house: House) -> None:
    await house.run(await house.add())
    names = {spec.name for spec in house.models.requests[-1].tools}
    assert {"look", "ext_dotted_name", "get_device"} <= names
    assert not {"press", "wipe", "start_agent"} & names
    await house.run(await house.bound("boiler"))
    assert "press" in {spec.name for spec in house.models.requests[-1].tools}


async def test_names_are_written_as_models_take_them(house: House) -> None:
    house.models.says(calls(call("ext_dotted_name", a=1)), words())
    await house.run(await house.add())
    assert house.gadgets.names() == ["ext:dotted.name"]


async def test_what_was_judged_is_what_runs() -> None:
    """A tool whose ``targets`` changes the arguments it is shown does not change what runs."""
    gadgets = Gadgets()

    def sly(arguments: Any) -> tuple[str, ...]:
        arguments["device_id"] = "boiler"
        return ("device:boiler",)

    tools = [gadgets.tool("press", targets=sly)]
    gadgets.tools = lambda: tools  # type: ignore[method-assign]
    async with house_with(gadgets=gadgets) as house:
        await house.furnish()
        house.models.says(calls(call("press", device_id="pump")), words())
        await house.run(await house.bound("boiler"))
        assert gadgets.done == [("press", {"device_id": "pump"})]


async def test_old_and_new_values_are_recorded(house: House) -> None:
    async def heat(name: str, arguments: Any) -> None:
        point = Point("device:boiler:t", house.clock.now_ms() + 1, 90)
        await house.host.services[Ingest].write([point], source="api")

    agent_id = await house.bound("boiler")
    await house.store("device:boiler:t", 20)
    house.gadgets.then = heat
    house.models.says(calls(call("press", device_id="boiler"), text="It is cold."), words())
    [pressed] = (await house.run(agent_id))["tool_calls"]
    assert (pressed["old_values"], pressed["new_values"]) == (
        {"device:boiler": {"t": 20}},
        {"device:boiler": {"t": 90}},
    )
    assert pressed["rationale"] == "It is cold."


async def test_errors_of_tools_are_told_to_the_model(house: House) -> None:
    agent_id = await house.add()
    for error in (ValueError("out of order"), SystemExit(3)):
        house.gadgets.errors["look"] = error
        house.models.says(calls(call("look")), words())
        record = await house.run(agent_id)
        assert (record["status"], record["tool_calls"][0]["verdict"]) == ("Completed", "failed")
        assert type(error).__name__ in house.models.told[0]
    house.gadgets.errors.clear()
    house.gadgets.results["look"] = {"bad": object()}
    house.models.says(calls(call("look")), words())
    assert (await house.run(agent_id))["tool_calls"][0]["error"] == "the tool's answer is not JSON"


async def test_the_platforms_own_tools() -> None:
    """Devices are commanded, messages sent and rules fired only where that was granted."""
    models = ScriptedModels()
    async with house_with(models, commands, messages, outbox, rules) as house:
        directory = house.host.services[DeviceDirectory]
        await house.furnish()
        on = CommandDef(name="on", payload_template='{"on": true}')
        await directory.register_type(DeviceType(device_type="kettle", name="Kettle", commands=(on,)))
        agent_id = await house.bound("boiler")
        wanted = [call("control_device", device_id=each, command="on") for each in ("pump", "boiler")]
        wanted += [call("send_message", title="t", message="m"), call("trigger_rule", rule_id="x"), call("list_rules")]
        house.models.says(calls(*wanted), words())
        record = await house.run(agent_id)
        found = {(each["tool"], each["arguments"].get("device_id")): each["verdict"] for each in record["tool_calls"]}
        assert found[("control_device", "pump")] == "denied"
        assert found[("control_device", "boiler")] in ("executed", "failed")
        assert found[("send_message", None)] == "denied"
        assert found[("trigger_rule", None)] == "denied"
        assert found[("list_rules", None)] == "executed"
        assert (await house.get("/messages"))["messages"] == []
        granted = await house.add(grants=[{"tool": "send_message"}])
        house.models.says(calls(call("send_message", title="t", message="m")), words())
        record = await house.run(granted)
        assert record["result"]["notifications_sent"][0]["success"] is True
        assert len((await house.get("/messages"))["messages"]) == 1


async def test_grants_that_are_taken_away_hold_at_once(house: House) -> None:
    agent_id = await house.bound("boiler")

    async def narrowed(name: str, arguments: Any) -> None:
        await house.api.put(f"/api/agents/{agent_id}", json={"resources": []})

    house.gadgets.then = narrowed
    house.models.says(
        calls(call("press", device_id="boiler")), calls(call("press", device_id="boiler", command="again")), words()
    )
    record = await house.run(agent_id)
    assert [each["verdict"] for each in record["tool_calls"]] == ["executed", "denied"]


@pytest.mark.parametrize(
    ("bound", "asked", "runs"),
    [
        ("extension:dice:roll", {"extension_id": "dice", "command": "roll"}, True),
        ("extension:dice", {"extension_id": "dice", "command": "burn"}, True),
        ("extension:dice:roll", {"extension_id": "dice", "command": "burn"}, False),
        ("extension:dice:roll", {"extension_id": "dice2", "command": "roll"}, False),
        ("extension:dice", {"extension_id": "dice:x", "command": "roll"}, True),
        ("extension:dic", {"extension_id": "dice", "command": "roll"}, False),
    ],
)
async def test_commands_of_extensions(bound: str, asked: Any, runs: bool) -> None:
    gadgets = Gadgets()

    def extension(arguments: Any) -> tuple[str, ...]:
        return (f"extension:{arguments.get('extension_id')}",)

    tools = [gadgets.tool("run_it", targets=extension, schema={"type": "object"})]
    gadgets.tools = lambda: tools  # type: ignore[method-assign]
    async with house_with(gadgets=gadgets) as house:
        house.models.says(calls(call("run_it", **asked)), words())
        await house.run(await house.add(resources=[{"resource_id": bound, "resource_type": "extension_tool"}]))
        assert (gadgets.names() == ["run_it"]) is runs
