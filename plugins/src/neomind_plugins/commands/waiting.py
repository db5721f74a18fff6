"""Waiting on the platform's clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from neomind_sdk import Clock
from neomind_sdk.foreign import call

T = TypeVar("T")
NEVER_S = 86_400.0


class TooSlow(Exception):
    """It took longer than it may; it was cancelled."""


async def until(clock: Clock, seconds: float | None, event: asyncio.Event) -> None:
    """Wait for the event, at most so long."""
    if seconds is None:
        await event.wait()
    else:
        await _first(asyncio.ensure_future(event.wait()), clock.sleep(seconds))


async def within(clock: Clock, seconds: float, work: Callable[[], Awaitable[T]]) -> T:
    """The result of ``work``; ``TooSlow`` after so many seconds, ``ForeignError`` for whatever it raises."""
    working = asyncio.ensure_future(call(work, NEVER_S))
    await _first(working, clock.sleep(seconds), keep=working)
    if not working.done():
        working.cancel()
        raise TooSlow(f"took over {seconds:g} s")
    return working.result()


async def _first(one: asyncio.Future[Any], sleeping: Coroutine[Any, Any, None], keep: Any = None) -> None:
    """Wait for one of the two; the other is cancelled, unless it is to be kept."""
    other = asyncio.ensure_future(sleeping)
    try:
        await asyncio.wait({one, other}, return_when=asyncio.FIRST_COMPLETED)
    except BaseException:
        one.cancel()
        raise
    finally:
        other.cancel()
        if keep is None:
            one.cancel()


class Finisher:
    """Runs work to its end even when whoever asked for it goes away."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for what was begun."""
        await asyncio.gather(*self._running, return_exceptions=True)
