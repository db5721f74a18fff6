"""The spellings of data sources."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.dashboards import sources
from neomind_plugins.dashboards.records import Dashboard
from neomind_plugins.dashboards.shown import shown
from neomind_sdk.testing.strategies import TEXT, ids, json_values, metric_names

LEGACY: list[tuple[dict[str, Any], str]] = [
    ({"type": "device", "sourceId": "d", "property": "p"}, "device:d:p"),
    ({"type": "device", "deviceId": "d", "property": "p"}, "device:d:p"),
    ({"type": "metric", "sourceId": "d", "metricId": "m"}, "device:d:m"),
    ({"type": "telemetry", "sourceId": "d", "metricId": "m"}, "device:d:m"),
    ({"type": "telemetry", "sourceId": "transform:t", "metricId": "m"}, "transform:t:m"),
    ({"type": "telemetry", "sourceId": "extension:e", "metricId": "m:n"}, "extension:e:m:n"),
    ({"type": "device-info", "sourceId": "d", "infoProperty": "status"}, "device-info:d:status"),
    ({"type": "command", "sourceId": "d", "command": "c"}, "command:d:c"),
    ({"type": "extension", "extensionId": "e", "extensionMetric": "m"}, "extension:e:m"),
    ({"type": "extension-metric", "extensionId": "e", "extensionMetric": "m"}, "extension:e:m"),
    ({"type": "extension-command", "extensionId": "e", "extensionCommand": "c"}, "extension-command:e:c"),
    ({"type": "transform", "transformId": "t", "metricId": "p.m"}, "transform:t:p.m"),
    ({"type": "transform", "sourceId": "transform:t", "metricId": "m"}, "transform:t:m"),
    ({"type": "agent", "agentId": "a"}, "agent:a"),
    ({"type": "system", "systemMetric": "uptime"}, "system:uptime"),
]
QUARTET: list[tuple[dict[str, Any], str]] = [
    ({"source": "device", "id": "d", "field": "f", "mode": "latest"}, "device:d:f"),
    ({"source": "device", "id": "d", "field": "f", "mode": "timeseries"}, "device:d:f"),
    ({"source": "device", "id": "d", "field": "name", "mode": "info"}, "device-info:d:name"),
    ({"source": "device", "id": "d", "field": "c", "mode": "command"}, "command:d:c"),
    ({"source": "device", "id": "d", "field": "name", "type": "device-info"}, "device-info:d:name"),
    ({"source": "extension", "id": "e", "field": "f", "mode": "latest"}, "extension:e:f"),
    ({"source": "extension", "id": "e", "field": "c", "mode": "command"}, "extension-command:e:c"),
    ({"source": "transform", "id": "transform:t", "field": "f", "mode": "timeseries"}, "transform:t:f"),
    ({"source": "ai", "id": "a", "mode": "latest"}, "agent:a"),
    ({"source": "system", "field": "memory_percent", "mode": "latest"}, "system:memory_percent"),
]
NOTHING: list[Any] = [
    None,
    "device:d:p",
    7,
    {},
    {"type": "static", "staticValue": 7},
    {"type": "device", "sourceId": "d"},
    {"type": "device", "property": "p"},
    {"type": "device", "sourceId": 7, "property": "p"},
    {"type": "device", "sourceId": ["d"], "property": "p"},
    {"type": "device-info", "sourceId": "d", "infoProperty": "connection_config"},
    {"type": "system", "systemMetric": "hostname"},
    {"type": ["device"], "sourceId": "d", "property": "p"},
    {"source": "device", "id": "d", "field": "f", "mode": "list"},
    {"source": "device", "id": "d", "mode": "latest"},
    {"source": "settings", "id": "d", "field": "f"},
    {"source": "transform", "id": "t", "field": "f", "mode": "command"},
    {"type": "agent"},
    {"type": "device", "sourceId": "d\x00", "property": "p"},
]


def ids_of(value: Any) -> list[str]:
    return [source.id for source in sources.of_component({"data_source": value})]


@pytest.mark.parametrize(("value", "expected"), [*LEGACY, *QUARTET])
def test_every_spelling(value: Any, expected: str) -> None:
    assert ids_of(value) == [expected]


@pytest.mark.parametrize("value", NOTHING)
def test_what_names_nothing_that_can_be_shown(value: Any) -> None:
    assert ids_of(value) == []


def test_arrays_and_what_is_nested() -> None:
    one, two, three, four = (dict(value) for value, _ in LEGACY[:1] * 4)
    two["property"], three["property"], four["property"] = "q", "r", "s"
    component = {
        "data_source": [one, [two], {"sources": [three]}],
        "config": {"bindings": [{"icon": "pin", "dataSource": four}], "text": {"deep": [{"data_source": [one]}]}},
    }
    found = sources.of_component(component)
    assert [source.id for source in found] == ["device:d:p", "device:d:q", "device:d:r", "device:d:s"]


def test_configuration_by_itself_shows_nothing() -> None:
    """Only members that are called data sources count."""
    assert (
        sources.of_component({"config": LEGACY[0][0], "display": {"x": [LEGACY[1][0]]}, "actions": LEGACY[2][0]}) == []
    )


def test_the_four_members_win() -> None:
    value = {"type": "device", "sourceId": "old", "property": "p", "source": "device", "id": "new", "field": "f"}
    assert ids_of(value) == ["device:new:f"]
    assert ids_of({**value, "id": ""}) == ["device:old:p"]


def test_what_comes_along() -> None:
    [source] = sources.of_component(
        {
            "data_source": {
                "type": "telemetry",
                "sourceId": "d",
                "metricId": "m",
                "timeRange": 6,
                "aggregateExt": "avg",
                "aggregate": "max",
                "limit": 1e9,
                "timeWindow": {"type": "today"},
            }
        }
    )
    assert (source.hours, source.aggregate, source.limit, source.window) == (6, "avg", 5000, {"type": "today"})
    assert source.has_history


@given(
    device=ids(), metric=metric_names(), quartet=st.booleans(), more=st.dictionaries(TEXT, json_values(5), max_size=4)
)
def test_a_series_is_exactly_the_one_that_is_named(device: str, metric: str, quartet: bool, more: Any) -> None:
    names = {"source": "device", "id": device, "field": metric, "mode": "latest"}
    value = names if quartet else {"type": "telemetry", "sourceId": f"device:{device}", "metricId": metric}
    unrelated = {name: item for name, item in more.items() if name not in (*sources.NESTED, *value, "mode", "source")}
    assert ids_of({**unrelated, **value}) == [f"device:{device}:{metric}"]


@given(value=json_values(30))
def test_anything_may_stand_there(value: Any) -> None:
    """Nothing raises, and every id that comes out was written in."""
    dashboard = Dashboard(
        id="d",
        name="n",
        layout={},
        components=[{"id": "c", "data_source": value, "config": {"dataSource": value}}],
        created_ms=0,
        updated_ms=0,
    )
    written = set(texts(value))
    for source in shown(dashboard).by_id.values():
        assert source.field in {*written, ""}


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in inner for text in texts(item)]


SPELLINGS = st.sampled_from([value for value, _ in [*LEGACY, *QUARTET]])


@given(values=st.lists(SPELLINGS, max_size=6), depth=st.integers(0, 3))
def test_nesting_changes_nothing(values: list[Any], depth: int) -> None:
    nested: Any = values
    for _ in range(depth):
        nested = [{"dataSource": nested}]
    assert ids_of(nested) == ids_of(values)
