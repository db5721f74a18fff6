"""What every plugin must keep to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from neomind_plugins.rules import hooks
from neomind_plugins.rules import plugin as rules
from neomind_sdk import ACTUATE, Event, ExtensionStateChanged, MetricsStored, Point, Principal, ToolContext
from neomind_sdk.testing.suites import (
    AgentToolContract,
    FromHook,
    JobContract,
    ListenerContract,
    RouteContract,
    ServiceContract,
    SettingsContract,
    TablesContract,
)

from .conftest import House

AGENT = ToolContext(
    principal=Principal(kind="agent", id="a-1", name="agent", scopes=frozenset({"read", "write"})),
    agent_id="a-1",
    execution_id="x-1",
    hops=2,
)


@pytest.fixture
def context(house: House) -> Any:
    return house.host.context(rules.name)


class TestTables(TablesContract):
    @pytest.fixture
    def subject(self) -> Any:
        return hooks.neomind_tables(None)[0]  # type: ignore[arg-type]


class TestSettings(SettingsContract):
    @pytest.fixture
    def subject(self) -> Any:
        return hooks.neomind_settings(None)  # type: ignore[arg-type]


class TestRoutes(FromHook, RouteContract):
    hook = hooks.neomind_routes


class TestJobs(FromHook, JobContract):
    hook = hooks.neomind_jobs


class TestServices(FromHook, ServiceContract):
    hook = hooks.neomind_services


class TestListeners(FromHook, ListenerContract):
    hook = hooks.neomind_listeners

    def events(self) -> Sequence[Event]:
        points = [Point("device:boiler:t", 1, 1.0), Point("device:boiler:t", 2, "x"), Point("x:y:z", 3, {"a": 1})]
        return [
            MetricsStored(points=points, source="api"),
            ExtensionStateChanged(extension_id="x", state="started"),
        ]


class TestTools(FromHook, AgentToolContract):
    hook = hooks.neomind_agent_tools

    @pytest.fixture(autouse=True)
    async def _rule(self, house: House) -> None:
        rule_id = await house.add()
        type(self).arguments = {"trigger_rule": {"rule_id": rule_id}, "enable_rule": {"rule_id": rule_id}}


async def test_agents_list_trigger_and_disable(house: House, context: Any) -> None:
    tools = {tool.name: tool for tool in hooks.neomind_agent_tools(context)}
    assert {name for name, tool in tools.items() if tool.effect == ACTUATE} == {"trigger_rule", "enable_rule"}
    rule_id = await house.add()
    await house.add(name="Other", enabled=False)
    listed = await tools["list_rules"].run({"enabled": True}, AGENT)
    assert [(rule["rule_id"], rule["state"]) for rule in listed["rules"]] == [(rule_id, "active")]
    assert 'RULE "Hot"' in listed["rules"][0]["rule"]
    assert (await tools["trigger_rule"].run({"rule_id": rule_id}, AGENT))["error"] == "Condition not met"
    await house.store(20)
    await house.store(90, cause="x")
    await house.pass_s(61)
    assert (await tools["trigger_rule"].run({"rule_id": rule_id}, AGENT))["success"] is True
    assert (house.blink.firings[-1].hops, house.blink.firings[-1].cause) == (2, "agent:a-1")
    assert tools["trigger_rule"].targets is not None
    assert tools["trigger_rule"].targets({"rule_id": rule_id}) == (f"rule:{rule_id}",)
    await tools["enable_rule"].run({"rule_id": rule_id, "enabled": False}, AGENT)
    assert (await house.show(rule_id))["enabled"] is False
