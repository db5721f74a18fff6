"""How events share frames, and streams share them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from neomind_plugins.realtime.filters import Filter
from neomind_plugins.realtime.groups import WINDOW_S, Group, Groups
from neomind_plugins.realtime.wires import SSE, SSE_NAMED, WEBSOCKET

from .conftest import PLAIN, URGENT, entry

ALL = Filter(frozenset({"events:read"}))


class Box:
    """An outbox that remembers its chunks."""

    def __init__(self) -> None:
        self.chunks: list[Any] = []
        self.came = asyncio.Event()

    def put(self, chunk: Any) -> None:
        self.chunks.append(chunk)
        self.came.set()

    @property
    def frames(self) -> list[list[int]]:
        return [[one.seq for one in chunk.entries] for chunk in self.chunks]


@pytest.fixture
def box() -> Any:
    return Box()


async def grouped(box: Any, wanted: Filter = ALL) -> Group:
    group = Group(WEBSOCKET, wanted)
    group.join(box)
    return group


def offer(group: Group, *seqs: int, kind: Any = PLAIN) -> None:
    for seq in seqs:
        group.offer(entry(seq, kind=kind))
    group.settle()


async def test_after_a_pause_an_event_goes_out_at_once(box: Any) -> None:
    offer(await grouped(box), 1)
    assert box.frames == [[1]]


async def test_what_follows_shares_a_frame_when_the_window_closes(box: Any) -> None:
    loop, group = asyncio.get_running_loop(), await grouped(box)
    began = loop.time()
    offer(group, 1)
    offer(group, 2)
    offer(group, 3)
    assert box.frames == [[1]]
    box.came.clear()
    await box.came.wait()
    assert box.frames == [[1], [2, 3]]
    assert loop.time() - began >= WINDOW_S


async def test_ten_fill_a_frame(box: Any) -> None:
    offer(await grouped(box), *range(1, 26))
    assert box.frames == [list(range(1, 11)), list(range(11, 21))]


async def test_what_is_urgent_goes_out_by_itself_after_what_waited(box: Any) -> None:
    group = await grouped(box)
    offer(group, 1)
    offer(group, 2)
    offer(group, 3, kind=URGENT)
    assert box.frames == [[1], [2], [3]]
    assert [json.loads(chunk.payload).get("batch") for chunk in box.chunks] == [True, True, None]


async def test_who_joins_gets_nothing_of_before(box: Any) -> None:
    group, late = await grouped(box), Box()
    offer(group, 1)
    offer(group, 2)
    group.join(late)  # type: ignore[arg-type]
    offer(group, 3)
    group.flush()
    assert (box.frames, late.frames) == ([[1], [2], [3]], [[3]])


async def test_members_share_their_chunks(box: Any) -> None:
    group, other = await grouped(box), Box()
    group.join(other)  # type: ignore[arg-type]
    offer(group, 1)
    assert box.chunks[0].payload is other.chunks[0].payload


async def test_equal_filters_and_forms_are_one_group_and_empty_ones_go(box: Any) -> None:
    groups = Groups()
    leave = [groups.join(WEBSOCKET, Filter(frozenset({"events:read"})), box) for box in (box, Box())]  # type: ignore[arg-type]
    leave.append(groups.join(SSE, ALL, Box()))  # type: ignore[arg-type]
    assert [len(group) for group in groups] == [2, 1]
    for one in leave + leave:
        one()
    assert list(groups) == []


async def test_the_last_who_leaves_stops_the_timer(box: Any) -> None:
    group = await grouped(box)
    offer(group, 1)
    offer(group, 2)
    group.leave(box)
    await asyncio.sleep(WINDOW_S * 1.5)
    assert box.frames == [[1]]


def test_forms() -> None:
    one = entry(7)
    assert WEBSOCKET.pack([one])[0].payload == '{"batch":true,"events":[{"seq":7,"pad":""}]}'
    assert SSE.pack([one])[0].payload == b'id: 7\ndata: {"seq":7,"pad":""}\n\n'
    assert SSE_NAMED.pack([one])[0].payload == b'event: Plain\nid: 7\ndata: {"seq":7,"pad":""}\n\n'
    assert SSE.note({"type": "Gap"}, 7) == b'id: 7\ndata: {"type":"Gap"}\n\n'
    assert SSE_NAMED.note({"type": "Lagged"}) == b'event: Lagged\ndata: {"type":"Lagged"}\n\n'
    assert WEBSOCKET.pack([]) == SSE.pack([]) == []
