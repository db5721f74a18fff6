"""The dispatcher: which lanes run, and which wait for what."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque

import attrs

from neomind_sdk import ApiError
from neomind_sdk.units import SECOND_MS
from neomind_sdk.waiting import until

from . import tables
from .bucket import Buckets
from .leases import Leases
from .parts import Parts
from .records import Turn
from .runner import Lane, Runner
from .slots import Slots

UNAVAILABLE_S = 60.0
TROUBLE_S = 30.0
CLOSE_S = 1.0


@attrs.frozen(order=True)
class Due:
    """When a lane goes on (monotonic), and the delivery whose pause is over then."""

    at: float
    lane: str
    delivery_id: str | None = None


class Lanes:
    """A lane with something to do is a task; one that waits for its time is an entry in a heap, and nothing else.

    ``fresh``  names of lanes that got an order; filled by the storage's thread, where a deque needs no lock
    """

    def __init__(self, parts: Parts, runner: Runner, buckets: Buckets, leases: Leases) -> None:
        self.fresh: deque[str] = deque()
        self._parts = parts
        self._runner = runner
        self._buckets = buckets
        self._leases = leases
        self._slots = Slots(parts.settings.concurrency)
        self._running: dict[str, Lane] = {}
        self._due: dict[str, Due] = {}
        self._heap: list[Due] = []
        self._unavailable: set[str] = set()
        self._news = asyncio.Event()
        self._look_at = 0.0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._open = False

    # ---- what others tell ---------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Start the lanes that got an order. Does nothing before the outbox has started: then all are looked at."""
        while self._open and self.fresh:
            self.start(self.fresh.popleft())

    def start(self, name: str, *, now: bool = False) -> None:
        """Let a lane go on; one that waits for its time does so only ``now``."""
        if not self._open:
            return
        if (lane := self._running.get(name)) is not None:
            lane.again = True
            return
        due = self._due.get(name)
        if due is not None and not now and due.at > self._parts.clock.monotonic():
            return
        self._due.pop(name, None)
        self._unavailable.discard(name)
        lane = self._running[name] = Lane(
            name, self._leases.hold(), waited=due.delivery_id if due and not now else None
        )
        self._quiet.clear()
        self._parts.spawn(self._run(lane), f"lane:{name}")

    def look(self) -> None:
        """Look at the tables now: somebody serves a kind of orders from now on."""
        self._look_at = 0.0
        self._news.set()
        self.retry_unavailable()

    def retry_unavailable(self) -> None:
        """Plugins have changed: targets that could not be served are tried again."""
        for name in list(self._unavailable):
            self.start(name, now=True)

    async def run(self) -> None:
        """Look at the tables every so often, and start lanes at their time; until it is cancelled."""
        self._open = not self._runner.closing
        while self._open:
            self._news.clear()
            await self._look_if_due()
            self._start_due()
            await until(self._parts.clock, self._patience(), self._news)

    def pause(self) -> None:
        """Begin nothing any more."""
        self._open = False
        self._runner.closing = True
        self._news.set()

    async def close(self) -> None:
        """Begin nothing any more, and let the attempts that are being made end, for a moment."""
        self.pause()
        try:
            await asyncio.wait_for(self._quiet.wait(), CLOSE_S)
        except TimeoutError:
            self._parts.log.warning("attempts_given_up", lanes=len(self._running))

    # ---- time ---------------------------------------------------------------------------------------------------

    async def _look_if_due(self) -> None:
        now = self._parts.clock.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + self._parts.settings.poll_s
        self.wake()
        self._buckets.tidy()
        kinds = frozenset(self._parts.servers)
        try:
            names = await self._parts.database.read(lambda: tables.waiting(kinds))
        except ApiError as error:
            self._parts.log.warning("outbox_not_read", reason=error.message)
            return
        self._leases.tidy(frozenset(names).union(self._running))
        for name in names:
            self.start(name)
        for kind in kinds:
            self._runner.ended(kind)

    def _patience(self) -> float:
        soonest = min(self._look_at, self._heap[0].at if self._heap else self._look_at)
        return max(0.0, soonest - self._parts.clock.monotonic())

    def _start_due(self) -> None:
        now = self._parts.clock.monotonic()
        while self._heap and self._heap[0].at <= now:
            due = heapq.heappop(self._heap)
            if self._due.get(due.lane) is due:
                self.start(due.lane)

    def _later(self, name: str, seconds: float, delivery_id: str | None = None) -> None:
        due = Due(self._parts.clock.monotonic() + max(0.0, seconds), name, delivery_id)
        self._due[name] = due
        heapq.heappush(self._heap, due)
        if self._heap[0] is due:
            self._news.set()

    # ---- a lane -------------------------------------------------------------------------------------------------

    async def _run(self, lane: Lane) -> None:
        try:
            await self._serve(lane)
        except Exception as error:  # a lane that fails must not take the others with it
            self._parts.log.error("lane_failed", lane=lane.name, exc_info=error)
            self._later(lane.name, TROUBLE_S)
        finally:
            del self._running[lane.name]
            if not self._running:
                self._quiet.set()

    async def _serve(self, lane: Lane) -> None:
        """Run a lane until it rests or has to wait. What comes while a turn is taken is seen by another turn."""
        while not self._runner.closing:
            if (seconds := self._buckets.left(lane.name)) > 0:
                return self._later(lane.name, seconds)
            async with self._slots.one(troubled=lane.troubled):
                turn = await self._runner.serve(lane, self._may_go_on)
            if not (turn.more or lane.again):
                return self._rest(lane, turn)
        return None

    def _may_go_on(self, name: str) -> bool:
        """Whether a lane may begin its next attempt without queueing for its place again."""
        return not self._runner.closing and not self._slots.crowded and self._buckets.left(name) <= 0

    def _rest(self, lane: Lane, turn: Turn) -> None:
        if lane.unavailable:
            self._unavailable.add(lane.name)
            self._later(lane.name, UNAVAILABLE_S)
        elif turn.until_ms is not None:
            seconds = (turn.until_ms - self._parts.clock.now_ms()) / SECOND_MS
            self._later(lane.name, seconds, turn.waits_for)
        elif turn.holder is not None:  # which may be done with it at any time
            self._later(lane.name, min(self._leases.left_s(lane.name), self._parts.settings.poll_s))
