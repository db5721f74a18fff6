"""What agents may read of samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from neomind_sdk import READ, AgentTool, ToolContext, series

from .asked import AGGREGATES
from .catalog import LIMIT_WITH_VALUES, Catalog
from .history import History
from .models import DataSource, SourcesQuery, TelemetryQuery

Arguments = Mapping[str, Any]
ROWS, ROWS_MAX = 50, 500
LISTED = 50
TEXT_MAX = 500
SOURCE = {"type": "string", "minLength": 1, "description": "device:<id>, extension:<id>, or the bare id of a device"}
TIME = {"type": "number", "minimum": 0, "description": "Seconds since the epoch; beats time_range"}
HISTORY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "source": SOURCE,
        "metric": {"type": "string", "minLength": 1, "description": "As get_device or list_data_sources names it"},
        "time_range": {"type": "string", "default": "24h", "description": "How far back, such as 30m, 24h, 7d"},
        "start": TIME,
        "end": TIME,
        "aggregate": {"enum": list(AGGREGATES), "description": "One number over the whole range instead of rows"},
        "bucketed": {
            "type": "boolean",
            "default": False,
            "description": "Rows spread evenly over the range, not its newest ones",
        },
        "limit": {"type": "integer", "minimum": 1, "maximum": ROWS_MAX, "default": ROWS},
    },
    "required": ["source", "metric"],
    "additionalProperties": False,
}
SOURCES_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "source": {**SOURCE, "description": "Only of this device or extension"},
        "search": {"type": "string", "description": "Part of a name or an id"},
        "offset": {"type": "integer", "minimum": 0, "default": 0},
        "limit": {"type": "integer", "minimum": 1, "maximum": LIMIT_WITH_VALUES, "default": LISTED},
    },
    "additionalProperties": False,
}


class TelemetryTools:
    """The tools; ``history`` and ``catalog`` give the services of the moment."""

    def __init__(self, history: Callable[[], History], catalog: Callable[[], Catalog]) -> None:
        self._history = history
        self._catalog = catalog

    def tools(self) -> list[AgentTool]:
        return [
            AgentTool(
                name="read_history",
                description="Reads the values of a metric over a range of time, ascending, or one aggregate of them.",
                parameters=HISTORY_SCHEMA,
                run=self.read_history,
                effect=READ,
                category="data",
                targets=target,
            ),
            AgentTool(
                name="list_data_sources",
                description="Lists the metrics of devices and extensions, each with its newest value.",
                parameters=SOURCES_SCHEMA,
                run=self.list_data_sources,
                effect=READ,
                category="data",
            ),
        ]

    async def read_history(self, arguments: Arguments, context: ToolContext) -> dict[str, Any]:
        times = {name: str(arguments[name]) for name in ("start", "end") if name in arguments}
        answer = await self._history().of_source(TelemetryQuery(**{"limit": ROWS, **arguments, **times}))
        if "data" in answer:
            answer["data"] = [{"timestamp": row["timestamp"], "value": brief(row["value"])} for row in answer["data"]]
        return answer

    async def list_data_sources(self, arguments: Arguments, context: ToolContext) -> dict[str, Any]:
        query = SourcesQuery(**{"limit": LISTED, **arguments})
        found = await self._catalog().sources(query)
        return {"sources": [row_of(item) for item in found["data"]], "total": found["total"]}


def target(arguments: Arguments) -> tuple[str, ...]:
    source = str(arguments.get("source"))
    return (source if ":" in source else f"{series.DEVICE}:{source}",)


def row_of(item: DataSource) -> dict[str, Any]:
    """A source without what only screens need."""
    names = ("id", "field_display_name", "data_type", "unit", "last_update")
    return {**attrs.asdict(item, filter=attrs.filters.include(*names)), "value": brief(item.current_value)}


def brief(value: Any) -> Any:
    """A value as it is, unless it is a text that would fill a model's context."""
    long = isinstance(value, str) and len(value) > TEXT_MAX
    return f"{value[:TEXT_MAX]}… ({len(value)} characters)" if long else value
