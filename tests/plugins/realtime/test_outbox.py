"""What waits for a stream, and what becomes of it when too much waits."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from neomind_plugins.realtime.outbox import Backlog, Bounds, Outbox
from neomind_plugins.realtime.wires import WEBSOCKET, Chunk
from neomind_sdk.testing import VirtualClock

from .conftest import URGENT, entry

LARGE = 10**9


def outbox(events: int = 20, size: int = LARGE) -> Outbox:
    return Outbox(WEBSOCKET, Bounds(events, size), VirtualClock())


def chunk(*entries: Any) -> Chunk:
    (found,) = WEBSOCKET.pack(entries)
    return found


async def drain(box: Outbox) -> list[dict[str, Any]]:
    """Everything that waits: events, and what is said about them."""
    found: list[dict[str, Any]] = []
    while not box.empty:
        body = json.loads(await box.take())
        found += body.get("events", [body])
    return found


def split(found: list[dict[str, Any]]) -> tuple[int, list[int]]:
    dropped = sum(one["dropped"] for one in found if one.get("type") == "Lagged")
    return dropped, [one["seq"] for one in found if "seq" in one]


async def test_in_order_and_shared() -> None:
    box, first, second = outbox(), chunk(entry(1), entry(2)), chunk(entry(3))
    box.put(first)
    box.put(second)
    assert box.waiting == 3
    assert await box.take() is first.payload
    assert await box.take() is second.payload
    assert box.empty


async def test_take_waits_and_says_whether_the_writer_is_busy() -> None:
    box = outbox()
    assert box.busy_since == 0.0
    task = asyncio.ensure_future(box.take())
    await asyncio.sleep(0)
    assert box.busy_since is None
    box.put(chunk(entry(1)))
    await task
    assert box.busy_since == 0.0


async def test_too_many_events_are_dropped_from_the_old_end_and_it_is_told_first() -> None:
    box = outbox(events=20)
    for seq in range(1, 31):
        box.put(chunk(entry(seq)))
    found = await drain(box)
    assert found[0] == {"type": "Lagged", "dropped": 10}
    assert split(found) == (10, list(range(11, 31)))


async def test_exactly_as_many_as_may_wait_are_not_too_many() -> None:
    box = outbox(events=20)
    for seq in range(1, 21):
        box.put(chunk(entry(seq)))
    assert split(await drain(box)) == (0, list(range(1, 21)))


async def test_of_a_series_the_newest_value_stays() -> None:
    box = outbox(events=20)
    for seq in range(1, 101):
        box.put(chunk(entry(seq, f"series-{seq % 3}")))
    assert box.waiting == 3
    assert split(await drain(box)) == (97, [98, 99, 100])


async def test_too_many_bytes() -> None:
    box = outbox(events=1000, size=1000)
    for seq in range(1, 11):
        box.put(chunk(entry(seq, size=300)))
    dropped, seqs = split(await drain(box))
    assert (dropped, seqs) == (7, [8, 9, 10])


async def test_an_event_larger_than_the_bound_goes_out_when_it_is_alone() -> None:
    box = outbox(size=1000)
    box.put(chunk(entry(1, size=5000)))
    assert split(await drain(box)) == (0, [1])
    box.put(chunk(entry(2, size=5000)))
    box.put(chunk(entry(3, size=5000)))
    assert split(await drain(box)) == (1, [3])


async def test_after_it_caught_up_frames_are_shared_again() -> None:
    box = outbox(events=20)
    for seq in range(1, 31):
        box.put(chunk(entry(seq)))
    await drain(box)
    shared = chunk(entry(31))
    box.put(shared)
    assert await box.take() is shared.payload


async def test_notes_go_first_and_the_end_is_the_end() -> None:
    box = outbox()
    box.put(chunk(entry(1)))
    box.note("ping")
    assert await box.take() == "ping"
    box.end("last words")
    box.put(chunk(entry(2)))
    box.note("too late")
    assert [await box.take(), await box.take(), await box.take()] == ["last words", None, None]


async def test_what_was_lost_elsewhere_is_told_too() -> None:
    box = outbox()
    box.lose(5)
    box.put(chunk(entry(1)))
    assert await drain(box) == [{"type": "Lagged", "dropped": 5}, {"seq": 1, "pad": ""}]


async def test_urgent_events_of_a_backlog_stay_bare_and_in_order() -> None:
    box = outbox(events=20)
    for seq in range(1, 31):
        box.put(chunk(entry(seq, kind=URGENT) if seq == 25 else entry(seq)))
    frames = []
    while not box.empty:
        frames.append(json.loads(await box.take()))
    assert {"seq": 25, "pad": ""} in frames
    assert split([one for frame in frames for one in frame.get("events", [frame])])[1] == list(range(11, 31))


# ---- writing past the sleeping writer -------------------------------------------------------------------------------


async def test_a_chunk_is_written_at_once_when_the_writer_sleeps() -> None:
    box, written = outbox(), []
    box.write = written.append
    task = asyncio.ensure_future(box.take())
    box.put(early := chunk(entry(1)))
    assert await task is early.payload  # the writer did not sleep yet
    task = asyncio.ensure_future(box.take())
    await asyncio.sleep(0)
    box.put(direct := chunk(entry(2)))
    assert written == [direct.payload]
    box.note("ping")
    box.put(chunk(entry(3)))
    assert (await task, written) == ("ping", [direct.payload])
    assert split(await drain(box)) == (0, [3])


async def test_what_cannot_be_written_at_once_is_waited_for_by_the_writer() -> None:
    box, gate = outbox(), asyncio.Event()
    box.write = lambda payload: gate.wait()  # type: ignore[assignment,return-value]
    task = asyncio.ensure_future(box.take())
    await asyncio.sleep(0)
    box.put(chunk(entry(1)))
    box.put(chunk(entry(2)))
    await asyncio.sleep(0)
    assert box.busy_since is not None
    assert not task.done()
    gate.set()
    assert json.loads(await task)["events"][0]["seq"] == 2


# ---- for all sequences ----------------------------------------------------------------------------------------------

SERIES = [f"series-{number}" for number in range(6)]
ACTIONS = st.lists(st.sampled_from([*SERIES, None, "take"]), max_size=300)


@settings(max_examples=200, deadline=None)
@given(actions=ACTIONS, events=st.integers(12, 40))
@example(actions=[None] * 13 + ["take", None], events=12)
def test_conflation_loses_no_newest_value_and_keeps_the_order(actions: list[str | None], events: int) -> None:
    async def run() -> None:
        box = outbox(events=events)
        newest: dict[str, int] = {}
        got: list[dict[str, Any]] = []
        for seq, action in enumerate(actions):
            if action == "take":
                if not box.empty:
                    body = json.loads(await box.take())
                    got.extend(body.get("events", [body]))
            else:
                newest |= {action: seq} if action else {}
                box.put(chunk(entry(seq, action)))
                assert box.waiting <= events
        dropped, seqs = split(got + await drain(box))
        assert set(newest.values()) <= set(seqs)
        assert seqs == sorted(set(seqs))
        assert dropped + len(seqs) == len(actions) - actions.count("take")

    asyncio.run(run())


@given(names=st.lists(st.sampled_from([*SERIES, None]), max_size=100), most=st.integers(1, 10))
def test_a_backlog_gives_back_in_order(names: list[str | None], most: int) -> None:
    backlog = Backlog(Bounds(20, LARGE))
    for seq, name in enumerate(names):
        backlog.add(entry(seq, name))
    found = []
    while part := backlog.pop(most):
        assert len(part) <= most
        found += [one.seq for one in part]
    assert found == sorted(found)
    assert len(found) + backlog.dropped == len(names)
    assert backlog._bytes == 0
