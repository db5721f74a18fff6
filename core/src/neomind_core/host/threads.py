"""Foreign code that may block is called in a thread that nobody has to wait for; what is awaited is contained."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")
GRACE_S = 0.1


class TooSlow(Exception):
    """Plugin code did not end in time; it was cancelled, and nobody waits for it any longer."""


class ForeignError(Exception):
    """Plugin code raised; ``error`` is what it raised, be it ``SystemExit``."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(describe(error))
        self.error = error


def describe(error: BaseException) -> str:
    """An exception in one line: its class and its text."""
    text = ""
    with suppress(Exception):  # plugins have exceptions of their own making
        text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


async def call(work: Callable[[], T], cap_s: float) -> T:
    """Run ``work`` in a daemon thread; ``ForeignError`` when it raises anything, ``TimeoutError`` after ``cap_s``.

    A daemon thread rather than a pool: a call that never returns must keep neither the pool nor the process.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(ForeignError(error))

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as caught:  # a plugin's SystemExit must not end the platform
            error = caught
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="neomind-foreign", daemon=True).start()
    async with asyncio.timeout(cap_s):
        return await future


async def contain(work: Awaitable[T]) -> T:
    """Await plugin code in the loop; ``ForeignError`` for what would end the loop or pass for our own cancellation.

    A task that raises ``SystemExit`` takes the event loop with it, and one that raises ``CancelledError`` looks as if
    we had cancelled it. ``KeyboardInterrupt`` is the user's and passes.
    """
    try:
        return await work
    except (Exception, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and (task is None or task.cancelling()):
            raise
        raise ForeignError(error) from error


async def within(work: Awaitable[T], cap_s: float) -> T:
    """``contain`` for at most ``cap_s``; then ``TooSlow``, whether the work heeds its cancellation or not."""
    task = asyncio.ensure_future(contain(work))
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    try:
        await asyncio.wait({task}, timeout=cap_s)
    finally:
        if late := not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=GRACE_S)
    if late:
        raise TooSlow(f"took over {cap_s:g} s")
    return task.result()
