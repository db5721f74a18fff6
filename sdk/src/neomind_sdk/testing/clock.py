"""Time that stands still until a test turns it."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

START_MS = 1_700_000_000_000
TURNS = 20


class VirtualClock:
    """The ``Clock`` for tests. Sleepers wake when ``advance`` passes their time, in order, each at its own time.

    ``jump_ms`` moves the wall clock only, as setting a machine's clock does: the monotonic time goes on unmoved.
    """

    def __init__(self, now_ms: int = START_MS) -> None:
        self._wall_ms = now_ms
        self._monotonic = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    def now_ms(self) -> int:
        return self._wall_ms

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._monotonic + seconds, next(self._order), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass; whoever wakes on the way has its turn before the time goes on."""
        if seconds < 0:
            raise ValueError("time does not go backwards; use jump_ms for a clock that is set")
        await turns()
        end = self._monotonic + seconds
        while self._sleepers and self._sleepers[0][0] <= end:
            at, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                self._go_to(at)
                future.set_result(None)
                await turns()
        self._go_to(end)
        await turns()

    def jump_ms(self, by_ms: int) -> None:
        """Set the wall clock forward or back."""
        self._wall_ms += by_ms

    @property
    def sleeping(self) -> int:
        """How many wait for a later time."""
        return sum(not future.done() for _, _, future in self._sleepers)

    def _go_to(self, monotonic: float) -> None:
        if monotonic <= self._monotonic:  # whoever woke has advanced the clock further
            return
        self._wall_ms += round(monotonic * 1000) - round(self._monotonic * 1000)
        self._monotonic = monotonic


class WallClock(VirtualClock):
    """A clock on the wall of its own, with the passing of time of another one: several processes on one machine."""

    def __init__(self, base: VirtualClock) -> None:
        self.base = base
        self.set_ms = 0

    def now_ms(self) -> int:
        return self.base.now_ms() + self.set_ms

    def monotonic(self) -> float:
        return self.base.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self.base.sleep(seconds)

    async def advance(self, seconds: float) -> None:
        await self.base.advance(seconds)

    def jump_ms(self, by_ms: int) -> None:
        self.set_ms += by_ms


async def turns(count: int = TURNS) -> None:
    """Let everything that is ready run, several steps deep."""
    for _ in range(count):
        await asyncio.sleep(0)
