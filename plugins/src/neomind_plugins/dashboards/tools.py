"""What agents may do with dashboards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neomind_sdk import ACTUATE, READ, AgentTool, Platform, PluginContext, ToolContext

from .models import LIMIT_MAX, NAME_MAX
from .records import Dashboard, Json
from .service import Dashboards

Arguments = Mapping[str, Any]
LISTED = 50
SIZE = (4, 3)
"""Of components that nobody describes."""
ID_SCHEMA = {"type": "string", "description": "The id of the dashboard"}
LIST_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "limit": {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LISTED},
        "offset": {"type": "integer", "minimum": 0, "default": 0},
    },
    "additionalProperties": False,
}
GET_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"dashboard_id": ID_SCHEMA},
    "required": ["dashboard_id"],
    "additionalProperties": False,
}
ADD_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "dashboard_id": ID_SCHEMA,
        "type": {
            "type": "string",
            "minLength": 1,
            "maxLength": NAME_MAX,
            "description": "The kind of component, e.g. value-card, line-chart, markdown-display",
        },
        "title": {"type": "string", "maxLength": NAME_MAX},
        "data_source": {
            "type": ["object", "array"],
            "description": (
                "What it shows, or an array of such: "
                '{"type": "device", "source": "device", "id": "<device id>", "field": "<metric>", "mode": "latest"}; '
                '"mode": "timeseries" for charts'
            ),
        },
        "display": {"type": "object", "description": "How it looks, e.g. unit, min, max"},
        "config": {"type": "object", "description": "Settings of this kind of component"},
    },
    "required": ["dashboard_id", "type"],
    "additionalProperties": False,
}


class DashboardTools:
    """The tools; they look at the dashboards of the moment."""

    def __init__(self, ctx: PluginContext) -> None:
        self._services = ctx.services

    def tools(self) -> list[AgentTool]:
        common: dict[str, Any] = {"category": "dashboards"}
        return [
            AgentTool(
                **common,
                name="list_dashboards",
                description="Lists the dashboards with their names and how many components each has.",
                parameters=LIST_SCHEMA,
                run=self.list_dashboards,
                effect=READ,
            ),
            AgentTool(
                **common,
                name="get_dashboard",
                description="Shows a dashboard: its components, where they are, and which data they show.",
                parameters=GET_SCHEMA,
                run=self.get_dashboard,
                effect=READ,
                targets=target,
            ),
            AgentTool(
                **common,
                name="add_dashboard_component",
                description="Adds a component to a dashboard, below those it has.",
                parameters=ADD_SCHEMA,
                run=self.add_component,
                effect=ACTUATE,
                targets=target,
            ),
        ]

    async def list_dashboards(self, arguments: Arguments, context: ToolContext) -> Json:
        limit, offset = int(arguments.get("limit", LISTED)), int(arguments.get("offset", 0))
        found, total = await self._services[Dashboards].page(limit, offset)
        return {"dashboards": [summary(one) for one in found], "total": total}

    async def get_dashboard(self, arguments: Arguments, context: ToolContext) -> Json:
        found = await self._services[Dashboards].get(str(arguments["dashboard_id"]))
        return {**summary(found), "layout": found.layout, "components": [component(one) for one in found.components]}

    async def add_component(self, arguments: Arguments, context: ToolContext) -> Json:
        dashboard_id = str(arguments["dashboard_id"])
        new = {name: value for name, value in arguments.items() if name != "dashboard_id" and value is not None}
        placed = await self._services[Dashboards].place_component(
            dashboard_id,
            new,
            self._size(str(arguments["type"])),
            cause=f"agent:{context.agent_id}",
            hops=context.hops + 1,
        )
        return {"dashboard_id": dashboard_id, "component_id": placed["id"], "position": placed["position"]}

    def _size(self, kind: str) -> tuple[int, int]:
        known = self._services[Platform].contributions("dashboard_components")
        sizes = ((one.size.default_w, one.size.default_h) for _, one in known if one.type == kind)
        return next(sizes, SIZE)


def target(arguments: Arguments) -> tuple[str, ...]:
    return (f"dashboard:{arguments.get('dashboard_id')}",)


def summary(found: Dashboard) -> Json:
    """What an agent has to know of a dashboard."""
    return {
        "id": found.id,
        "name": found.name,
        "is_default": bool(found.is_default),
        "component_count": len(found.components),
        "updated_at": found.updated_ms // 1000,
    }


def component(found: Json) -> Json:
    """A component without how it looks."""
    return {name: found[name] for name in ("id", "type", "title", "position", "data_source") if name in found}
