"""The door from the event loop to a thread: what waits, how much may wait, and who is told what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, TypeVar

from neomind_sdk import Point, StorageBusy, StorageFailed

from .errors import CLOSED
from .models import Entry
from .threads import Courtesy, tell

T = TypeVar("T")


class Intake:
    """A bounded queue.

    It belongs to the event loop; ``queue``, ``settle`` and ``give_up`` are for the threads.
    """

    def __init__(self, *, max_works: int, max_rows: int = 0) -> None:
        self.queue: SimpleQueue[Entry | None] = SimpleQueue()
        self.closed = ""
        self._max_works = max_works
        self._max_rows = max_rows
        self._loop = asyncio.get_running_loop()
        self._waiting: set[Entry] = set()
        self._works = 0
        self._rows = 0
        self._courtesy = Courtesy(self._loop)

    async def append(self, points: Sequence[Point]) -> None:
        """Wait until points are committed. More of them than may wait are taken when nothing else waits."""
        if self._rows and self._rows + len(points) > self._max_rows:
            raise StorageBusy("Too many samples are waiting to be stored")
        await self._put(Entry(self._loop.create_future(), points=tuple(points)))

    async def run(self, work: Callable[[Any], T]) -> T:
        """Wait until a work was done (and, by the writer, committed); returns what it returned."""
        if self._works >= self._max_works:
            raise StorageBusy("Too much is waiting for the storage")
        entry = await self._put(Entry(self._loop.create_future(), work=work))
        result: T = entry.result
        return result

    def close(self, threads: int = 1) -> None:
        """Accept nothing more; each thread ends when it comes to this place in the queue."""
        if not self.closed:
            self.closed = CLOSED
            for _ in range(threads):
                self.queue.put(None)

    def settle(self, entries: Sequence[Entry]) -> None:
        """Tell the callers of all these entries, in one go."""
        self._courtesy.coming()
        tell(self._loop, self._settle, entries)

    def give_up(self, reason: str) -> None:
        """Accept nothing more, and fail everything that still waits."""
        tell(self._loop, self.abandon, reason)

    def abandon(self, reason: str) -> None:
        """As ``give_up``, on the side of the event loop."""
        self.closed = reason
        for entry in self._waiting:
            entry.error = StorageFailed(f"{reason}; it is not known whether this was stored")
        self._settle(list(self._waiting))

    async def _put(self, entry: Entry) -> Entry:
        if self.closed:
            raise StorageFailed(self.closed)
        self._waiting.add(entry)
        self._count(entry, 1)
        self.queue.put(entry)
        self._courtesy.expect()
        await entry.future  # the entry takes its way even when its caller is cancelled here
        if entry.error is not None:
            raise entry.error
        return entry

    def _settle(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry in self._waiting:
                self._waiting.remove(entry)
                self._count(entry, -1)
            if not entry.future.done():  # its caller may have been cancelled
                entry.future.set_result(None)
        self._courtesy.came(more=bool(self._waiting))

    def _count(self, entry: Entry, sign: int) -> None:
        self._rows += sign * len(entry.points)
        self._works += sign * (entry.work is not None)
