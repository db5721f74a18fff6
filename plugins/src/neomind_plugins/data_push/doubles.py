"""Outputs of extensions that are stored and announced: two events about one value."""

from __future__ import annotations

from collections import OrderedDict

from neomind_sdk import Clock
from neomind_sdk import series as ids

from .records import Item

KNOWN_MAX = 4096
SECONDS = 10.0
PREFIX = f"{ids.EXTENSION}:"


class Doubles:
    """Remembers for a moment what was stored of extensions; each stored value hides one announcement of it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stored: OrderedDict[str, list[tuple[float, Item]]] = OrderedDict()

    def note(self, item: Item) -> None:
        """A value was stored."""
        if not item.source.startswith(PREFIX):
            return
        self._stored.setdefault(item.source, []).append((self._clock.monotonic(), item))
        self._stored.move_to_end(item.source)
        if len(self._stored) > KNOWN_MAX:
            self._stored.popitem(last=False)

    def known(self, item: Item) -> bool:
        """Whether what is announced was stored just before."""
        since = self._clock.monotonic() - SECONDS
        fresh = [(at, one) for at, one in self._stored.pop(item.source, ()) if at >= since]
        place = next((n for n, (_, one) in enumerate(fresh) if _same(one, item)), None)
        if place is not None:
            del fresh[place]
        if fresh:
            self._stored[item.source] = fresh
        return place is not None


def _same(stored: Item, announced: Item) -> bool:
    return bool(stored.value == announced.value) and stored.hops == announced.hops
