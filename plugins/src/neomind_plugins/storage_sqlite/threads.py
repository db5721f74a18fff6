"""Threads that the event loop can wait for, and that can talk to it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any


def spawn(run: Callable[[], None], name: str) -> asyncio.Future[None]:
    """Call ``run`` in a daemon thread; the future is done when it has returned or raised."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def body() -> None:
        try:
            run()
        finally:
            tell(loop, finish, ended)

    threading.Thread(target=body, name=name, daemon=True).start()
    return ended


def tell(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *args: Any) -> None:
    """Have the loop call ``function``; a loop that is closed has nobody left who wants to know."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(function, *args)


def finish(future: asyncio.Future[None], error: BaseException | None = None) -> None:
    """Settle a future that may have been cancelled."""
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


class Courtesy:
    """Lets a thread have the interpreter lock when a busy event loop keeps it from getting on.

    A loop that is never idle lets go of the lock for some microseconds per turn only. A thread that waits for it is
    woken each time, too late each time, and its request to have it (``sys.setswitchinterval``) starts anew each time:
    it can wait for seconds. So when the threads have work and nothing came of it for ``PATIENCE_S``, the loop stands
    still for ``PAUSE_S``, or until something does come of it.
    """

    PATIENCE_S = 0.003
    PAUSE_S = 0.0003

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._waiting = False
        self._progress = False
        self._coming = threading.Event()

    def expect(self) -> None:
        """The threads have something to do."""
        self._waiting = True
        if self._timer is None:
            self._timer = self._loop.call_later(self.PATIENCE_S, self._look)

    def came(self, *, more: bool) -> None:
        """Something came of it; ``more`` says whether there is more to do."""
        self._waiting = more
        self._progress = True

    def coming(self) -> None:
        """Something is about to come of it (from a thread)."""
        self._coming.set()

    def _look(self) -> None:
        self._timer = None
        if not self._waiting:
            return
        if not self._progress:
            self._coming.clear()
            self._coming.wait(self.PAUSE_S)
        self._progress = False
        self.expect()
