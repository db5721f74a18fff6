"""A start step that blocks the event loop itself cannot be cancelled; it is interrupted by a signal."""

from __future__ import annotations

import asyncio
import signal
import threading
from types import FrameType, TracebackType


class LoopBlocked(Exception):
    """Raised inside the code that kept the event loop from running."""


class LoopGuard:
    """While it is open, blocking the loop for ``cap_s`` raises ``LoopBlocked`` in whatever blocks it.

    Works in the main thread only (signals do); elsewhere it does nothing.
    """

    def __init__(self, cap_s: float) -> None:
        self._cap = cap_s
        self._beat: asyncio.TimerHandle | None = None
        self._active = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> LoopGuard:
        if self._active:
            self._before = signal.signal(signal.SIGALRM, self._ring)
            self._arm()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        if self._active:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)
            if self._beat:
                self._beat.cancel()

    def _arm(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, self._cap)
        self._beat = asyncio.get_running_loop().call_later(self._cap / 4, self._arm)

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_REAL, self._cap)
        raise LoopBlocked(f"blocked the event loop for over {self._cap:g} s")
