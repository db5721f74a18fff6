"""How often one client may do a thing."""

from __future__ import annotations

import ipaddress
import math
from collections import deque
from functools import lru_cache

from ...contracts import ApiError, Clock, RateLimit

MAX_CLIENTS = 20_000


class Limiter:
    """Moving windows in memory, one per route and client.

    They go by monotonic time: a wall clock that is set back must lock nobody out until it has caught up.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[tuple[str, str], deque[float]] = {}

    def hit(self, name: str, limit: RateLimit, client: str) -> None:
        """Count a request; raises 429 with ``Retry-After`` when it is one too many."""
        now = self._clock.monotonic()
        window = self._window((name, client))
        while window and window[0] <= now - limit.seconds:
            window.popleft()
        if len(window) >= limit.hits:
            raise too_many(max(1, math.ceil(window[0] + limit.seconds - now)))
        window.append(now)

    def _window(self, key: tuple[str, str]) -> deque[float]:
        # The one that hit last stands last, so that whoever is forgotten first is whoever was away the longest.
        window = self._windows.pop(key, None)
        if window is None:
            window = deque()
            if len(self._windows) >= MAX_CLIENTS:
                del self._windows[next(iter(self._windows))]
        self._windows[key] = window
        return window


def too_many(seconds: int) -> ApiError:
    text = f"Too many requests; try again in {seconds} s"
    return ApiError("RATE_LIMITED", text, headers={"Retry-After": str(seconds)})


@lru_cache(maxsize=1024)
def network_of(client: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 network of an IPv6 one, which is one household's."""
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return client
    if address.version == 4:
        return client
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
