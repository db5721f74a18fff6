"""Names of deliveries: random, and sorted by the time of their making."""

from __future__ import annotations

import secrets

from neomind_sdk import Clock

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
PREFIX = "msg_"
LENGTH = 26
RANDOM_BITS = 80
BITS = 5


class Ids:
    """Gives ids; in one process each is greater than the one before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def new(self) -> str:
        drawn = (self._clock.now_ms() << RANDOM_BITS) | secrets.randbits(RANDOM_BITS)
        self._last = max(drawn, self._last + 1)
        return PREFIX + _text(self._last)


def _text(number: int) -> str:
    return "".join(ALPHABET[number >> BITS * place & 31] for place in reversed(range(LENGTH)))
