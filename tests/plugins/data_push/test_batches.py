"""Batches: by size, by time, by interval; flat and nested; and nothing of a buffer is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from neomind_plugins.scheduler import plugin as scheduler
from neomind_sdk import Point, Scheduling
from neomind_sdk.testing import needs
from neomind_sdk.testing.sink import Sink

from .conftest import API, Push, data, pushing

FIVE = {"batch_size": 5, "batch_interval_ms": 2000, "format": "flat"}
EVERY_MINUTE = {"type": "interval", "interval_secs": 60}


def values_of(body: Any) -> list[Any]:
    return [item["value"] for item in body["items"]]


async def test_a_batch_that_is_full_leaves_at_once(push: Push) -> None:
    await push.create(batch_config=FIVE)
    await push.store(*range(12))
    bodies = await push.arrived(2)
    assert [values_of(body) for body in bodies] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert bodies[0] | {"items": bodies[0]["items"][:1]} == {
        "batch": True,
        "count": 5,
        "items": [{"source_id": "device:boiler:temperature", "value": 0, "timestamp": 1_700_000_000}],
    }


async def test_the_rest_leaves_after_its_time(push: Push) -> None:
    ident = await push.create(batch_config=FIVE)
    await push.store(1, 2)
    await push.clock.advance(1.9)
    assert (await push.logs(ident))["total"] == 0
    bodies = await push.arrived(1)
    assert values_of(bodies[0]) == [1, 2]
    row = (await push.ended(ident))[0]
    assert row["data_source_id"] == "device:boiler:temperature"


async def test_nested(push: Push) -> None:
    await push.create(batch_config={**FIVE, "format": "nested"}, template="{{ value }}")
    now = push.clock.now_ms()
    rows = {"device:a:t": 1, "device:b:climate.in.t": 2, "device:b:climate.in.h": 3, "extension:x:cmd.out": 4}
    points = [Point(name, now, value) for name, value in rows.items()]
    await push.points(*points, Point("device:c:raw", now + 1500, "x"))
    await push.create(name="unused", enabled=False)
    [body] = await push.arrived(1)
    assert body == {
        "batch": True,
        "format": "nested",
        "count": 4,
        "timestamp": 1_700_000_001.5,
        "items": [
            {"source_type": "device", "id": "a", "data": {"t": 1}},
            {"source_type": "device", "id": "b", "data": {"climate": {"in": {"t": 2, "h": 3}}}},
            {"source_type": "device", "id": "c", "data": {"raw": "x"}},
        ],
    }


async def test_a_later_value_is_in_the_place_of_an_earlier(push: Push) -> None:
    await push.create(batch_config={**FIVE, "format": "nested"})
    now = push.clock.now_ms()
    await push.points(*(Point(f"device:a:{name}", now, n) for n, name in enumerate(("t", "t.x", "t.x.y", "u", "u"))))
    [body] = await push.arrived(1)
    assert body["items"][0]["data"] == {"t": {"x": {"y": 2}}, "u": 4}


async def test_batches_leave_the_raw_message_out(push: Push) -> None:
    await push.create(batch_config=FIVE, data_filter={"source_patterns": []})
    now = push.clock.now_ms()
    await push.points(Point("device:a:_raw", now, "{}"), Point("device:a:t", now, 1))
    [body] = await push.arrived(1)
    assert [item["source_id"] for item in body["items"]] == ["device:a:t"]


async def test_items_of_a_flat_batch_are_templates_where_they_are_json(push: Push) -> None:
    template = "{% if value is number %}{{ {'v': value * 2}|json }}{% else %}no JSON{% endif %}"
    await push.create(batch_config={**FIVE, "batch_size": 3}, template=template)
    await push.store(1, "x", {"a": 1})
    [body] = await push.arrived(1)
    assert body["items"][0] == {"v": 2}
    assert [item["value"] for item in body["items"][1:]] == ["x", {"a": 1}]


async def test_a_batch_that_is_too_large_is_several(push: Push) -> None:
    await push.create(batch_config={**FIVE, "batch_size": 4})
    await push.store("a" * 100_000, "b" * 100_000, "c" * 100_000, "d" * 100_000)
    bodies = await push.arrived(2)
    assert [[value[0] for value in values_of(body)] for body in bodies] == [["a", "b"], ["c", "d"]]


async def test_a_value_that_is_too_large_is_a_failure_in_the_log(push: Push) -> None:
    ident = await push.create()
    await push.store("x" * 300_000, 2)
    rows = await push.ended(ident, 2)
    assert [row["status"] for row in rows] == ["success", "failed"]
    assert "bytes" in rows[1]["error"]


# ---- intervals ----


@needs("scheduler")
async def test_an_interval_sends_all_that_came_as_one(tmp_path: Path, sink: Sink) -> None:
    async with pushing(tmp_path, scheduler, sink=sink) as push:
        ident = await push.create(schedule=EVERY_MINUTE)
        await push.store(1, 2)
        await push.store(3, series="device:other:t")
        await push.clock.advance(58)
        assert (await push.logs(ident))["total"] == 0
        assert values_of((await push.arrived(1))[0]) == [1, 2, 3]
        await push.clock.advance(130)
        await push.quiet()
        assert len(sink.requests) == 1
        await push.store(4)
        assert values_of((await push.arrived(2))[1]) == [4]


async def test_without_a_scheduler_an_interval_says_so(tmp_path: Path, sink: Sink) -> None:
    async with pushing(tmp_path, sink=sink) as push:
        assert push.host.services.find(Scheduling) is None
        ident = await push.create(schedule=EVERY_MINUTE)
        shown = await push.show(ident)
        assert (shown["available"], shown["reason"]) == (False, "the plugin scheduler does not run")
        await push.store(1)
    async with pushing(tmp_path, scheduler, sink=sink) as push:
        assert (await push.show(ident))["reason"] is None
        await push.clock.advance(61)
        assert values_of((await push.arrived(1))[0]) == [1]


@needs("scheduler")
async def test_an_interval_can_be_changed_and_stopped(tmp_path: Path, sink: Sink) -> None:
    async with pushing(tmp_path, scheduler, sink=sink) as push:
        ident = await push.create(schedule={"type": "interval", "interval_secs": 3600})
        await push.store(1)
        await push.put(ident, schedule={"type": "interval", "interval_secs": 5})
        assert values_of((await push.arrived(1))[0]) == [1]
        await push.store(2)
        await push.clock.advance(6)
        assert values_of((await push.arrived(2))[1]) == [2]
        await push.store(3)
        await push.call(ident, "stop")
        await push.clock.advance(60)
        await push.quiet()
        assert len(sink.requests) == 2
        await push.call(ident, "start")
        assert values_of((await push.arrived(3))[2]) == [3]


async def test_a_buffer_that_is_full_does_not_wait_for_its_time(tmp_path: Path, sink: Sink) -> None:
    async with pushing(tmp_path, sink=sink, settings={"data_push": {"buffer_max": 3}}) as push:
        await push.create(schedule=EVERY_MINUTE)
        await push.store(1, 2, 3)
        assert values_of((await push.arrived(1))[0]) == [1, 2, 3]


# ---- what is in a buffer when something happens ----


@pytest.mark.parametrize("change", [{"name": "Other"}, {"batch_config": {"batch_size": 2}}, {"enabled": False}])
async def test_a_change_sends_the_buffer_as_it_was(push: Push, change: Any) -> None:
    ident = await push.create(batch_config=FIVE)
    await push.store(1, 2, 3)
    await push.put(ident, **change)
    assert (await push.logs(ident))["total"] == 1
    if change == {"enabled": False}:
        await push.call(ident, "start")
    assert values_of((await push.arrived(1))[0]) == [1, 2, 3]


async def test_a_deleted_target_takes_its_buffer_along(push: Push) -> None:
    ident = await push.create(batch_config=FIVE)
    await push.store(1)
    data(await push.api.delete(f"{API}/{ident}"))
    await push.quiet()
    assert push.sink is not None
    assert push.sink.requests == []
