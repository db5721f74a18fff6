"""How many attempts are made at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager


class Slots:
    """So many places. Who is troubled gets at most half of them, so that targets that hang leave room for others."""

    def __init__(self, count: int) -> None:
        self._all = asyncio.Semaphore(count)
        self._troubled = asyncio.Semaphore(max(1, count // 2))
        self._waiting = 0

    @property
    def crowded(self) -> bool:
        """Whether somebody waits for a place."""
        return self._waiting > 0

    @asynccontextmanager
    async def one(self, *, troubled: bool) -> AsyncIterator[None]:
        """Wait for a place and have it for the length of the block."""
        gates = [self._troubled, self._all] if troubled else [self._all]
        async with AsyncExitStack() as held:
            self._waiting += 1
            try:
                for gate in gates:
                    await held.enter_async_context(gate)
            finally:
                self._waiting -= 1
            yield
