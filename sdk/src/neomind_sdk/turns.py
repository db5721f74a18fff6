"""Changes that run to their end, and changes that take turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Finisher:
    """Runs work to its end even when whoever asked for it goes away."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of ``await work``."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for what was begun."""
        await asyncio.gather(*self._running, return_exceptions=True)


class Turns:
    """Runs changes one after another, each to its end even when its caller goes away.

    For state that is kept in memory and in the database: a request that is cancelled between the two (its client
    left, its deadline passed) must not leave them apart.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._finisher = Finisher()

    async def run(self, change: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of ``await change()``, when its turn has come."""
        return await self._finisher.run(self._alone(change))

    async def close(self) -> None:
        """Wait for the changes that were begun."""
        await self._finisher.close()

    async def _alone(self, change: Callable[[], Coroutine[Any, Any, T]]) -> T:
        async with self._lock:
            return await change()
