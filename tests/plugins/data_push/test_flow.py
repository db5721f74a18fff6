"""What keeps values from running in circles, from being sent twice, and from filling the disk; what may be missing."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from neomind_plugins.data_push.engine import Engine
from neomind_plugins.transport_webhook import plugin as transport_webhook
from neomind_sdk import (
    Device,
    DeviceDirectory,
    DeviceType,
    ExtensionOutputProduced,
    ImageFiles,
    Lagged,
    MetricsStored,
    NotFound,
    Notice,
    Plugin,
    Point,
    Service,
    StorageBusy,
    hookimpl,
)
from neomind_sdk.testing import needs
from neomind_sdk.testing.sink import Sink

from .conftest import API, TEMPERATURE, Push, becomes, data, pushing

FIVE = {"batch_size": 5, "batch_interval_ms": 2000, "format": "flat"}


# ---- hops ----


async def test_the_way_is_counted(push: Push) -> None:
    await push.create()
    await push.store(1, hops=2, cause="rule:1")
    await push.arrived(1)
    assert push.sink is not None
    assert push.sink.requests[0].headers["x-neomind-hops"] == "3"


async def test_a_batch_has_come_as_far_as_the_farthest_of_it(push: Push) -> None:
    await push.create(batch_config=FIVE)
    await push.store(1, 2, hops=1)
    await push.store(3, hops=4)
    await push.arrived(1)
    assert push.sink is not None
    assert push.sink.requests[0].headers["x-neomind-hops"] == "5"


async def test_after_eight_hops_it_goes_no_further(push: Push, capsys: Any) -> None:
    await push.create()
    await push.store(7, hops=7)
    await push.store(8, 8, hops=8)
    await push.store(9, hops=9)
    await push.arrived(1)
    await push.quiet()
    assert push.sink is not None
    assert [request.json()["value"] for request in push.sink.requests] == [7]
    assert (await push.stats())["hop_limited"] == 3
    assert capsys.readouterr().out.count("push_stopped_by_hops") == 1


# ---- extensions ----


async def announce(push: Push, value: Any) -> None:
    push.host.bus.publish(ExtensionOutputProduced(extension_id="x", output_name="t", value=value))
    await push.host.settle()


async def test_an_output_that_is_stored_and_announced_is_sent_once(push: Push) -> None:
    await push.create(data_filter={"source_patterns": []})
    await push.store(1, series="extension:x:t")
    await announce(push, 1)
    await announce(push, 2)
    await announce(push, 1)
    bodies = await push.arrived(3)
    await push.quiet()
    assert push.sink is not None
    assert [body["value"] for body in bodies] == [1, 2, 1]
    assert len(push.sink.requests) == 3
    assert bodies[1]["source_id"] == "extension:x:t"


async def test_an_output_that_is_no_json_is_left_out(push: Push) -> None:
    await push.create(data_filter={"source_patterns": []})
    await announce(push, object())
    await announce(push, 2**70)
    await announce(push, 3)
    assert [body["value"] for body in await push.arrived(1)] == [3]


async def test_without_telemetry_outputs_are_sent_all_the_same(tmp_path: Path, sink: Sink) -> None:
    async with pushing(tmp_path, sink=sink, without=("telemetry", "devices")) as push:
        ident = await push.create(data_filter={"source_patterns": []})
        await announce(push, 5)
        assert [body["value"] for body in await push.arrived(1)] == [5]
        assert (await push.call(ident, "test"))["status"] == "success"
        assert (await push.call(ident, "resend", {"start": 1, "end": 2}))["samples"] == 0


# ---- pictures ----


class Pictures(ImageFiles):
    async def read(self, device: str, metric: str, file: str) -> tuple[bytes, str]:
        if file != "a.png":
            raise NotFound("IMAGE", file)
        return b"\x89PNG", "image/png"


def pictures() -> Plugin:
    class Hooks:
        @hookimpl
        def neomind_services(self, ctx: Any) -> list[Service]:
            return [Service(key=ImageFiles, build=lambda ctx: Pictures())]

    return Plugin(name="telemetry", summary="Stands for the one that keeps pictures.", hooks=Hooks())


async def test_pictures_are_sent_as_such(tmp_path: Path, sink: Sink) -> None:
    async with pushing(tmp_path, pictures(), sink=sink, without=("telemetry",)) as push:
        await push.create(data_filter={"source_patterns": []})
        for value in ("/api/images/cam/image/a.png", "/api/images/cam/image/gone.png"):
            await announce(push, value)
        values = [body["value"] for body in await push.arrived(2)]
        picture = base64.b64encode(b"\x89PNG").decode()
        assert values == [f"data:image/png;base64,{picture}", "/api/images/cam/image/gone.png"]


# ---- too much ----


async def test_a_queue_that_is_full_takes_no_more_and_says_so(tmp_path: Path, sink: Sink, capsys: Any) -> None:
    sink.answer(500)
    async with pushing(tmp_path, sink=sink, settings={"data_push": {"queue_max": 2}}) as push:
        ident = await push.create()
        batched = await push.create(batch_config={**FIVE, "batch_size": 1, "format": "nested"})
        await push.put(batched, batch_config={"batch_size": 2})
        for number in range(6):
            await push.store(number)
        assert (await push.logs(ident))["total"] == 2
        assert (await push.stats())["dropped"] >= 4
        assert capsys.readouterr().out.count("push_queue_full") >= 1
        sink.answer(200)
        await push.call(ident, "start")
        await push.ended(ident, 2)
        await push.store(7)
        await push.ended(ident, 3)


async def test_events_that_were_lost_are_counted(push: Push) -> None:
    await push.create()
    notice = Notice(1, 1, Lagged(dropped=5))
    await push.host.services[Engine].handle([notice])
    assert (await push.stats())["missed_events"] == 5


async def test_a_storage_that_is_busy_is_asked_again(push: Push, monkeypatch: pytest.MonkeyPatch) -> None:
    await push.create()
    writer = push.host.services[Engine]._writer
    put, calls = writer.put, []

    def busy(*args: Any) -> None:
        calls.append(args)
        if len(calls) < 3:
            raise StorageBusy("The queue is full")
        put(*args)

    monkeypatch.setattr(type(writer), "put", lambda self, *args: busy(*args))
    push.host.bus.publish(MetricsStored(points=[Point(TEMPERATURE, push.clock.now_ms(), 1)], source="api"))
    assert [body["value"] for body in await push.arrived(1)] == [1]
    assert len(calls) == 3


# ---- nobody wants it ----


async def test_without_targets_no_value_is_looked_at(push: Push) -> None:
    class Points(list[Point]):
        def __iter__(self) -> Any:
            raise AssertionError("somebody looked")

    engine = push.host.services[Engine]
    event = MetricsStored(points=Points(), source="api")
    await engine.handle([Notice(1, 1, event)])
    ident = await push.create()
    with pytest.raises(AssertionError, match="somebody looked"):
        await engine.handle([Notice(1, 1, event)])
    await push.call(ident, "stop")
    await engine.handle([Notice(1, 1, event)])


async def test_a_source_is_matched_once(push: Push, monkeypatch: pytest.MonkeyPatch) -> None:
    from neomind_plugins.data_push.live import Live

    asked: list[str] = []
    wants = Live.wants

    def counted(self: Live, source: str) -> bool:
        asked.append(source)
        return wants(self, source)

    monkeypatch.setattr(Live, "wants", counted)
    await push.create(data_filter={"source_patterns": ["device:other"]})
    for number in range(5):
        await push.store(number, number)
    assert asked == [TEMPERATURE]


async def test_many_targets_and_values(push: Push) -> None:
    assert push.sink is not None
    idents = [
        await push.create(name=str(n), data_filter={"source_patterns": [f"device:d{n}:"]}, batch_config=FIVE)
        for n in range(10)
    ]
    now = push.clock.now_ms()
    await push.points(*(Point(f"device:d{n % 10}:t", now + n, n) for n in range(500)))
    await push.arrived(100)
    await push.counted(100, 100, 0)
    got = sorted(item["value"] for request in push.sink.requests for item in request.json()["items"])
    assert got == list(range(500))

    async def idle() -> bool:
        rows = [row for ident in idents for row in (await push.logs(ident))["logs"]]
        return all(row["status"] == "success" for row in rows)

    await becomes(idle)
    assert data(await push.api.get(API))["total"] == 10


@needs("transport_webhook")
@pytest.mark.parametrize(("header", "pushed"), [("7", True), ("8", False), ("999", False)])
async def test_what_other_platforms_push_here_comes_to_an_end(
    tmp_path: Path, sink: Sink, header: str, pushed: bool
) -> None:
    async with pushing(tmp_path, transport_webhook, sink=sink) as push:
        directory = push.host.services[DeviceDirectory]
        await directory.register_type(DeviceType(device_type="box", name="Box", store_raw=False))
        await directory.register(Device(device_id="boiler", name="Boiler", device_type="box"))
        await push.create()
        url = "/api/devices/boiler/webhook"
        answer = await push.host.client(None).post(url, json={"t": 5}, headers={"X-NeoMind-Hops": header})
        assert answer.status_code == 200
        await push.quiet()
        assert [request.headers["x-neomind-hops"] for request in sink.requests] == (["8"] if pushed else [])
