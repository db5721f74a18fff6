"""Storm control: how fast deliveries may follow each other in one lane."""

from __future__ import annotations

from neomind_sdk import Clock


class Buckets:
    """A token bucket per lane. An empty one delays; nothing is dropped.

    ``rate``   tokens per second      ``burst``  how many a bucket holds
    """

    def __init__(self, clock: Clock, rate: float, burst: int) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._full_at: dict[str, float] = {}

    def left(self, lane: str) -> float:
        """Seconds until there is a token."""
        missing = (self._full_at.get(lane, 0.0) - self._clock.monotonic()) * self._rate
        # Less than a millionth of a token is what adding and subtracting times leaves.
        return max(0.0, missing - (self._burst - 1) - 1e-6) / self._rate

    def take(self, lane: str) -> None:
        """Take a token."""
        full_at = max(self._full_at.get(lane, 0.0), self._clock.monotonic())
        self._full_at[lane] = full_at + 1 / self._rate

    def tidy(self) -> None:
        """Forget the buckets that are full."""
        now = self._clock.monotonic()
        self._full_at = {lane: full_at for lane, full_at in self._full_at.items() if full_at > now}
