"""Running commands of extensions for whoever is not a request: the service, and the tools of agents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from neomind_plugins.extension_admin import hooks
from neomind_plugins.extension_admin import plugin as extension_admin
from neomind_sdk import (
    ACTUATE,
    READ,
    ApiError,
    ExtensionCommandFinished,
    ExtensionCommands,
    Ingest,
    NotFound,
    Principal,
    Service,
    Status,
    ToolContext,
    ValidationFailed,
)
from neomind_sdk.testing import make_host
from neomind_sdk.testing.suites import AgentToolContract

from .conftest import command, data, extension
from .dice import Seen, Store, commands

RULE = Principal(kind="plugin", id="rule:r-1", name="Hot")
AGENT = ToolContext(
    principal=Principal(kind="agent", id="a-1", name="agent"), agent_id="a-1", execution_id="x-1", hops=2
)


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def host(seen: Seen, store: Store) -> AsyncIterator[Any]:
    telemetry = extension("telemetry", services=[Service(key=Ingest, build=lambda ctx: store)])
    async with make_host(extension_admin, telemetry, extension(commands=commands(seen)), storage=False) as host:
        yield host


@pytest.fixture
def calls(host: Any) -> ExtensionCommands:
    found: ExtensionCommands = host.services[ExtensionCommands]
    assert isinstance(found, ExtensionCommands)
    return found


# ---- the service ----


async def test_it_runs_what_the_route_runs(host: Any, calls: ExtensionCommands, seen: Seen, store: Store) -> None:
    result = await calls.run("dice", "roll", {"count": 2}, principal=RULE, cause="rule:r-1", hops=3)
    assert result == data(await host.client().post("/api/extensions/dice/commands/roll", json={"count": 2}))
    args, call = seen.calls[0]
    assert (args, call.principal, call.hops) == ({"count": 2}, RULE, 3)
    await host.settle()
    ours, of_the_route = host.events.of(ExtensionCommandFinished)
    assert (ours.cause, ours.hops, ours.success) == ("rule:r-1", 3, True)
    assert (of_the_route.cause, of_the_route.hops) == (None, 0)
    assert [hops for _, _, _, hops in store.written] == [4, 1]


@pytest.mark.parametrize(
    ("extension_id", "name", "args", "error", "word"),
    [
        ("nobody", "roll", {}, NotFound, "nobody"),
        ("dice", "juggle", {}, NotFound, "juggle"),
        ("dice", "roll", {"count": 0}, ValidationFailed, "count"),
        ("dice", "fail", {}, ApiError, "no dice in the cup"),
        ("dice", "hang", {}, ApiError, "took over 0.02 s"),
        ("dice", "remote", {}, ApiError, "its input schema cannot be used"),
    ],
)
async def test_what_goes_wrong_is_raised(
    calls: ExtensionCommands, extension_id: str, name: str, args: Any, error: type[Exception], word: str
) -> None:
    with pytest.raises(error, match=word):
        await calls.run(extension_id, name, args, principal=RULE)


@pytest.mark.parametrize(
    ("extension_id", "name", "args", "word"),
    [
        ("nobody", "roll", {"count": 1}, "nobody"),
        ("dice", "juggle", {"count": 1}, "juggle"),
        ("dice", "roll", {}, "count: is required"),
        ("dice", "roll", {"count": 1, "more": 1}, "more"),
        ("dice", "malformed", {}, "its input schema cannot be used"),
        ("dice", "endless", {"a": 1}, "its input schema cannot be used"),
    ],
)
async def test_problems_are_told_before(
    calls: ExtensionCommands, seen: Seen, extension_id: str, name: str, args: Any, word: str
) -> None:
    [problem] = calls.problems(extension_id, name, args)
    assert word in problem
    assert calls.problems("dice", "roll", {"count": 1}) == []
    assert seen.calls == []


async def test_what_does_not_run_is_a_problem_and_offers_nothing(host: Any, calls: ExtensionCommands) -> None:
    offered = [(extension_id, one.name) for extension_id, one in calls.commands()]
    assert ("dice", "roll") in offered
    assert offered == sorted(offered)
    host.host.board.move(host.host.board.get("dice"), Status.BLOCKED, "named in the block list")
    assert calls.commands() == []
    [problem] = calls.problems("dice", "roll", {"count": 1})
    assert problem == "Extension 'dice' is not running: blocked: named in the block list"


# ---- agents ----


@pytest.fixture
def context(host: Any) -> Any:
    return host.host.board.get(extension_admin.name).context


class TestTools(AgentToolContract):
    arguments = {
        "run_extension_command": {"extension_id": "dice", "command": "roll", "args": {"count": 1}},
        "list_extension_commands": {},
    }

    @pytest.fixture
    def subject(self, context: Any) -> Any:
        return hooks.neomind_agent_tools(context)


@pytest.fixture
def tools(context: Any) -> dict[str, Any]:
    return {tool.name: tool for tool in hooks.neomind_agent_tools(context)}


async def test_an_agent_runs_a_command(host: Any, tools: dict[str, Any], seen: Seen) -> None:
    tool = tools["run_extension_command"]
    arguments = {"extension_id": "dice", "command": "roll", "args": {"count": 2}}
    assert (tool.effect, tool.targets(arguments)) == (ACTUATE, ("extension:dice",))
    assert await tool.run(arguments, AGENT) == {"result": {"eyes": [1, 2], "total": 3, "none": None}}
    assert seen.calls[0][1].principal == AGENT.principal
    await host.settle()
    [event] = host.events.of(ExtensionCommandFinished)
    assert (event.cause, event.hops) == ("agent:a-1", 3)
    with pytest.raises(NotFound):
        await tool.run({"extension_id": "nobody", "command": "roll"}, AGENT)


async def test_an_agent_sees_what_there_is(host: Any, tools: dict[str, Any]) -> None:
    tool = tools["list_extension_commands"]
    assert tool.effect == READ
    answer = await tool.run({"extension_id": "dice"}, AGENT)
    rows = {row["command"]: row for row in answer["commands"]}
    assert rows["roll"]["input_schema"]["required"] == ["count"]
    assert answer["total"] == len(rows)
    assert await tool.run({"extension_id": "nobody"}, AGENT) == {"commands": [], "total": 0}
    page = await tool.run({"offset": 1, "limit": 1}, AGENT)
    assert page == {"commands": [answer["commands"][1]], "total": answer["total"]}


async def test_commands_of_one_name_are_of_their_extension(seen: Seen) -> None:
    async def other(args: Any, call: Any) -> Any:
        return "other"

    plugins = (extension(commands=commands(seen)), extension("cards", commands=[command("echo", other)]))
    async with make_host(extension_admin, *plugins, storage=False) as host:
        calls = host.services[ExtensionCommands]
        assert await calls.run("cards", "echo", {"a": 1}, principal=RULE) == "other"
        assert await calls.run("dice", "echo", {"a": 1}, principal=RULE) == {"a": 1}
