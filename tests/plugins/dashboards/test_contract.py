"""What every plugin must keep to, and what dashboards promise to agents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from neomind_plugins.dashboards import hooks
from neomind_plugins.dashboards import plugin as dashboards
from neomind_plugins.extension_admin import plugin as extension_admin
from neomind_sdk import ACTUATE, READ, DashboardUpdated, NotFound, Principal, ToolContext
from neomind_sdk.testing import make_host
from neomind_sdk.testing.suites import (
    AgentToolContract,
    DashboardComponentContract,
    FromHook,
    RouteContract,
    ServiceContract,
    TablesContract,
)

from .conftest import COMPONENT, data

SIZES = {
    "value-card": (2, 1, 2, 1, 4, 2),
    "led-indicator": (1, 1, 2, 1, 3, 2),
    "sparkline": (2, 1, 4, 2, 8, 3),
    "progress-bar": (2, 1, 4, 1, 12, 3),
    "line-chart": (4, 3, 6, 4, 12, 8),
    "area-chart": (4, 3, 6, 4, 12, 8),
    "bar-chart": (4, 3, 6, 4, 12, 8),
    "pie-chart": (3, 3, 4, 4, 8, 8),
    "toggle-switch": (2, 1, 2, 1, 4, 2),
    "image-display": (2, 2, 4, 3, 12, 12),
    "image-history": (4, 3, 6, 5, 12, 12),
    "web-display": (3, 3, 6, 4, 12, 12),
    "markdown-display": (2, 2, 4, 3, 12, 12),
    "map-display": (4, 3, 6, 4, 12, 12),
    "video-display": (3, 2, 6, 4, 12, 12),
    "custom-layer": (2, 2, 6, 4, 12, 12),
    "agent-monitor-widget": (4, 4, 6, 5, 12, 8),
    "ai-analyst": (3, 3, 4, 5, 8, 8),
}
AGENT = ToolContext(
    principal=Principal(kind="agent", id="a-1", name="agent", scopes=frozenset({"read"})),
    agent_id="a-1",
    execution_id="x-1",
    hops=2,
)


@pytest.fixture
async def host() -> AsyncIterator[Any]:
    """With nothing else but the catalogue of extensions: every other plugin may be missing."""
    async with make_host(dashboards, extension_admin) as host:
        yield host


@pytest.fixture
def context(host: Any) -> Any:
    return host.context(dashboards.name)


class TestRoutes(FromHook, RouteContract):
    hook = hooks.neomind_routes


class TestTables(FromHook, TablesContract):
    hook = hooks.neomind_tables


class TestComponents(FromHook, DashboardComponentContract):
    hook = hooks.neomind_dashboard_components


class TestTools(FromHook, AgentToolContract):
    hook = hooks.neomind_agent_tools

    @pytest.fixture
    async def subject(self, context: Any, host: Any) -> Any:
        made = data(await host.client().post("/api/dashboards", json={"name": "n"}))
        of_this = {"dashboard_id": made["id"]}
        self.arguments = {"get_dashboard": of_this, "add_dashboard_component": {**of_this, "type": "sparkline"}}
        return hooks.neomind_agent_tools(context)


class TestServices(FromHook, ServiceContract):
    hook = hooks.neomind_services


async def test_built_in_components_are_listed_like_those_of_any_extension(host: Any) -> None:
    listed = data(await host.client(None).get("/api/extensions/dashboards/components"))
    names = ("min_w", "min_h", "default_w", "default_h", "max_w", "max_h")
    assert {one["type"]: tuple(one["size_constraints"][name] for name in names) for one in listed} == SIZES
    assert {one["bundle_url"] for one in listed} == {None}


async def test_agents_find_dashboards_and_add_to_them(host: Any, context: Any) -> None:
    tools = {tool.name: tool for tool in hooks.neomind_agent_tools(context)}
    assert {name: tool.effect for name, tool in tools.items()} == {
        "list_dashboards": READ,
        "get_dashboard": READ,
        "add_dashboard_component": ACTUATE,
    }
    low = {**COMPONENT, "position": {"x": 3, "y": 4, "w": 2, "h": 5}}
    body = {"name": "Cellar", "components": [low, COMPONENT]}
    ident = data(await host.client().post("/api/dashboards", json=body))["id"]
    source = {"type": "device", "source": "device", "id": "boiler", "field": "t", "mode": "timeseries"}
    arguments = {"dashboard_id": ident, "type": "line-chart", "title": "Heat", "data_source": source}
    assert tools["add_dashboard_component"].targets(arguments) == (f"dashboard:{ident}",)
    added = await tools["add_dashboard_component"].run(arguments, AGENT)
    assert added["position"] == {"x": 0, "y": 9, "w": 6, "h": 4}
    listed = await tools["list_dashboards"].run({}, AGENT)
    assert [(one["name"], one["component_count"]) for one in listed["dashboards"]] == [("Cellar", 3)]
    shown = await tools["get_dashboard"].run({"dashboard_id": ident}, AGENT)
    assert shown["components"][2] == {
        "id": added["component_id"],
        "type": "line-chart",
        "title": "Heat",
        "data_source": source,
        "position": added["position"],
    }
    event = host.events.of(DashboardUpdated)[-1]
    assert (event.action, event.cause, event.hops) == ("add_components", "agent:a-1", 3)
    with pytest.raises(NotFound):
        await tools["add_dashboard_component"].run({"dashboard_id": "dashboard_nobody", "type": "x"}, AGENT)
