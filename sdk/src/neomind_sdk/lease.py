"""Leases without clocks that agree: who may go on, and who may take over, each by its own monotonic time.

What a lease is kept in changes with each renewal. The owner counts from before its latest renewal, the others from
after they saw the latest change; as long as ``Hold`` is shorter than ``Watch``, no two ever have it. Clocks on the wall
are not compared: people set them, and those of two machines differ.
"""

from __future__ import annotations

import math

import attrs

from neomind_core.contracts import Clock

DRIFT_MS = 5000
"""The wall clock and the monotonic one part by more than this when one is set, or when the machine slept."""


@attrs.frozen
class Moment:
    """A time by both clocks: monotonic seconds, and epoch milliseconds."""

    at: float
    wall_ms: int

    @property
    def apart_ms(self) -> float:
        """What the two clocks differ by."""
        return self.wall_ms - self.at * 1000


class Hold:
    """The owner's side: whether the lease still holds, for ``length_s`` from a renewal on."""

    def __init__(self, clock: Clock, length_s: float) -> None:
        self._clock = clock
        self._length_s = length_s
        self._since: Moment | None = None

    def now(self) -> Moment:
        """To be asked for before the storage is told to renew, and given to ``renewed`` when it has."""
        return Moment(self._clock.monotonic(), self._clock.now_ms())

    def renewed(self, since: Moment) -> None:
        """It was taken or renewed by what began at that moment."""
        self._since = since

    def lose(self) -> None:
        """It was given back, or another has it."""
        self._since = None

    @property
    def taken(self) -> bool:
        """Whether it was ours at last, even if its time is over by now."""
        return self._since is not None

    @property
    def left_s(self) -> float:
        """How long it holds without being renewed; none or less: it does not."""
        return -math.inf if self._since is None else self._since.at + self._length_s - self._clock.monotonic()

    @property
    def doubtful(self) -> bool:
        """Whether the clocks parted since: monotonic time may have stood still while the machine slept."""
        return self._since is None or abs(self.now().apart_ms - self._since.apart_ms) > DRIFT_MS


class Watch:
    """The others' side: since when a lease stands still. Whoever begins to look must see it do so for ``expiry_s``."""

    def __init__(self, clock: Clock, expiry_s: float) -> None:
        self._clock = clock
        self._expiry_s = expiry_s
        self._since = math.inf
        self.seen: object = None
        """What was found last."""

    def over(self, found: object) -> bool:
        """Whether what was just read, and equals only itself, was found unchanged for the whole expiry."""
        if self._since == math.inf or found != self.seen:
            self.seen, self._since = found, self._clock.monotonic()
        return self.left_s <= 0

    @property
    def left_s(self) -> float:
        """How long it has to stand still yet."""
        return self._since + self._expiry_s - self._clock.monotonic()
