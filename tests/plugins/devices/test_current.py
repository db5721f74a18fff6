"""The newest values of devices."""

from __future__ import annotations

from typing import Any

from neomind_plugins.devices import tables, views
from neomind_sdk import MetricDef, Point

from .conftest import NOW_MS, World, device, thermometer


async def test_declared_metrics_come_first_and_stored_ones_after(world: World, directory: Any) -> None:
    await directory.register_type(thermometer(metrics=(MetricDef(name="b", data_type="float"), MetricDef(name="a"))))
    await directory.register(device())
    await store(world, ("device:t1:z", 1), ("device:t1:b", 2.5), ("device:t1:virtual.c", 3), ("device:t1:_raw", "{}"))
    await store(world, ("device:t10:other", 4), ("device:t1:b", 2.75))
    metrics = await world.current.metrics("t1")
    assert list(metrics) == ["b", "a", "virtual.c", "z"]
    assert [(found.value, found.unit, found.data_type, found.is_virtual) for found in metrics.values()] == [
        (2.75, "", "float", False),
        (None, "", "string", False),
        (3, "-", "float", True),
        (1, "-", "string", False),
    ]
    assert metrics["b"].timestamp == (NOW_MS + 1) / 1000
    assert metrics["a"].timestamp is None
    assert metrics["a"].display_name == "a"


async def test_a_stored_value_that_is_false_is_a_value(world: World, directory: Any) -> None:
    await directory.register(device())
    await store(world, ("device:t1:temperature", 0))
    found = (await world.current.metrics("t1"))["temperature"]
    assert (found.value, found.timestamp) == (0, NOW_MS / 1000)


async def test_values_of_several_devices(world: World, directory: Any) -> None:
    await directory.register(device("t1"))
    await directory.register(device("t2"))
    await store(world, ("device:t1:temperature", 1), ("device:t1:_raw", "x"), ("device:gone:temperature", 2))
    values = await world.current.values(["t1", "t2", "gone", "t1"])
    assert {name: found.current_values for name, found in values.items()} == {
        "t1": {"temperature": 1},
        "t2": {},
        "gone": {},
    }


async def store(world: World, *pairs: tuple[str, Any]) -> None:
    now_ms = world.clock.ms
    world.clock.ms += 1
    await world.storage.telemetry.append([Point(series, now_ms, value) for series, value in pairs])


async def test_a_device_whose_type_is_gone_still_answers(world: World, directory: Any) -> None:
    await directory.register(device())
    await store(world, ("device:t1:temperature", 1))
    await world.storage.database.write(lambda: tables.delete_type("thermometer"))
    again = await world.restart()
    assert again.type_of("t1") is None
    assert again.effective_timeout("t1") == 300
    assert [found.unit for found in (await world.current.metrics("t1")).values()] == ["-"]
    shown = views.listed(again, again.get("t1"))
    assert (shown.device_type, shown.metric_count, shown.command_count) == ("thermometer", 0, 0)
    assert views.command_views(None) == []
