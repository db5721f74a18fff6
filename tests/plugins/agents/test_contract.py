"""What every plugin must keep to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from neomind_plugins.agents import hooks
from neomind_plugins.agents import plugin as agents
from neomind_sdk import Event, ExtensionStateChanged, MetricsStored, Point
from neomind_sdk.testing.suites import (
    AgentToolContract,
    FromHook,
    JobContract,
    ListenerContract,
    RouteContract,
    RuleActionContract,
    ServiceContract,
    SettingsContract,
    TablesContract,
)

from .conftest import House


@pytest.fixture
def context(house: House) -> Any:
    return house.host.context(agents.name)


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
    async def _agent(self, house: House) -> None:
        type(self).arguments = {"start_agent": {"agent_id": await house.add()}}


class TestTriggerAgent(RuleActionContract):
    bad = ({"agent_id": "nobody"},)

    @pytest.fixture
    async def subject(self, context: Any, house: House) -> Any:
        type(self).params = {"agent_id": await house.add(), "input": "Look"}
        return hooks.neomind_rule_actions(context)[0]
