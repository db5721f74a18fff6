"""What becomes of messages: values, times, signs of life, events, drafts."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.telemetry.service import origin, unwrapped
from neomind_sdk import MetricsStored, NotFound, Point, StorageBusy, Uplink, ValidationFailed
from neomind_sdk.units import DAY_MS


async def submit(world: Any, payload: Any, **more: Any) -> Any:
    return (await world.ingest.submit([world.uplink(payload, **more)]))[0]


async def test_values_of_the_type_and_the_whole_message_are_stored(world: Any) -> None:
    world.directory.add("boiler", "temperature", "pressure.bar", "missing")
    receipt = await submit(world, {"temperature": 21.5, "pressure": {"bar": 2}, "extra": "x", "missing": None})
    stored = await world.stored()
    raw = json.loads(stored.pop("_raw")[0])
    assert stored == {"temperature": [21.5], "pressure.bar": [2]}
    assert raw == {"temperature": 21.5, "pressure": {"bar": 2}, "extra": "x", "missing": None}
    assert (receipt.stored, receipt.draft) == (3, False)


async def test_a_message_without_a_metric_leaves_its_latest_value(world: Any) -> None:
    world.directory.add("boiler", "temperature", "humidity")
    await submit(world, {"temperature": 1, "humidity": 2})
    await submit(world, {"humidity": 3})
    newest = await world.store.latest_of("device:boiler")
    assert (newest["temperature"].value, newest["humidity"].value) == (1, 3)


async def test_raw_can_be_switched_off(world: Any) -> None:
    world.directory.add("boiler", "t", store_raw=False)
    assert (await submit(world, {"t": 1, "other": 2})).stored == 1
    assert await world.stored() == {"t": [1]}


async def test_without_a_type_every_leaf_is_stored(world: Any) -> None:
    del world.directory.by_type[world.directory.add("boiler").device_type]
    await submit(world, {"a": {"b": 1}, "tags": ["x"], "none": None})
    assert await world.stored() == {"a.b": [1], "tags": ['["x"]'], "_raw": ['{"a":{"b":1},"tags":["x"],"none":null}']}


@pytest.mark.parametrize(
    ("payload", "values"),
    [
        (25.5, {"t": [25.5], "_raw": ["25.5"]}),
        (False, {"t": [False], "_raw": ["false"]}),
        ("warm", {"t": ["warm"], "_raw": ['"warm"']}),
        (b"\x00\xff", {"t": ["AP8="], "_raw": ['"AP8="']}),
        (None, {"_raw": ["null"]}),
        ([1, 2], {"_raw": ["[1,2]"]}),
        ({"data": {"t": 1}}, {"t": [1], "_raw": ['{"t":1}']}),
        ({"data": {"t": 1}, "more": 2}, {"_raw": ['{"data":{"t":1},"more":2}']}),
        ({"data": 5}, {"_raw": ['{"data":5}']}),
    ],
)
async def test_other_payloads(world: Any, payload: Any, values: dict[str, list[Any]]) -> None:
    world.directory.add("boiler", "t")
    await submit(world, payload)
    assert await world.stored() == values


async def test_a_scalar_of_a_type_with_several_metrics_is_its_value(world: Any) -> None:
    world.directory.add("boiler", "a", "b")
    await submit(world, 7)
    assert await world.stored() == {"value": [7], "_raw": ["7"]}


async def test_time_and_quality_are_the_devices(world: Any) -> None:
    world.directory.add("boiler", "t")
    await submit(world, {"t": 1}, ts_ms=123_456, quality=0.5)
    await submit(world, {"t": 2})
    samples = await world.store.range("device:boiler:t", 0, world.clock.ms, limit=9, newest_first=False)
    assert [tuple(sample) for sample in samples] == [(123_456, 1, 0.5), (world.clock.ms, 2, None)]
    assert (await world.store.latest(["device:boiler:_raw"]))["device:boiler:_raw"].ts_ms == world.clock.ms


@pytest.mark.parametrize("ahead", [-(10**13), DAY_MS + 1])
async def test_times_that_cannot_be_are_refused_before_anything_is_stored(world: Any, ahead: int) -> None:
    world.directory.add("boiler", "t")
    bad = world.uplink({"t": 2}, ts_ms=world.clock.ms + ahead)
    with pytest.raises(ValidationFailed, match="timestamp"):
        await world.ingest.submit([world.uplink({"t": 1}), bad])
    assert await world.stored() == {}
    assert (world.directory.heard, world.bus.events) == ([], [])


async def test_one_append_and_one_event_for_a_whole_call(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.directory.add("boiler", "t", store_raw=False)
    world.directory.add("pump", "t", store_raw=False)
    calls = []
    append = world.store.append
    monkeypatch.setattr(world.store, "append", lambda points: (calls.append(list(points)), append(points))[1])
    uplinks = [world.uplink({"t": 1}), world.uplink({"t": 2}, "pump"), world.uplink({"t": 3})]
    receipts = await world.ingest.submit(uplinks)
    expected = [Point(f"device:{name}:t", world.clock.ms, n) for n, name in enumerate(("boiler", "pump", "boiler"), 1)]
    assert calls == [expected]
    assert world.bus.events == [MetricsStored(points=expected, source="adapter:test")]
    assert [(receipt.device_id, receipt.stored) for receipt in receipts] == [("boiler", 1), ("pump", 1), ("boiler", 1)]


async def test_the_event_names_transport_and_device(world: Any) -> None:
    world.directory.add("boiler", "t")
    await submit(world, {"t": 1}, transport="webhook")
    assert world.bus.events[0].source == "adapter:webhook:boiler"
    assert not world.bus.events[0].virtual


async def test_nothing_is_told_when_nothing_is_stored(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(points: Any) -> None:
        raise StorageBusy("full")

    world.directory.add("boiler", "t")
    monkeypatch.setattr(world.store, "append", refuse)
    with pytest.raises(StorageBusy):
        await submit(world, {"t": 1})
    assert (world.directory.heard, world.bus.events) == ([], [])


@pytest.mark.parametrize("way", ["submit", "write"])
async def test_what_is_stored_is_told_though_the_caller_went_away(
    world: Any, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A broker that is replaced, or a deadline: nobody sends it again, and a rule may have waited for it."""
    append, stored = world.store.append, asyncio.Event()

    async def slow(points: Any) -> None:
        await append(points)
        stored.set()
        await asyncio.Event().wait()

    world.directory.add("boiler", "t")
    monkeypatch.setattr(world.store, "append", slow)
    work = {
        "submit": lambda: world.ingest.submit([world.uplink({"t": 99})]),
        "write": lambda: world.ingest.write([Point("device:boiler:t", 1, 99)], source="api"),
    }[way]()
    task = asyncio.create_task(work)
    await stored.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [event] = world.bus.events
    assert "device:boiler:t" in [point.series for point in event.points]
    assert [device_id for device_id, _ in world.directory.heard] == ["boiler"]


async def test_heartbeats_are_signs_of_life_only(world: Any) -> None:
    world.directory.add("boiler", "t")
    assert (await submit(world, None, heartbeat=True)).stored == 0
    assert await world.stored() == {}
    assert world.directory.heard == [("boiler", world.clock.ms)]
    assert world.bus.events == []


async def test_retained_messages_are_stored_but_no_sign_of_life(world: Any) -> None:
    world.directory.add("boiler", "t", store_raw=False)
    await submit(world, {"t": 1}, retained=True)
    assert await world.stored() == {"t": [1]}
    assert world.directory.heard == []


async def test_a_sign_of_life_is_of_the_time_of_receipt(world: Any) -> None:
    world.directory.add("boiler", "t")
    await submit(world, {"t": 1}, ts_ms=5)
    assert world.directory.heard == [("boiler", world.clock.ms)]


async def test_unknown_devices_are_refused_where_nobody_keeps_drafts(world: Any) -> None:
    world.directory.add("boiler", "t")
    with pytest.raises(NotFound, match="Device with id 'nobody' not found"):
        await world.ingest.submit([world.uplink({"t": 1}), world.uplink({"t": 1}, "nobody")])
    assert await world.stored() == {}


async def test_unknown_devices_feed_the_draft(world: Any, world_inbox: Any) -> None:
    world.directory.add("boiler", "t", store_raw=False)
    stranger = world.uplink({"data": {"x": 1}}, "nobody", ts_ms=9, transport="webhook", client="192.0.2.1")
    receipts = await world.ingest.submit([stranger, world.uplink({"t": 1})])
    assert [(receipt.device_id, receipt.stored, receipt.draft) for receipt in receipts] == [
        ("nobody", 0, True),
        ("boiler", 1, False),
    ]
    sample = world_inbox.samples[0]
    assert (sample.device_id, sample.source, sample.payload, sample.ts_ms) == ("nobody", "webhook", {"x": 1}, 9)
    assert (sample.received_ms, sample.client) == (world.clock.ms, "192.0.2.1")
    assert world.directory.heard == [("boiler", world.clock.ms)]
    assert await world.stored("nobody") == {}


async def test_a_draft_gets_bytes_as_they_came(world: Any, world_inbox: Any) -> None:
    await submit(world, b"\xff", device_id="nobody")
    assert world_inbox.samples[0].payload == b"\xff"


async def test_a_refused_sample_is_no_draft_and_harms_nobody(world: Any, world_inbox: Any) -> None:
    world.directory.add("boiler", "t", store_raw=False)
    world_inbox.open = False
    receipts = await world.ingest.submit([world.uplink({"x": 1}, "nobody"), world.uplink({"t": 1})])
    assert [(receipt.stored, receipt.draft) for receipt in receipts] == [(0, False), (1, False)]


async def test_heartbeats_of_unknown_devices_are_no_samples(world: Any, world_inbox: Any) -> None:
    receipt = await submit(world, None, device_id="nobody", heartbeat=True)
    assert (receipt.stored, receipt.draft, world_inbox.samples) == (0, False, [])


async def test_written_points_are_stored_told_and_signs_of_life(world: Any) -> None:
    world.directory.add("boiler", "t")
    point = Point("device:boiler:t", 5, 1.5, 0.9)
    await world.ingest.write([point], source="api", cause="rule:r1", hops=2)
    assert await world.stored() == {"t": [1.5]}
    assert world.directory.heard == [("boiler", world.clock.ms)]
    assert world.bus.events == [MetricsStored(points=[point], source="api", cause="rule:r1", hops=2)]


async def test_calculated_points_are_no_signs_of_life_and_have_their_own_event(world: Any) -> None:
    world.directory.add("boiler", "t")
    measured = Point("extension:weather:forecast.t", 5, 1)
    calculated = [Point("device:boiler:virtual.mean", 5, 2), Point("transform:mean:t", 5, 3)]
    await world.ingest.write([calculated[0], measured, calculated[1]], source="extension:weather")
    assert world.directory.heard == []
    assert [(event.virtual, event.points) for event in world.bus.events] == [(False, [measured]), (True, calculated)]


async def test_writing_nothing_tells_nothing(world: Any) -> None:
    await world.ingest.write([], source="api")
    assert world.bus.events == []


async def test_a_series_needs_three_parts(world: Any) -> None:
    with pytest.raises(ValueError, match="<type>:<id>:<metric>"):
        await world.ingest.write([Point("device:boiler:t", 5, 1), Point("temperature", 5, 1)], source="api")
    assert await world.stored() == {}


async def test_points_of_devices_that_are_gone_are_stored(world: Any) -> None:
    await world.ingest.write([Point("device:gone:t", 5, 1)], source="api")
    assert (await world.stored("gone"), world.directory.heard) == ({"t": [1]}, [])


@given(st.dictionaries(st.text(max_size=3), st.integers(), max_size=3))
def test_an_object_that_is_all_of_a_message_is_taken_out_once(inner: dict[str, int]) -> None:
    assert unwrapped({"data": inner}) == inner
    assert unwrapped({"data": {"data": inner}}) == {"data": inner}


def test_the_origin_of_several_devices_is_their_transport() -> None:
    uplinks = [Uplink(device_id=name, payload=1, received_ms=1, transport="mqtt") for name in "aab"]
    assert (origin(uplinks), origin(uplinks[:2])) == ("adapter:mqtt", "adapter:mqtt:a")
