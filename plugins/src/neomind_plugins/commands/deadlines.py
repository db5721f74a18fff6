"""When states of commands end by themselves: one heap, one sleeping task."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable

import attrs

from neomind_sdk import Clock
from neomind_sdk.waiting import until

NEARLY_S = 1e-6
"""What floating point may lack of a time that was slept through to its end."""


@attrs.define(eq=False)
class Deadlines:
    """Calls ``over(number)`` when the time that ``due_of(number)`` names (monotonic seconds) has passed.

    ``due_of`` returns ``None`` for what needs no attention any more. A time that moved away is heeded when the former
    has come; one that moves closer must be set again.
    """

    clock: Clock
    due_of: Callable[[int], float | None]
    over: Callable[[int], Awaitable[None]]
    _heap: list[tuple[float, int]] = attrs.field(factory=list, init=False)
    _wake: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    def set(self, number: int, due: float) -> None:
        heapq.heappush(self._heap, (due, number))
        if self._heap[0] == (due, number):
            self._wake.set()

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            self._wake.clear()
            passed = self._passed()
            if passed:
                await asyncio.gather(*map(self.over, passed))
            else:
                rest = self._heap[0][0] - self.clock.monotonic() if self._heap else None
                await until(self.clock, rest, self._wake)

    def _passed(self) -> list[int]:
        """Those whose time has passed; each is in the heap once more when its time is another by now."""
        now, passed = self.clock.monotonic() + NEARLY_S, set[int]()
        while self._heap and self._heap[0][0] <= now:
            _, number = heapq.heappop(self._heap)
            due = self.due_of(number)
            if due is not None and due <= now:
                passed.add(number)
            elif due is not None:
                heapq.heappush(self._heap, (due, number))
        return sorted(passed)
