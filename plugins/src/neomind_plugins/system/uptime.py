"""For how long the platform has been running."""

from __future__ import annotations

from neomind_sdk import Clock, Platform


class Uptime:
    """Goes by the monotonic clock: a machine that learns the time after it booted has not run since 1970."""

    def __init__(self, platform: Platform, clock: Clock) -> None:
        before = max(0, clock.now_ms() - platform.started_ms) / 1000
        self._clock = clock
        self._start = clock.monotonic() - before

    def seconds(self) -> int:
        return int(self._clock.monotonic() - self._start)
