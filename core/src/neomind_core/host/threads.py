"""Foreign code that may block is called in a thread that nobody has to wait for; what is awaited is contained."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, ClassVar, TypeVar

T = TypeVar("T")
GRACE_S = 0.1
IDLE_S = 1.0


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


class _Worker:
    """A daemon thread that runs one piece of work after another; one that is stuck is never given any more.

    Making a thread for each costs a start of the platform a tenth of a second.
    """

    _idle: ClassVar[list[_Worker]] = []
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        self._given: SimpleQueue[tuple[Callable[[], Any], Callable[[Any], None]]] = SimpleQueue()
        threading.Thread(target=self._serve, name="neomind-foreign", daemon=True).start()

    @classmethod
    def free(cls) -> _Worker:
        """One that has nothing to do."""
        with cls._lock:
            if cls._idle:
                return cls._idle.pop()
        return cls()

    def give(self, work: Callable[[], T], tell: Callable[[T], None]) -> None:
        """Have ``work`` done, and ``tell`` called with what it returned."""
        self._given.put((work, tell))

    def _serve(self) -> None:
        while True:
            try:
                work, tell = self._given.get(timeout=IDLE_S)
            except Empty:
                if self._retire():
                    return
                continue
            outcome = work()
            with self._lock:
                self._idle.append(self)
            tell(outcome)
            del work, tell, outcome  # they are not kept while nothing is to do

    def _retire(self) -> bool:
        """Whether nobody has just taken this one."""
        with self._lock:
            if self not in self._idle:
                return False
            self._idle.remove(self)
            return True


os.register_at_fork(after_in_child=_Worker._idle.clear)  # threads stay behind


async def call(work: Callable[[], T], cap_s: float) -> T:
    """Run ``work`` in a daemon thread; ``ForeignError`` when it raises anything, ``TimeoutError`` after ``cap_s``.

    Daemon threads rather than a pool: a call that never returns must keep neither the pool nor the process.
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

    def run() -> tuple[Any, BaseException | None]:
        try:
            return work(), None
        except BaseException as caught:  # a plugin's SystemExit must not end the platform
            return None, caught

    def tell(outcome: tuple[Any, BaseException | None]) -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(settle, *outcome)

    _Worker.free().give(run, tell)
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
