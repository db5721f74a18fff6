"""How long requests may take, without a timer for each: that would cost more than most requests do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")
TICK_S = 0.5
PRECISE_BELOW_S = 5.0


class Expired(Exception):
    """The time was over, and the work was cancelled."""


class _Ticket:
    __slots__ = ("cancelling", "ends", "expired", "task")

    def __init__(self, task: asyncio.Task[Any], ends: float) -> None:
        self.task = task
        self.ends = ends
        self.cancelling = task.cancelling()
        self.expired = False


class Deadlines:
    """All that run are looked at twice a second, while there are any; short ones get a timer of their own."""

    def __init__(self) -> None:
        self._tickets: set[_Ticket] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def within(self, seconds: float | None, work: Awaitable[T]) -> T:
        """The result of ``work``; ``Expired`` when it takes over ``seconds`` (and up to ``TICK_S`` more)."""
        if seconds is None:
            return await work
        if seconds < PRECISE_BELOW_S:
            return await _precisely(seconds, work)
        task = asyncio.current_task()
        assert task is not None
        ticket = self._issue(task, seconds)
        try:
            return await work
        except asyncio.CancelledError:
            if ticket.expired and task.uncancel() <= ticket.cancelling:
                raise Expired from None
            raise
        finally:
            self._tickets.discard(ticket)

    def _issue(self, task: asyncio.Task[Any], seconds: float) -> _Ticket:
        loop = asyncio.get_running_loop()
        ticket = _Ticket(task, loop.time() + seconds)
        self._tickets.add(ticket)
        if self._timer is None:
            self._timer = loop.call_later(TICK_S, self._look)
        return ticket

    def _look(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        for ticket in self._tickets:
            if ticket.ends <= now and not ticket.expired:
                ticket.expired = True
                ticket.task.cancel()
        if self._tickets:
            self._timer = loop.call_later(TICK_S, self._look)


async def _precisely(seconds: float, work: Awaitable[T]) -> T:
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await work
    except TimeoutError:
        if limit.expired():
            raise Expired from None
        raise
