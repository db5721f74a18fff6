"""When who was heard from has been silent for too long: one heap, one sleeping task, nothing per sample."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable

import attrs

from neomind_sdk import Clock

BATCH = 500
"""How many are told of before others have their turn: when the power of a whole plant fails."""
NEARLY_S = 1e-6
"""What floating point may lack of a time that was slept through to its end."""


@attrs.define(eq=False)
class Silence:
    """Calls ``expired(key)`` once for each key that is watched, when ``due_of(key)`` is past (monotonic seconds).

    A due time may move away at any moment without anybody telling: it is asked for again when it has come, so a sample
    costs nothing here. Only when it moves closer ``watch`` must be called again.
    """

    clock: Clock
    due_of: Callable[[str], float]
    expired: Callable[[str], None]
    _heap: list[tuple[float, str]] = attrs.field(factory=list, init=False)
    _armed: dict[str, float] = attrs.field(factory=dict, init=False)
    _wake: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    def __contains__(self, key: str) -> bool:
        return key in self._armed

    def watch(self, key: str) -> None:
        """Begin to watch, or heed a due time that is closer now."""
        due, armed = self.due_of(key), self._armed.get(key)
        if armed is None or due < armed:
            self._arm(key, due)
            if self._heap[0] == (due, key):
                self._wake.set()

    def forget(self, key: str) -> None:
        self._armed.pop(key, None)

    def expire(self) -> float | None:
        """Tell of a batch of those that are due; seconds until the next may be, ``None`` when nobody is watched."""
        now = self.clock.monotonic() + NEARLY_S
        for _ in range(BATCH):
            while self._heap and self._armed.get(self._heap[0][1]) != self._heap[0][0]:
                heapq.heappop(self._heap)  # forgotten, or armed for an earlier time
            if not self._heap:
                return None
            due, key = self._heap[0]
            if due > now:
                return due - now
            heapq.heappop(self._heap)
            self._ask_again(key, now)
        return 0.0

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            self._wake.clear()
            await self._sleep(self.expire())

    def _ask_again(self, key: str, now: float) -> None:
        due = self.due_of(key)
        if due > now:
            self._arm(key, due)
        else:
            del self._armed[key]
            self.expired(key)

    def _arm(self, key: str, due: float) -> None:
        self._armed[key] = due
        heapq.heappush(self._heap, (due, key))

    async def _sleep(self, seconds: float | None) -> None:
        """Until the time is over, or somebody is to be watched who is due earlier."""
        if seconds is None:
            await self._wake.wait()
            return
        waiting = {asyncio.create_task(self._wake.wait()), asyncio.create_task(self._nap(seconds))}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    async def _nap(self, seconds: float) -> None:
        await self.clock.sleep(seconds)
