"""Which process runs a lane: the leases of this one, and how long those of others stand still."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from itertools import count

from neomind_sdk import Clock
from neomind_sdk.lease import Hold, Watch

from .records import Holder

RENEW_S = 10.0
"""An attempt begins with a lease that is younger than this, or renews it."""
SLACK_S = 10.0
"""How long the storage may take to write that an attempt begins; after that it is not made."""
MARGIN_S = 10.0
"""Others wait longer than the owner holds by this: for an attempt that is slow to stop, and clocks that tick apart."""


class Leases:
    """A lease is two columns of a lane's row: ``owner``, and ``beat``, which changes with each renewal.

    An attempt begins only while the lease holds for as long as the attempt may take, so none outlives it. Whoever wants
    the lane of another must have seen the row stand still for longer than that. The clock on the wall has no say.

    ``owner``  the name of this process, of which no other one has ever been
    """

    def __init__(self, clock: Clock, attempt_s: float) -> None:
        self.owner = ""
        self._clock = clock
        self._attempt_s = attempt_s
        self._beats = count(1)
        self._watches: dict[str, Watch] = {}

    def name(self, node: str) -> None:
        """Name the process after its node, before any lane is taken."""
        self.owner = f"{node}:{secrets.token_hex(8)}"

    def beat(self) -> int:
        """One that this process never had: what was seen once must not come again, though rows are deleted."""
        return next(self._beats)

    # ---- lanes of this process ----------------------------------------------------------------------------------

    def hold(self) -> Hold:
        """That of a lane which is not ours yet."""
        return Hold(self._clock, self._attempt_s + RENEW_S + SLACK_S)

    def old(self, hold: Hold) -> bool:
        """Whether the next attempt must renew it."""
        return hold.left_s <= self._attempt_s + SLACK_S or hold.doubtful

    def suffices(self, hold: Hold) -> bool:
        """Whether an attempt that begins now cannot outlive it."""
        return hold.left_s >= self._attempt_s and not hold.doubtful

    # ---- lanes of others ----------------------------------------------------------------------------------------

    def over(self, lane: str, found: Holder) -> bool:
        """Whether the other one that was just found to have a lane has died, as far as one can tell."""
        if lane not in self._watches:
            self._watches[lane] = Watch(self._clock, self._attempt_s + RENEW_S + SLACK_S + MARGIN_S)
        return self._watches[lane].over(found)

    def left_s(self, lane: str) -> float:
        """How long until a lane that another one has may be taken from it."""
        return self._watches[lane].left_s

    def tidy(self, lanes: Collection[str]) -> None:
        """Forget all lanes but these."""
        self._watches = {lane: watch for lane, watch in self._watches.items() if lane in lanes}
