"""Waiting on the platform's clock, for an event or for work of others that may never end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from neomind_core.contracts import Clock

from .foreign import call

T = TypeVar("T")
NEVER_S = 86_400.0
"""The time that ``call`` keeps by a clock of its own; the one that waits here is shorter."""


class TooSlow(Exception):
    """It took longer than it may, and was cancelled."""


async def until(clock: Clock, seconds: float | None, event: asyncio.Event) -> None:
    """Wait for the event, at most so long; ``None`` is for ever."""
    if seconds is None:
        await event.wait()
        return
    waiting = asyncio.ensure_future(event.wait())
    try:
        await done_within(clock, seconds, waiting)
    finally:
        waiting.cancel()


async def within(clock: Clock, seconds: float, work: Callable[[], Awaitable[T]]) -> T:
    """The result of ``work``; ``TooSlow`` after so many seconds, ``ForeignError`` for whatever it raises.

    When this returns, raises or is cancelled, ``work`` has ended, unless it refuses to be cancelled.
    """
    task = watched(call(work, NEVER_S))
    try:
        done = await done_within(clock, seconds, task)
    finally:
        await ended(task)
    if not done:
        raise TooSlow(f"took over {seconds:g} s")
    result: T = task.result()
    return result


async def done_within(clock: Clock, seconds: float, work: asyncio.Future[Any]) -> bool:
    """Wait for ``work`` at most so long; whether it is done. It is not cancelled."""
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({work, timer}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        timer.cancel()
    return work.done()


def watched(work: Any) -> asyncio.Task[Any]:
    """A task whose exception nobody has to look at."""
    task: asyncio.Task[Any] = asyncio.ensure_future(work)
    task.add_done_callback(lambda task: task.cancelled() or task.exception())
    return task


async def ended(task: asyncio.Task[Any]) -> None:
    """Cancel a task that still runs and wait for its end, which ``call`` sees to."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
