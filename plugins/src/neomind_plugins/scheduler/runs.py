"""One run of a job: capped, and whatever it raises caught."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from neomind_sdk import Clock


async def run_capped(run: Callable[[], Awaitable[None]], cap_s: float, clock: Clock) -> BaseException | None:
    """Run to the end; returns what it raised, a ``TimeoutError`` when it had to be cancelled after ``cap_s``.

    When this returns, or is cancelled itself, the run is over: one that does not let itself be cancelled is waited
    for, because the next must not begin beside it.
    """
    task = asyncio.create_task(_caught(run))
    timer = asyncio.create_task(clock.sleep(cap_s))
    try:
        await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return _outcome(task)
        return TimeoutError(f"took over {cap_s:g} s and was cancelled")
    finally:
        timer.cancel()
        await _end(task)


async def _caught(run: Callable[[], Awaitable[None]]) -> BaseException | None:
    try:
        await run()
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a plugin's SystemExit must not end the platform
        return error
    return None


async def _end(task: asyncio.Task[BaseException | None]) -> None:
    if not task.done():
        task.cancel()
        await asyncio.wait({task})


def _outcome(task: asyncio.Task[BaseException | None]) -> BaseException | None:
    return asyncio.CancelledError("cancelled itself") if task.cancelled() else task.result()
