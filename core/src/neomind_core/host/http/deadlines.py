"""How long requests may take, without a timer for each: that would cost more than most requests do."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Generator
from typing import Any, TypeVar, cast

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
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    @types.coroutine
    def within(self, seconds: float | None, work: Awaitable[T]) -> Generator[Any, Any, T]:
        """The result of ``work``; ``Expired`` when it takes over ``seconds`` (and up to ``TICK_S`` more).

        What does not wait for anything, as most bodies of requests, costs nothing.
        """
        if seconds is not None and seconds < PRECISE_BELOW_S:
            return (yield from _precisely(seconds, work).__await__())
        steps: Any = work if hasattr(work, "send") else work.__await__()
        try:
            waiting = steps.send(None)
        except StopIteration as done:
            return cast(T, done.value)
        return cast(T, (yield from self._limited(seconds, steps, waiting)))

    def _limited(self, seconds: float | None, steps: Any, waiting: Any) -> Generator[Any, Any, Any]:
        """Go on with what has begun, and waits for ``waiting``."""
        ticket = None if seconds is None else self._issue(seconds)
        try:
            while True:
                try:
                    sent, thrown = (yield waiting), None
                except BaseException as error:
                    sent, thrown = None, error
                waiting = steps.send(sent) if thrown is None else steps.throw(thrown)
        except StopIteration as done:
            return done.value
        except asyncio.CancelledError:
            if ticket is not None and ticket.expired and ticket.task.uncancel() <= ticket.cancelling:
                raise Expired from None
            raise
        finally:
            if ticket is not None:
                self._tickets.discard(ticket)

    def _issue(self, seconds: float) -> _Ticket:
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None
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
