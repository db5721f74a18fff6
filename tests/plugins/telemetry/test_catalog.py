"""Data sources."""

from __future__ import annotations

from typing import Any

import pytest

from neomind_plugins.telemetry.models import SourcesQuery
from neomind_sdk import ExtensionCommand, MetricDef, OutputMetric, Point, ValidationFailed


@pytest.fixture
async def filled(world: Any) -> Any:
    world.directory.add("boiler", MetricDef(name="t", display_name="Heat", data_type="float", unit="°C"), "never")
    world.directory.add("annex", "t")

    async def run(args: Any, call: Any) -> None:
        raise AssertionError("listing runs nothing")

    command = ExtensionCommand(name="now", run=run, outputs=(OutputMetric(name="rain", unit="mm"),))
    world.platform.commands.append(("weather", command))
    names = ("device:boiler:t", "device:boiler:extra", "device:boiler:_raw", "device:annex:t", "device:gone:t")
    others = ("extension:weather:wind", "transform:mean:t:x")
    await world.store.append([Point(name, 5000 + n, n, 0.5) for n, name in enumerate((*names, *others))])
    return world


async def ids(world: Any, **query: Any) -> list[str]:
    return [item.id for item in (await world.catalog.sources(SourcesQuery(**query)))["data"]]


async def test_everything_declared_or_stored_is_listed(filled: Any) -> None:
    answer = await filled.catalog.sources(SourcesQuery())
    assert [item.id for item in answer["data"]] == [
        "device:annex:t",
        "device:boiler:t",
        "device:boiler:never",
        "device:boiler:extra",
        "extension:weather:rain",
        "extension:weather:wind",
        "transform:mean:t:x",
    ]
    assert answer["total"] == 7
    assert answer["source_options"] == [
        ["annex", "Annex"],
        ["boiler", "Boiler"],
        ["mean", "mean"],
        ["weather", "weather"],
    ]


async def test_an_entry_is_described_and_has_its_newest_value(filled: Any) -> None:
    answer = await filled.catalog.sources(SourcesQuery(search="HEAT"))
    (item,) = answer["data"]
    assert (item.source_type, item.source_name, item.source_display_name) == ("device", "boiler", "Boiler")
    assert (item.field, item.field_display_name, item.data_type, item.unit) == ("t", "Heat", "float", "°C")
    assert (item.current_value, item.last_update, item.quality) == (0, 5, 0.5)
    (item,) = (await filled.catalog.sources(SourcesQuery(search="rain")))["data"]
    assert (item.data_type, item.unit, item.current_value) == ("float", "mm", None)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"source_type": "transform"}, ["transform:mean:t:x"]),
        ({"source": "weather"}, ["extension:weather:rain", "extension:weather:wind"]),
        ({"source": "extension:weather", "search": " wind "}, ["extension:weather:wind"]),
        ({"source": "nobody"}, []),
        ({"offset": 1, "limit": 2}, ["device:boiler:t", "device:boiler:never"]),
        ({"offset": 99}, []),
    ],
)
async def test_filters_and_pages(filled: Any, query: dict[str, Any], expected: list[str]) -> None:
    assert await ids(filled, **query) == expected


async def test_long_pages_are_for_lists_without_values(filled: Any) -> None:
    with pytest.raises(ValidationFailed, match="limit: must be at most 100 unless skip_telemetry"):
        await ids(filled, limit=101)
    answer = await filled.catalog.sources(SourcesQuery(limit=5000, skip_telemetry=True))
    assert {item.current_value for item in answer["data"]} == {None}
    assert answer["total"] == 7
