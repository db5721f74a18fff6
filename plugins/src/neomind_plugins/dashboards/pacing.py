"""How often one share link may give commands, whoever uses it and from wherever."""

from __future__ import annotations

import math
from collections import deque

import attrs

from neomind_sdk import ApiError, Clock

HITS = 60
SECONDS = 60.0
LINKS_MAX = 10_000


@attrs.define(eq=False)
class Pace:
    """A moving window for each link, in memory."""

    clock: Clock
    _windows: dict[str, deque[float]] = attrs.field(factory=dict, init=False)

    def count(self, share_id: str) -> None:
        """Count a command; raises 429 with ``Retry-After`` when it is one too many."""
        now = self.clock.monotonic()
        window = self._window(share_id)
        while window and window[0] <= now - SECONDS:
            window.popleft()
        if len(window) >= HITS:
            wait_s = max(1, math.ceil(window[0] + SECONDS - now))
            text = f"Too many commands through this link; try again in {wait_s} s"
            raise ApiError("RATE_LIMITED", text, headers={"Retry-After": str(wait_s)})
        window.append(now)

    def _window(self, share_id: str) -> deque[float]:
        # Whoever acted last stands last, so that the one who was away the longest is forgotten first.
        window = self._windows.pop(share_id, None) or deque()
        if len(self._windows) >= LINKS_MAX:
            del self._windows[next(iter(self._windows))]
        self._windows[share_id] = window
        return window
