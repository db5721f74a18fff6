"""The hub: every event once from the bus, to every stream that wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from neomind_sdk import ApiError, Authenticator, Clock, Lagged, Logger, Notice, SessionEnded, Unauthorized

from .entries import Encoder
from .errors import Stopping
from .filters import Filter
from .groups import Groups
from .models import RealtimeSettings
from .outbox import Bounds, Outbox
from .ring import Ring
from .streams import GOING_AWAY, POLICY, Caller, Occupancy, Stream
from .wires import Wire

BEAT_S = 30.0
SILENCE_S = 60.0
STALL_S = 30.0
CHECK_S = 30.0
ONE_CHECK_S = 5.0
TICK_S = 1.0
LINGER_S = 300.0
"""How long events are kept for streams that may come back, after the last one left."""
TURN = 50
"""After so many events the loop has its turn: as many as a writer sends in one of its own."""
URGENT_COST = 10
"""What goes out by itself costs as much as a full batch."""
CLOSE_S = 2.0
HEARTBEAT_TIMEOUT = "Heartbeat timeout"


class Hub:
    """Fans events out. It never waits for a client: what a client has not read yet waits in its outbox."""

    def __init__(
        self, authenticator: Authenticator, clock: Clock, log: Logger, settings: Callable[[], RealtimeSettings]
    ) -> None:
        self.authenticator = authenticator
        self.clock = clock
        self.occupancy = Occupancy()
        self._log = log
        self._settings = settings
        start, bounds = clock.now_ms() * 1000, settings()
        self._encoder = Encoder(log, start)
        self._ring = Ring(start, bounds.replay_events, bounds.replay_bytes)
        self._groups = Groups()
        self._streams: dict[Stream, None] = {}
        self._by_principal: dict[str, set[Stream]] = {}
        self._occupied = asyncio.Event()
        self._gone = asyncio.Event()
        self._left_at: float | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._streams)

    # ---- streams come and go --------------------------------------------------------------------------------------

    def check_room(self, caller: Caller) -> None:
        """Raises an ``ApiError`` when this caller cannot have a stream now."""
        if self._closed:
            raise Stopping
        self.occupancy.check(caller, self._settings())

    def join(
        self, caller: Caller, wire: Wire, wanted: Filter, *, answers: bool, resume: str | None, hello: Sequence[Any]
    ) -> Stream:
        """Open a stream: ``hello`` first, then what it missed since ``resume``, then what happens from now on.

        Raises an ``ApiError`` when there is no room. Who joins must call ``leave``.
        """
        self.check_room(caller)
        settings, now = self._settings(), self.clock.monotonic()
        outbox = Outbox(wire, Bounds(settings.queue_events, settings.queue_bytes), self.clock)
        stream = Stream(caller, wire, outbox, answers, beat=now, heard=now)
        stream.leave = self._groups.join(wire, wanted, outbox)
        self._streams[stream] = None
        self._by_principal.setdefault(caller.principal.id, set()).add(stream)
        self.occupancy.enter(caller)
        self._occupied.set()
        for payload in hello:
            outbox.note(payload)
        if resume:
            self._replay(stream, wanted, resume)
        return stream

    def leave(self, stream: Stream) -> None:
        """The stream is over; calling it twice does nothing."""
        if stream not in self._streams:
            return
        del self._streams[stream]
        stream.leave()
        stream.outbox.end()
        self.occupancy.leave(stream.caller)
        same = self._by_principal[stream.caller.principal.id]
        same.discard(stream)
        if not same:
            del self._by_principal[stream.caller.principal.id]
        if not self._streams:
            self._left_at = self.clock.monotonic()
            self._occupied.clear()
            self._gone.set()

    def _replay(self, stream: Stream, wanted: Filter, resume: str) -> None:
        seq = int(resume) if resume.isascii() and resume.isdigit() and len(resume) < 20 else None
        missed = self._ring.after(seq)
        if missed is None:
            missed, floor = self._ring.all(), self._ring.floor
            gap = {"type": "Gap", "last_event_id": resume[:40], "seq": floor, "message": "Events in between are lost"}
            stream.outbox.note(stream.wire.note(gap, floor))
        for chunk in stream.wire.pack([entry for entry in missed if wanted.wants(entry)]):
            stream.outbox.put(chunk)

    # ---- events ---------------------------------------------------------------------------------------------------

    async def handle(self, notices: Sequence[Notice]) -> None:
        """Everything from the bus passes here, once."""
        if not self._awake():
            self._ring.skip(notices[-1].seq)
            return
        count = 0
        for notice in notices:
            if isinstance(notice.event, Lagged):
                self._lose(notice.event.dropped)
                continue
            for entry in self._encoder.entries(notice):
                self._ring.add(entry)
                for group in self._groups:
                    group.offer(entry)
                count += URGENT_COST if entry.kind.urgent else 1
                if count >= TURN:
                    count = 0
                    await asyncio.sleep(0)
        for group in self._groups:
            group.settle()

    def _awake(self) -> bool:
        """Whether anybody is there, or may come back."""
        if self._streams:
            return True
        return self._left_at is not None and self.clock.monotonic() - self._left_at < LINGER_S

    def _lose(self, dropped: int) -> None:
        """The hub itself was too slow for the bus."""
        for group in self._groups:
            group.flush()
        self._ring.skip(self._ring.newest + 1)
        self._encoder.seq = self._ring.newest
        for stream in self._streams:
            stream.outbox.lose(dropped)

    # ---- sessions -------------------------------------------------------------------------------------------------

    def end_sessions(self, notices: Sequence[Notice]) -> None:
        """Close the streams of sessions that ended."""
        for notice in notices:
            if isinstance(notice.event, SessionEnded):
                ended = notice.event
                for stream in tuple(self._by_principal.get(ended.principal_id, ())):
                    if ended.session in (None, stream.caller.principal.session):
                        stream.end(POLICY, "The session has ended")

    async def keep_checking(self) -> None:
        """Again and again: ask for every stream whether what it logged in with still holds."""
        while True:
            await self._occupied.wait()
            await self.clock.sleep(CHECK_S)
            for stream in tuple(self._streams):
                await self._check(stream)

    async def _check(self, stream: Stream) -> None:
        caller = stream.caller
        try:
            async with asyncio.timeout(ONE_CHECK_S):
                principal = await self.authenticator.identify(caller.credentials)
        except Unauthorized:
            stream.end(POLICY, "The session has ended")
        except (ApiError, TimeoutError) as error:
            self._log.warning("stream_not_checked", caller=caller.key, exc_info=error)
        else:
            if principal != caller.principal:
                stream.end(POLICY, "The session has changed")

    # ---- heartbeats -----------------------------------------------------------------------------------------------

    async def keep_beating(self) -> None:
        """Again and again: ping, and end streams whose clients fell silent or do not read."""
        while True:
            await self._occupied.wait()
            await self.clock.sleep(TICK_S)
            now = self.clock.monotonic()
            for stream in tuple(self._streams):
                self._look_after(stream, now)

    def _look_after(self, stream: Stream, now: float) -> None:
        busy = stream.outbox.busy_since
        if busy is not None and now - busy >= STALL_S:
            self._cut(stream)
        elif stream.answers and now - stream.heard >= SILENCE_S:
            stream.end(POLICY, HEARTBEAT_TIMEOUT, stream.wire.note({"type": "Error", "message": HEARTBEAT_TIMEOUT}))
        elif now - stream.beat >= BEAT_S:
            stream.beat += BEAT_S
            stream.outbox.note(stream.wire.beat(self.clock.now_ms() // 1000))

    def _cut(self, stream: Stream) -> None:
        self._log.info("stream_cut", caller=stream.caller.key, reason="its client does not read")
        stream.end(POLICY, "Too slow")
        stream.cut.set()
        self.leave(stream)

    # ---- the end --------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """End all streams; those that do not end within ``CLOSE_S`` are cut."""
        self._closed = True
        self._gone.clear()
        for stream in tuple(self._streams):
            stream.end(GOING_AWAY, "The platform is stopping")
        try:
            async with asyncio.timeout(CLOSE_S):
                while self._streams:
                    await self._gone.wait()
        except TimeoutError:
            for stream in tuple(self._streams):
                self._cut(stream)
