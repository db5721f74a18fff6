"""Rules that run commands of extensions: saved, fired and looked up over the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from neomind_plugins.commands import plugin as commands
from neomind_plugins.devices import plugin as devices
from neomind_plugins.extension_admin import plugin as extension_admin
from neomind_plugins.rules import plugin as rules
from neomind_plugins.scheduler import plugin as scheduler
from neomind_plugins.telemetry import plugin as telemetry
from neomind_sdk import CommandCall, ExtensionCommand, ExtensionCommandFinished, Ingest, Plugin, Point, hookimpl
from neomind_sdk.testing import make_host, needs

from .conftest import data

pytestmark = needs("extension_admin", "rules", "telemetry")
HOT = {"condition_type": "comparison", "source": "device:boiler:t", "operator": ">", "threshold": 80}


class Cup:
    """An extension whose commands note who called."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, Any], CommandCall]] = []

    def plugin(self) -> Plugin:
        return Plugin(name="cup", summary="Has commands for tests.", hooks=self)

    @hookimpl
    def neomind_commands(self, ctx: Any) -> list[ExtensionCommand]:
        count = {"type": "integer", "minimum": 1}
        schema = {"type": "object", "properties": {"count": count}, "additionalProperties": False}
        return [
            ExtensionCommand(name="shake", run=self.shake, input_schema=schema),
            ExtensionCommand(name="break", run=self.crash),
            ExtensionCommand(name="wait", run=self.wait, timeout_s=0.02),
        ]

    async def shake(self, args: Any, call: CommandCall) -> Any:
        self.calls.append((dict(args), call))
        return "rattle"

    async def crash(self, args: Any, call: CommandCall) -> Any:
        raise RuntimeError("the cup broke")

    async def wait(self, args: Any, call: CommandCall) -> Any:
        await asyncio.Event().wait()


class House:
    """A host with rules, and an administrator at the API."""

    def __init__(self, host: Any) -> None:
        self.host = host
        self.api = host.client()

    async def add(self, **action: Any) -> Any:
        """The answer to a rule that executes on the extension when it is hot."""
        entry = {"type": "execute", "target_type": "extension", "target": "cup", "command": "shake", **action}
        body = {"name": "Hot", "trigger": {"trigger_type": "data_change"}, "condition": HOT, "actions": [entry]}
        return data(await self.api.post("/api/rules", json=body))

    async def heat(self, hops: int = 0) -> None:
        point = Point("device:boiler:t", self.host.clock.now_ms(), 90.0)
        await self.host.services[Ingest].write([point], source="test", hops=hops)

    async def executions(self, rule_id: str) -> list[Any]:
        """The history, once it has an entry."""
        for _ in range(1000):
            await self.host.settle()
            found = data(await self.api.get(f"/api/rules/{rule_id}/history"))["executions"]
            if found:
                return list(found)
            await asyncio.sleep(0.002)
        raise AssertionError("it did not fire")


def told(added: Any) -> list[str]:
    """What was said of the action when the rule was saved; that there is no such device is another matter."""
    return [warning["message"] for warning in added["warnings"] if warning["code"] == "ACTION_TARGET"]


@asynccontextmanager
async def house_with(*plugins: Plugin) -> AsyncIterator[House]:
    async with make_host(devices, telemetry, commands, scheduler, rules, *plugins) as host:
        yield House(host)


@pytest.fixture
def cup() -> Cup:
    return Cup()


@pytest.fixture
async def house(cup: Cup) -> AsyncIterator[House]:
    async with house_with(extension_admin, cup.plugin()) as house:
        yield house


async def test_a_rule_runs_a_command(house: House, cup: Cup) -> None:
    added = await house.add(params={"count": 2})
    await house.heat(hops=2)
    [execution] = await house.executions(added["rule"]["id"])
    assert execution["success"] is True
    assert execution["actions_executed"] == ["EXTENSION: cup.shake"]
    [(args, call)] = cup.calls
    assert args == {"count": 2}
    cause = f"rule:{added['rule']['id']}"
    assert (call.principal.kind, call.principal.id, call.principal.name, call.hops) == ("plugin", cause, "Hot", 3)
    [event] = house.host.events.of(ExtensionCommandFinished)
    assert (event.cause, event.hops, event.outputs) == (cause, 3, "rattle")


@pytest.mark.parametrize(
    ("action", "word"),
    [
        ({"target": "saucer"}, "Extension with id 'saucer' not found"),
        ({"command": "fill"}, "Command with name 'fill' not found"),
        ({"params": {"count": 0}}, "count"),
        ({"params": {"much": 1}}, "much"),
    ],
)
async def test_what_does_not_fit_is_told_when_it_is_saved_and_when_it_fires(
    house: House, cup: Cup, action: Any, word: str
) -> None:
    added = await house.add(**action)
    [warning] = told(added)
    assert word in warning
    await house.heat()
    [execution] = await house.executions(added["rule"]["id"])
    assert (execution["success"], word in execution["error"]) == (False, True)
    assert cup.calls == []


@pytest.mark.parametrize(("command", "word"), [("break", "the cup broke"), ("wait", "took over 0.02 s")])
async def test_a_command_that_fails_is_in_the_history(house: House, command: str, word: str) -> None:
    added = await house.add(command=command)
    assert told(added) == []
    await house.heat()
    [execution] = await house.executions(added["rule"]["id"])
    assert (execution["success"], word in execution["error"]) == (False, True)


async def test_without_extension_admin_it_says_so(cup: Cup) -> None:
    async with house_with(cup.plugin()) as house:
        added = await house.add()
        assert told(added) == ["commands of extensions cannot be run: the plugin 'extension_admin' is not running"]
        await house.heat()
        [execution] = await house.executions(added["rule"]["id"])
        assert (execution["success"], execution["error"]) == (False, told(added)[0])


@needs("example")
async def test_the_dice_of_the_tutorial_roll(cup: Cup) -> None:
    from neomind_example import hooks
    from neomind_example import plugin as example

    example = Plugin(name=example.name, summary=example.summary, hooks=hooks)
    async with house_with(extension_admin, example) as house:
        added = await house.add(target="example", command="roll", params={"count": 3, "sides": 2})
        assert told(added) == []
        await house.heat()
        [execution] = await house.executions(added["rule"]["id"])
        assert execution["actions_executed"] == ["EXTENSION: example.roll"]
        query = {"source": "extension:example", "metric": "total"}
        [point] = data(await house.api.get("/api/telemetry", params=query))["data"]
        assert 3 <= point["value"] <= 6
