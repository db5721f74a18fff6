"""What every plugin must keep to; what messages promise to rules, agents and other plugins."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from neomind_plugins.messages import hooks
from neomind_plugins.messages import plugin as messages
from neomind_plugins.messages.templates import names_of, problem_of, render
from neomind_sdk import (
    ACTUATE,
    READ,
    ActionOutcome,
    Firing,
    MessageBoard,
    MessageCreated,
    Principal,
    ToolContext,
    ValidationFailed,
)
from neomind_sdk.testing.suites import (
    AgentToolContract,
    FromHook,
    JobContract,
    RouteContract,
    RuleActionContract,
    ServiceContract,
    SettingsContract,
    TablesContract,
)
from neomind_sdk.testing.suites.base import structured

from .conftest import Post

NOTIFY = {"message": "It is ${value} at {device_id}"}
HOT = {"device:boiler:temperature": 81.5, "device:room:humidity": 40}
AGENT = ToolContext(
    principal=Principal(kind="agent", id="a-1", name="agent", scopes=frozenset({"read", "write"})),
    agent_id="a-1",
    execution_id="x-1",
    hops=2,
)


@pytest.fixture
def context(post: Post) -> Any:
    return post.host.context(messages.name)


class TestRoutes(FromHook, RouteContract):
    hook = hooks.neomind_routes


class TestTables(FromHook, TablesContract):
    hook = hooks.neomind_tables


class TestSettings(FromHook, SettingsContract):
    hook = hooks.neomind_settings


class TestJobs(FromHook, JobContract):
    hook = hooks.neomind_jobs


class TestTools(FromHook, AgentToolContract):
    hook = hooks.neomind_agent_tools
    arguments = {"send_message": {"title": "t", "message": "m", "channels": ["ops"]}}


class TestNotify(FromHook, RuleActionContract):
    hook = hooks.neomind_rule_actions
    params = NOTIFY
    bad = ({"message": "${value"}, {"message": "m", "title": "${}"}, {"message": "m", "channels": ["nobody"]})


class TestServices(FromHook, ServiceContract):
    hook = hooks.neomind_services


# ---- rules ----


@pytest.fixture
def notify(context: Any) -> Any:
    return hooks.neomind_rule_actions(context)[0]


def firing(**more: Any) -> Firing:
    values: dict[str, Any] = {"rule_id": "r-1", "rule_name": "Too hot", "fired_ms": 1_700_000_000_000, "values": HOT}
    return Firing(**{**values, **more})


async def fire(notify: Any, params: Any = NOTIFY, **more: Any) -> ActionOutcome:
    outcome: ActionOutcome = await notify.run(structured(notify.params, params), firing(**more))
    return outcome


async def test_a_rule_raises_a_message(post: Post, notify: Any) -> None:
    outcome = await fire(notify, {**NOTIFY, "severity": "emergency", "metadata": {"site": 1}}, hops=1)
    assert (outcome.ok, outcome.summary) == (True, "NOTIFY: It is 81.5 at boiler")
    [message] = (await post.list())["messages"]
    assert (message["title"], message["message"], message["severity"]) == (
        "Too hot",
        "It is 81.5 at boiler",
        "emergency",
    )
    assert (message["source"], message["source_type"], message["category"]) == ("r-1", "rule", "alert")
    assert message["metadata"] == {
        "site": 1,
        "rule_id": "r-1",
        "rule_name": "Too hot",
        "device_id": "boiler",
        "fired_ms": 1_700_000_000_000,
        "values": HOT,
    }
    [event] = post.host.events.of(MessageCreated)
    assert (event.cause, event.hops) == ("rule:r-1", 2)


async def test_a_rule_names_channels(post: Post, notify: Any) -> None:
    await post.channel("a", filter={"source_types": ["device"], "categories": []})
    await post.channel("b")
    params = structured(notify.params, {**NOTIFY, "channels": ["a"]})
    assert notify.check(params) == []
    assert (await notify.run(params, firing())).ok
    assert [order.lane for order in post.outbox.orders] == ["channel:a"]
    await post.api.delete("/api/messages/channels/a")
    assert notify.check(params) == ["there is no channel 'a'"]
    outcome = await notify.run(params, firing(rule_id="r-2"))
    assert (outcome.ok, outcome.error) == (False, "there is no channel 'a'")
    assert (await post.list())["total"] == 2


async def test_two_notifications_of_one_rule_are_two_alerts(post: Post, notify: Any) -> None:
    await post.channel()
    for text in ("It is {value}", "Call somebody"):
        for value in (81, 82):
            await fire(notify, {"message": text}, values={"device:boiler:temperature": value})
    assert len(post.outbox.orders) == 2


async def test_twenty_rules_in_one_second(post: Post, notify: Any) -> None:
    await post.channel()
    firings = (fire(notify, {"message": "hot"}, rule_id=f"r-{number}") for number in range(20))
    outcomes = await asyncio.gather(*firings)
    assert all(outcome.ok for outcome in outcomes)
    assert len(post.outbox.orders) == 20


async def test_a_storage_that_refuses_is_an_outcome(post: Post, notify: Any) -> None:
    outcome = await fire(notify, {"message": "m", "metadata": {"x": "y" * 99_999}})
    assert (outcome.ok, "metadata" in (outcome.error or "")) == (False, True)


@pytest.mark.parametrize("params", [{}, {"message": " "}, {"message": "m", "severity": "error"}])
def test_what_is_wrong_with_an_action_is_named(params: Any) -> None:
    from neomind_plugins.messages.actions import NotifyParams

    with pytest.raises(ValidationFailed):
        structured(NotifyParams, params)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{value} ${value} ${ value }", "81.5 81.5 81.5"),
        ("{rule_name} {device_id} {metric} {source_id}", "Too hot boiler temperature device:boiler:temperature"),
        ("{humidity} ${device:room:humidity}", "40 40"),
        ("{timestamp}", "2023-11-14T22:13:20+00:00"),
        ("{threshold} ${limits.high} ${limits}", '80 90 {"high":90}'),
        ("{unknown} ${un.known} {} { } {{value}}", "{unknown} ${un.known} {} { } {81.5}"),
        ("${value.__class__} {rule_name.upper} $5", "${value.__class__} {rule_name.upper} $5"),
        ("{nothing}", "{nothing}"),
        ('{"a": 1}', '{"a": 1}'),
    ],
)
def test_variables(template: str, text: str) -> None:
    names = names_of(firing(variables={"threshold": 80, "limits": {"high": 90}, "nothing": None}))
    assert problem_of(template) is None
    assert render(template, names) == text


def test_values_are_not_templates() -> None:
    assert render("{value}", names_of(firing(values={"device:d:m": "{rule_id}"}))) == "{value}"
    assert render("{m}", names_of(firing(values={"device:d:m": "{rule_id}"}))) == "{rule_id}"


def test_a_metric_of_two_devices_has_no_short_name() -> None:
    names = names_of(firing(values={"device:a:t": 1, "device:b:t": 2}))
    assert render("{t} ${device:b:t}", names) == "{t} 2"


# ---- agents ----


@pytest.fixture
def tools(context: Any) -> dict[str, Any]:
    return {tool.name: tool for tool in hooks.neomind_agent_tools(context)}


async def test_an_agent_sends_and_lists(post: Post, tools: dict[str, Any]) -> None:
    assert {name: tool.effect for name, tool in tools.items()} == {"send_message": ACTUATE, "list_messages": READ}
    arguments = {"title": "t", "message": "m", "severity": "warning", "channels": ["ops"], "device_id": "d-1"}
    assert tools["send_message"].targets(arguments) == ("channel:ops",)
    sent = await tools["send_message"].run(arguments, AGENT)
    assert sent["unknown_channels"] == ["ops"]
    listed = await tools["list_messages"].run({"severity": "warning", "limit": 5}, AGENT)
    [row] = listed["messages"]
    assert (row["id"], row["source_type"], row["source"]) == (sent["id"], "agent", "a-1")
    assert [(event.cause, event.hops) for event in post.host.events.of(MessageCreated)] == [("agent:a-1", 3)]
    assert (await tools["list_messages"].run({"status": "archived"}, AGENT))["total"] == 0


# ---- services ----


async def test_the_board_is_that_of_the_contract(post: Post) -> None:
    assert isinstance(post.host.services[MessageBoard], MessageBoard)
