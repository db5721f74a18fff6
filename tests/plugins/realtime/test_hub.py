"""The hub without HTTP: resuming, gaps, sessions, heartbeats, room."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from neomind_plugins.realtime import sockets
from neomind_plugins.realtime.errors import Stopping, TooManyOfCaller, TooManyStreams, TooManyWaiting
from neomind_plugins.realtime.filters import compile_filter
from neomind_plugins.realtime.service import LINGER_S, Hub
from neomind_plugins.realtime.streams import MAX_WAITING_PER_ADDRESS, Caller, Occupancy, Stream
from neomind_plugins.realtime.wires import SSE, WEBSOCKET
from neomind_sdk import Credentials, Lagged, Principal, Request, SessionEnded
from neomind_sdk.testing import VirtualClock

from .conftest import ADA, ADA_ELSEWHERE, RULES_KEY, VIEWER, notices, stored

MakeHub = Callable[..., Hub]
START = 1_700_000_000_000_000


def caller(principal: Principal = ADA, token: str = "ada") -> Caller:
    return Caller(principal, Credentials(bearer=token))


def join(hub: Hub, principal: Principal = ADA, *, resume: str | None = None, token: str = "ada", **more: Any) -> Stream:
    wanted = compile_filter(principal, more.pop("categories", []), [])
    given = {"wire": WEBSOCKET, "answers": True, "hello": (), **more}
    return hub.join(caller(principal, token), wanted=wanted, resume=resume, **given)


async def read(stream: Stream) -> list[dict[str, Any]]:
    """Everything that waits for a stream, until its end."""
    found: list[dict[str, Any]] = []
    while not stream.outbox.empty:
        body = json.loads(await stream.outbox.take())
        found += body.get("events", [body])
    return found


async def values(stream: Stream) -> list[Any]:
    return [one["data"]["value"] if "data" in one else one["type"] for one in await read(stream)]


async def feed(hub: Hub, *numbers: int) -> None:
    """One metric for each number, which is its sequence number and value."""
    for number in numbers:
        await hub.handle(notices([stored(number)], START + number))


# ---- coming back ----------------------------------------------------------------------------------------------------


async def test_resuming_brings_exactly_what_was_missed(make_hub: MakeHub) -> None:
    hub = make_hub()
    first = join(hub)
    await feed(hub, 1, 2)
    hub.leave(first)
    await feed(hub, 3, 4)
    again = join(hub, resume=str(START + 2))
    await feed(hub, 5)
    assert await values(first) == []
    assert await values(again) == [3, 4, 5]


async def test_resuming_sees_what_the_filter_lets_through(make_hub: MakeHub) -> None:
    hub = make_hub()
    join(hub)
    await feed(hub, 1, 2)
    assert await values(join(hub, resume=str(START + 1), categories=["rule"])) == []
    assert await values(join(hub, RULES_KEY, resume=str(START + 1))) == []
    assert await values(join(hub, resume=str(START + 1))) == [2]


@pytest.mark.parametrize("resume", [str(START - 1), str(START + 99), "nonsense", "-1", "9" * 30, "٣"])
async def test_an_id_that_is_not_known_gives_a_gap_first(make_hub: MakeHub, resume: str) -> None:
    hub = make_hub()
    join(hub)
    await feed(hub, 1, 2)
    found = await read(join(hub, resume=resume))
    assert found[0]["type"] == "Gap"
    assert found[0]["last_event_id"] == resume
    assert found[0]["seq"] == START
    assert [one["seq"] for one in found[1:]] == [START + 1, START + 2]


async def test_after_the_gap_one_can_resume_from_its_seq(make_hub: MakeHub) -> None:
    hub = make_hub(replay_events=2)
    join(hub)
    await feed(hub, 1, 2, 3, 4)
    gap = (await read(join(hub, resume=str(START + 1))))[0]
    assert gap["type"] == "Gap"
    assert await values(join(hub, resume=str(gap["seq"]))) == [3, 4]


async def test_while_nobody_is_there_nothing_is_kept(make_hub: MakeHub, clock: VirtualClock) -> None:
    hub = make_hub()
    await feed(hub, 1)
    stream = join(hub, resume=str(START))
    assert await values(stream) == ["Gap"]
    hub.leave(stream)
    await clock.advance(LINGER_S - 1)
    await feed(hub, 2)
    stream = join(hub, resume=str(START + 1))
    assert await values(stream) == [2]
    hub.leave(stream)
    await clock.advance(LINGER_S)
    await feed(hub, 3)
    stream = join(hub, resume=str(START + 2))
    await feed(hub, 4)
    assert await values(stream) == ["Gap", 4]


async def test_events_that_the_bus_dropped_are_told_to_all_and_leave_a_gap(make_hub: MakeHub) -> None:
    hub = make_hub()
    stream = join(hub)
    await feed(hub, 1)
    await hub.handle(notices([Lagged(dropped=7), stored(9)], START + 8))
    assert await read(stream) != []
    assert await values(join(hub, resume=str(START + 1))) == ["Gap", 9]


async def test_a_flood_leaves_the_loop_to_others(make_hub: MakeHub) -> None:
    hub = make_hub()
    join(hub)
    turns = 0
    task = asyncio.ensure_future(hub.handle(notices([stored(*range(1000))], START + 1)))
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns >= 20


# ---- sessions -------------------------------------------------------------------------------------------------------


async def test_only_the_streams_of_the_session_end(make_hub: MakeHub) -> None:
    hub = make_hub()
    mine, elsewhere, other = join(hub), join(hub, ADA_ELSEWHERE), join(hub, VIEWER)
    hub.end_sessions(notices([SessionEnded(principal_id=ADA.id, session="s-1")], 1))
    assert [stream.outbox.ended for stream in (mine, elsewhere, other)] == [True, False, False]
    hub.end_sessions(notices([SessionEnded(principal_id=ADA.id)], 1))
    assert [stream.outbox.ended for stream in (mine, elsewhere, other)] == [True, True, False]
    await feed(hub, 1)
    assert (await values(elsewhere), await values(other)) == ([], [1])


async def test_what_a_stream_logged_in_with_is_asked_about_again(make_hub: MakeHub, clock: VirtualClock) -> None:
    hub = make_hub()
    task = asyncio.ensure_future(hub.keep_checking())
    stays, revoked, demoted = join(hub), join(hub, ADA_ELSEWHERE, token="ada2"), join(hub, VIEWER, token="vic")
    await clock.advance(31)
    assert not any(stream.outbox.ended for stream in (stays, revoked, demoted))
    logins: Any = hub.authenticator
    del logins.tokens["ada2"]
    logins.tokens["vic"] = attrs.evolve(VIEWER, scopes=frozenset())
    await clock.advance(31)
    assert [stream.outbox.ended for stream in (stays, revoked, demoted)] == [False, True, True]
    task.cancel()


async def test_a_check_that_fails_ends_nothing(make_hub: MakeHub, clock: VirtualClock) -> None:
    hub = make_hub()
    task = asyncio.ensure_future(hub.keep_checking())
    stream = join(hub)

    async def identify(credentials: Credentials) -> Principal:
        raise TimeoutError

    hub.authenticator.identify = identify  # type: ignore[method-assign]
    await clock.advance(31)
    assert not stream.outbox.ended
    task.cancel()


# ---- heartbeats -----------------------------------------------------------------------------------------------------


async def test_pings_and_silence(make_hub: MakeHub, clock: VirtualClock) -> None:
    hub = make_hub()
    task = asyncio.ensure_future(hub.keep_beating())
    socket, sse = join(hub), join(hub, wire=SSE, answers=False)
    writers = [asyncio.ensure_future(collect(stream)) for stream in (socket, sse)]
    await clock.advance(29)
    assert [len(stream_frames) for stream_frames in COLLECTED.values()] == [0, 0]
    await clock.advance(2)
    assert json.loads(COLLECTED[socket][0]) == {"type": "ping", "timestamp": 1_700_000_030}
    assert COLLECTED[sse] == [b": keepalive\n\n"]
    await clock.advance(30)
    assert json.loads(COLLECTED[socket][-1]) == {"type": "Error", "message": "Heartbeat timeout"}
    assert socket.outbox.ended
    assert not sse.outbox.ended
    for one in (task, *writers):
        one.cancel()


async def test_a_client_that_answers_stays(make_hub: MakeHub, clock: VirtualClock) -> None:
    hub = make_hub()
    task = asyncio.ensure_future(hub.keep_beating())
    stream = join(hub)
    writer = asyncio.ensure_future(collect(stream))
    for _ in range(6):
        await clock.advance(30)
        stream.heard = clock.monotonic()
    assert not stream.outbox.ended
    assert len(COLLECTED[stream]) == 6
    for one in (task, writer):
        one.cancel()


async def test_a_write_that_stalls_is_cut(make_hub: MakeHub, clock: VirtualClock) -> None:
    hub = make_hub()
    task = asyncio.ensure_future(hub.keep_beating())
    stalled, reading = join(hub, hello=("x",)), join(hub, wire=SSE, answers=False)
    writer = asyncio.ensure_future(collect(reading))
    assert await stalled.outbox.take() == "x"  # and it never asks for more
    await clock.advance(29)
    assert len(hub) == 2
    await clock.advance(2)
    assert (stalled.cut.is_set(), reading.cut.is_set(), len(hub)) == (True, False, 1)
    for one in (task, writer):
        one.cancel()


async def test_a_stream_that_nobody_begins_to_read_does_not_keep_its_place(
    make_hub: MakeHub, clock: VirtualClock
) -> None:
    hub = make_hub()
    task = asyncio.ensure_future(hub.keep_beating())
    stream = join(hub)
    await clock.advance(31)
    assert (len(hub), stream.cut.is_set()) == (0, True)
    task.cancel()


class DeafSocket:
    """The server's end of a WebSocket whose client's window is full."""

    def __init__(self) -> None:
        self.closing = False

    async def accept(self) -> None: ...

    async def receive_text(self) -> str:
        return str(await asyncio.get_running_loop().create_future())

    async def send_text(self, data: str) -> None:
        await self.receive_text()

    async def close(self, code: int, reason: str) -> None:
        self.closing = True
        await self.receive_text()


async def test_the_task_of_a_socket_that_is_cut_ends(make_hub: MakeHub, clock: VirtualClock) -> None:
    hub: Any = make_hub()
    beating = asyncio.ensure_future(hub.keep_beating())
    deaf: Any = DeafSocket()
    query = {"token": "ada", "category": "device"}
    request: Any = Request(
        method="GET", path="/api/events", params={}, query=query, headers={}, client="", services={Hub: hub}, id="1"
    )
    serving = asyncio.ensure_future(sockets.serve(deaf, request))
    await clock.advance(29)
    assert (len(hub), serving.done()) == (1, False)
    await clock.advance(2)
    async with asyncio.timeout(5):
        await serving
    assert (len(hub), deaf.closing) == (0, True)
    beating.cancel()


COLLECTED: dict[Stream, list[Any]] = {}


async def collect(stream: Stream) -> None:
    frames = COLLECTED[stream] = []
    while (payload := await stream.outbox.take()) is not None:
        frames.append(payload)


@pytest.fixture(autouse=True)
def nothing_collected() -> None:
    COLLECTED.clear()


# ---- room -----------------------------------------------------------------------------------------------------------


async def test_room_for_one_caller_and_for_all(make_hub: MakeHub) -> None:
    hub = make_hub(max_streams=3, max_streams_per_caller=2)
    first = join(hub)
    join(hub, ADA_ELSEWHERE)
    with pytest.raises(TooManyOfCaller) as mine:
        join(hub)
    join(hub, VIEWER)
    with pytest.raises(TooManyStreams) as everybody:
        join(hub, RULES_KEY)
    assert (mine.value.status, everybody.value.status) == (429, 503)
    assert "2 event streams" in mine.value.message
    hub.leave(first)
    hub.leave(first)
    join(hub)
    assert len(hub) == 3


def test_texts_do_not_make_known_clients_log_out() -> None:
    for error in (TooManyStreams(1), TooManyOfCaller(1), TooManyWaiting(), Stopping()):
        assert not any(word in error.message for word in ("token", "Authentication", "Unauthorized"))


def test_only_so_many_wait_to_log_in_from_one_address() -> None:
    occupancy = Occupancy()
    waiting = [occupancy.waiting("10.0.0.1") for _ in range(MAX_WAITING_PER_ADDRESS)]
    for one in waiting:
        one.__enter__()
    with pytest.raises(TooManyWaiting), occupancy.waiting("10.0.0.1"):
        pass
    with occupancy.waiting("10.0.0.2"):
        pass
    for one in waiting:
        one.__exit__(None, None, None)
    with occupancy.waiting("10.0.0.1"):
        pass


async def test_after_the_end_nobody_comes_in(make_hub: MakeHub) -> None:
    hub = make_hub()
    stream = join(hub)

    async def writer() -> None:
        await collect(stream)
        hub.leave(stream)

    task = asyncio.ensure_future(writer())
    await hub.close()
    await task
    assert (len(hub), stream.close[0], stream.cut.is_set()) == (0, 1001, False)
    with pytest.raises(Stopping):
        join(hub)


async def test_the_end_does_not_wait_for_those_who_do_not_read(
    make_hub: MakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neomind_plugins.realtime.service.CLOSE_S", 0.01)
    hub = make_hub()
    stream = join(hub)
    await hub.close()
    assert (len(hub), stream.cut.is_set()) == (0, True)
