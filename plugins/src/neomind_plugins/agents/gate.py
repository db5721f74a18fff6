"""How many runs go on at once: so many overall, and so many for each backend."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count


class Gate:
    """Lets runs in by priority, the higher first, then in the order they came."""

    def __init__(self, overall: Callable[[], int], per_backend: Callable[[], int]) -> None:
        self._overall = overall
        self._per_backend = per_backend
        self._inside: Counter[str] = Counter()
        self._waiting: list[tuple[int, int, str, asyncio.Future[None]]] = []
        self._order = count()

    @asynccontextmanager
    async def place(self, backend: str, priority: int) -> AsyncIterator[None]:
        """A place for one run of that backend; waits until there is one."""
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (-priority, next(self._order), backend, ticket))
        self._admit()
        try:
            await ticket
        except asyncio.CancelledError:
            if ticket.done() and not ticket.cancelled():
                self._leave(backend)
            raise
        try:
            yield
        finally:
            self._leave(backend)

    def _leave(self, backend: str) -> None:
        self._inside[backend] -= 1
        self._admit()

    def _admit(self) -> None:
        later = []
        while self._waiting and self._inside.total() < self._overall():
            entry = heapq.heappop(self._waiting)
            if entry[3].done():  # whoever waited has gone
                continue
            if self._inside[entry[2]] >= self._per_backend():
                later.append(entry)
                continue
            self._inside[entry[2]] += 1
            entry[3].set_result(None)
        for entry in later:
            heapq.heappush(self._waiting, entry)
