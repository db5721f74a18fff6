"""How many calls a backend gets at a time."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable

from neomind_sdk import Clock
from neomind_sdk.waiting import done_within


class Places:
    """So many places per key, first come first served. ``limit`` is asked each time: it may change meanwhile."""

    def __init__(self, clock: Clock, limit: Callable[[], int]) -> None:
        self._clock = clock
        self._limit = limit
        self._taken: Counter[str] = Counter()
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}

    async def enter(self, key: str, seconds: float) -> bool:
        """Wait for a place at most so long; whether there was one. Whoever entered must ``leave``."""
        queue = self._queues.setdefault(key, deque())
        if not queue and self._taken[key] < self._limit():
            self._taken[key] += 1
            return True
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(mine)
        try:
            return await done_within(self._clock, seconds, mine)
        except BaseException:
            if mine.done():  # the place was given to who has just been cancelled
                self.leave(key)
            raise
        finally:
            if not mine.done():
                mine.cancel()
                queue.remove(mine)

    def leave(self, key: str) -> None:
        """Give the place to the next one."""
        self._taken[key] -= 1
        queue = self._queues[key]
        while queue and self._taken[key] < self._limit():
            self._taken[key] += 1
            queue.popleft().set_result(None)
        if not queue and not self._taken[key]:
            del self._queues[key], self._taken[key]
