"""Time, so that tests can turn it by hand."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Clock(Protocol):
    """Wall time in integer milliseconds since the epoch, a monotonic time in seconds, and sleeping."""

    def now_ms(self) -> int: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...
