"""Reading back, against a model of what was stored."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neomind_plugins.telemetry.models import HistoryQuery, TelemetryQuery
from neomind_sdk import BadRequest, MetricDef, NotFound, Point
from neomind_sdk.testing.memory import MemoryStorage

START_S = 1_699_990_000
START_MS = START_S * 1000


async def fill(world: Any, metric: str, *samples: tuple[int, Any], device_id: str = "boiler") -> None:
    points = [Point(f"device:{device_id}:{metric}", START_MS + offset, value) for offset, value in samples]
    await world.store.append(points)


async def read(world: Any, **query: Any) -> Any:
    """As it is answered: rows that are JSON already are read."""
    return orjson.loads(orjson.dumps(await world.history.of_device("boiler", HistoryQuery(**query))))


async def test_newest_first_with_whole_and_broken_seconds(world: Any) -> None:
    world.directory.add("boiler", "t")
    await fill(world, "t", (0, 1), (250, 2.5), (1000, "x"))
    answer = await read(world, metric="t")
    assert answer == {
        "device_id": "boiler",
        "metrics": ["t"],
        "data": {
            "t": [
                {"timestamp": START_S + 1, "value": "x"},
                {"timestamp": START_S + 0.25, "value": 2.5},
                {"timestamp": START_S, "value": 1},
            ]
        },
        "start": 1_700_000_000 - 86_400,
        "end": 1_700_000_000,
        "aggregated": False,
        "pagination": {"offset": 0, "limit": 100, "total": 3, "next_cursor": None},
    }
    assert isinstance(answer["data"]["t"][0]["timestamp"], int)


async def test_an_unknown_device_is_not_found(world: Any) -> None:
    with pytest.raises(NotFound, match="Device with id 'boiler' not found"):
        await read(world)
    with pytest.raises(NotFound):
        await world.history.summary("boiler", 24)


async def test_an_unknown_metric_is_empty(world: Any) -> None:
    world.directory.add("boiler", "t")
    answer = await read(world, metric="nothing")
    assert (answer["data"], answer["pagination"]["total"]) == ({"nothing": []}, 0)


async def test_all_metrics_are_those_of_the_type_and_stored_ones_without_raw(world: Any) -> None:
    world.directory.add("boiler", "t", "never")
    await fill(world, "t", (0, 1))
    await fill(world, "extra", (0, 2), (1, 3))
    await fill(world, "_raw", (0, "{}"))
    answer = await read(world)
    assert answer["metrics"] == ["t", "never", "extra"]
    assert [len(rows) for rows in answer["data"].values()] == [1, 0, 2]
    assert answer["pagination"]["total"] == 2


async def test_more_than_fifty_metrics_must_be_named(world: Any) -> None:
    world.directory.add("boiler", *(f"m{n}" for n in range(51)))
    with pytest.raises(BadRequest, match="51 metrics"):
        await read(world)
    assert (await read(world, metric="m0"))["metrics"] == ["m0"]


async def test_only_raw_is_answered_as_the_json_it_is(world: Any) -> None:
    world.directory.add("boiler", "t")
    await fill(world, "_raw", (0, '{"a":[1]}'), (1, "no json"), (2, 5))
    await fill(world, "t", (0, "123"))
    assert [row["value"] for row in (await read(world, metric="_raw"))["data"]["_raw"]] == [5, "no json", {"a": [1]}]
    assert (await read(world, metric="t"))["data"]["t"][0]["value"] == "123"


async def test_a_full_page_counts_and_a_short_one_does_not(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.directory.add("boiler", "t")
    await fill(world, "t", *((n, n) for n in range(10)))
    counted = []
    count = world.store.count
    monkeypatch.setattr(world.store, "count", lambda *args: (counted.append(args), count(*args))[1])
    assert (await read(world, limit=10))["pagination"]["total"] == 10
    assert (await read(world, limit=10, offset=4))["pagination"]["total"] == 10
    assert counted == []
    assert (await read(world, limit=9))["pagination"]["total"] == 10
    assert (await read(world, limit=9, offset=10))["pagination"]["total"] == 10
    assert len(counted) == 2


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    offsets=st.lists(st.integers(0, 4), max_size=12),
    limit=st.integers(1, 5),
    bounds=st.tuples(st.integers(0, 4), st.integers(0, 4)).map(sorted),
)
def test_pages_by_offset_and_by_cursor_are_the_model(
    world: Any, offsets: list[int], limit: int, bounds: list[int]
) -> None:
    samples = [(offset, number) for number, offset in enumerate(offsets)]
    inside = [sample for sample in samples if bounds[0] <= sample[0] <= bounds[1]]
    model = [value for _, value in sorted(inside, reverse=True)]
    query: dict[str, Any] = {
        "start": str(START_S + bounds[0] / 1000),
        "end": str(START_S + bounds[1] / 1000) if bounds[1] else str(START_S),
        "metric": "t",
        "limit": limit,
    }
    if not bounds[1]:  # a whole second as end includes that second
        model = [value for _, value in sorted([s for s in samples if bounds[0] <= s[0]], reverse=True)]

    async def check() -> None:
        world.storage._database.close()
        world.storage = MemoryStorage()
        world.directory.add("boiler", "t")
        await fill(world, "t", *samples)
        assert await by_offset() == model
        assert await by_cursor() == model

    async def by_offset() -> list[int]:
        found: list[int] = []
        while True:
            answer = await read(world, **query, offset=len(found))
            assert answer["pagination"]["total"] == len(model)
            rows = answer["data"]["t"]
            found += [row["value"] for row in rows]
            if not rows:
                return found

    async def by_cursor() -> list[int]:
        found: list[int] = []
        cursor: dict[str, str] = {}
        while True:
            answer = await read(world, **query, **cursor)
            assert answer["pagination"]["total"] == len(model)
            found += [row["value"] for row in answer["data"]["t"]]
            following = answer["pagination"]["next_cursor"]
            if following is None:
                return found
            cursor = {"cursor": str(following)}

    asyncio.run(check())


async def test_the_cursor_of_several_metrics_skips_no_point_of_any(world: Any) -> None:
    world.directory.add("boiler", "dense", "sparse")
    await fill(world, "dense", *((n, n) for n in range(10)))
    await fill(world, "sparse", (0, 0), (9, 9))
    answer = await read(world, limit=4)
    assert answer["pagination"]["next_cursor"] == START_S + 0.006
    assert answer["pagination"]["total"] == 10


@pytest.mark.parametrize(
    ("key", "value"), [("avg", 2.5), ("min", 1), ("max", 4), ("sum", 5), ("count", 3), ("last", "x")]
)
async def test_aggregates_select_the_value(world: Any, key: str, value: Any) -> None:
    world.directory.add("boiler", "t")
    await fill(world, "t", (0, 1), (1, 4), (2, "x"))
    answer = await read(world, aggregate=key, start=str(START_S - 10))
    point = {"timestamp": START_S - 10, "value": value, "count": 3, "min": 1, "max": 4, "sum": 5}
    assert (answer["data"]["t"], answer["aggregated"]) == ([point], True)


async def test_aggregates_of_text_are_null_and_of_nothing_absent(world: Any) -> None:
    world.directory.add("boiler", "t", "none")
    await fill(world, "t", (0, "x"))
    data = (await read(world, aggregate="avg"))["data"]
    assert [(row["value"], row["min"], row["count"]) for row in data["t"]] == [(None, None, 1)]
    assert data["none"] == []


async def test_buckets_hold_their_newest_value_ascending(world: Any) -> None:
    world.directory.add("boiler", "t")
    await fill(world, "t", *((n * 10_000, n) for n in range(12)))
    window = {"start": str(START_S), "end": str(START_S + 119)}
    answer = await read(world, **window, bucketed=True, limit=5)
    assert [(row["timestamp"] - START_S, row["value"]) for row in answer["data"]["t"]] == [
        (10, 1),
        (40, 4),
        (70, 7),
        (100, 10),
        (110, 11),
    ]
    averages = await read(world, **window, bucketed=True, limit=2, aggregate="avg")
    assert [row["value"] for row in averages["data"]["t"]] == [3.5, 9.5]


async def test_a_source_is_ascending_with_quality(world: Any) -> None:
    world.directory.add("boiler", "t")
    await world.store.append([Point("device:boiler:t", START_MS + n, n, n / 10) for n in range(5)])
    answer = await world.history.of_source(TelemetryQuery(source="boiler", metric="t", limit=2))
    assert answer == {
        "source_id": "device:boiler:t",
        "source": "device:boiler",
        "metric": "t",
        "start": 1_700_000_000 - 86_400,
        "end": 1_700_000_000,
        "count": 2,
        "total_count": 5,
        "data": [
            {"timestamp": START_S + 0.003, "value": 3, "quality": 0.3},
            {"timestamp": START_S + 0.004, "value": 4, "quality": 0.4},
        ],
    }


async def test_a_source_can_be_aggregated_and_bucketed(world: Any) -> None:
    await world.store.append([Point("extension:weather:now.t", START_MS + n, n) for n in range(5)])
    query: dict[str, Any] = {"source": "extension:weather", "metric": "now.t"}
    answer = await world.history.of_source(TelemetryQuery(**query, aggregate="sum"))
    assert (answer["aggregation"], answer["value"], answer["count"]) == ("sum", 10, 5)
    assert "data" not in answer
    answer = await world.history.of_source(TelemetryQuery(**query, bucketed=True))
    assert ([row["value"] for row in answer["data"]], answer["total_count"]) == ([4], None)
    answer = await world.history.of_source(TelemetryQuery(source="gone", metric="t", aggregate="avg"))
    assert (answer["value"], answer["count"]) == (None, 0)


@pytest.mark.parametrize("source", ["meter:1", "device:", ":x", "aa:bb"])
async def test_sources_that_are_none(world: Any, source: str) -> None:
    with pytest.raises(BadRequest, match="is no source"):
        await world.history.of_source(TelemetryQuery(source=source, metric="t"))


async def test_a_bare_id_is_a_devices(world: Any) -> None:
    answer = await world.history.of_source(TelemetryQuery(source="device", metric="t:x"))
    assert (answer["source_id"], answer["count"]) == ("device:device:t:x", 0)


async def test_the_summary_has_every_metric(world: Any) -> None:
    temperature = MetricDef(name="t", display_name="Temperature", data_type="float", unit="°C")
    world.directory.add("boiler", temperature, "never")
    await fill(world, "t", (-86_400_000, 100), (0, 1), (1, 4))
    await fill(world, "virtual.mean", (0, 2.5))
    answer = await world.history.summary("boiler", 24)
    entry = answer["summary"]["t"]
    assert (entry.display_name, entry.unit, entry.data_type, entry.is_virtual) == ("Temperature", "°C", "float", False)
    assert (entry.current, entry.current_timestamp) == (4, START_S + 0.001)
    assert (entry.avg, entry.min, entry.max, entry.count) == (2.5, 1, 4, 2)
    assert (answer["summary"]["never"].current, answer["summary"]["never"].count) == (None, 0)
    mean = answer["summary"]["virtual.mean"]
    assert (mean.display_name, mean.unit, mean.data_type, mean.is_virtual) == ("virtual.mean", "-", "float", True)
    assert answer["end"] - answer["start"] == 86_400
