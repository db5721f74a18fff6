"""SIGTERM and SIGINT: the first asks for the end, the second takes it, and so does the time limit."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
from types import FrameType, TracebackType
from typing import Any

STOPPING = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Works whatever the event loop is doing: plain handlers interrupt code that blocks it.

    From the first signal on the process has ``limit_s`` left. faulthandler watches over that, from a thread that needs
    no Python to run, and says where the process hung; it keeps watching after ``__exit__``, because threads of plugins
    can keep a process from ending as well.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit = limit_s
        self._caught_any = False
        self._asked = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        self._before = {number: signal.signal(number, self._caught) for number in STOPPING}
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    async def wait(self) -> None:
        """Until the first signal."""
        self._loop = asyncio.get_running_loop()
        if not self._caught_any:
            await self._asked.wait()

    def _caught(self, number: int, _frame: FrameType | None) -> None:
        if self._caught_any:
            os._exit(128 + number)
        self._caught_any = True
        faulthandler.dump_traceback_later(self._limit, exit=True)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._asked.set)
