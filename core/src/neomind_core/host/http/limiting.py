"""How often one client may do a thing."""

from __future__ import annotations

import ipaddress
import math
import time
from typing import Any

from ...contracts import ApiError, RateLimit


class Limiter:
    """Moving windows in memory, one per route and client. Imports its library at the first limited request."""

    def __init__(self) -> None:
        self._strategy: Any = None

    def hit(self, name: str, limit: RateLimit, client: str) -> None:
        """Count a request; raises 429 with ``Retry-After`` when it is one too many."""
        strategy = self._strategy = self._strategy or _strategy()
        window = _window(limit)
        if not strategy.hit(window, name, client):
            stats = strategy.get_window_stats(window, name, client)
            raise too_many(max(1, math.ceil(stats.reset_time - time.time())))


def too_many(seconds: int) -> ApiError:
    text = f"Too many requests; try again in {seconds} s"
    return ApiError("RATE_LIMITED", text, headers={"Retry-After": str(seconds)})


def network_of(client: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 network of an IPv6 one, which is one household's."""
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return client
    if address.version == 4:
        return client
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))


def _strategy() -> Any:
    from limits.storage import MemoryStorage
    from limits.strategies import MovingWindowRateLimiter

    return MovingWindowRateLimiter(MemoryStorage())


def _window(limit: RateLimit) -> Any:
    from limits import RateLimitItemPerSecond

    return RateLimitItemPerSecond(limit.hits, limit.seconds)
