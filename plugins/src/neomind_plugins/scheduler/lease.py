"""Who of those that share a storage runs jobs."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import partial

from neomind_sdk import ApiError, Clock, Database, StorageFull
from neomind_sdk.lease import Hold, Moment, Watch

from . import tables
from .kept import JobState

HOLD_S = 60.0
"""So long the owner goes on without having renewed the lease."""
EXPIRY_S = 90.0
"""So long others see no renewal before one of them takes over; longer than ``HOLD_S``, so that no two ever run."""


class Lease:
    """One row of the storage. No clock on the wall decides anything, and no two clocks are compared.

    The owner counts from its latest renewal, the others from when they saw the latest change, each by its own monotonic
    time. Who begins anew must therefore see the row stand still for ``EXPIRY_S``, whatever it says. Except one that
    finds the name of its own node: the process that had it has died.

    ``node``   the name of this node, kept over restarts
    ``owner``  the name of this process
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._hold = Hold(clock, HOLD_S)
        self._watch = Watch(clock, EXPIRY_S)
        self._by_reading = False
        self._first = True
        self.node = ""
        self.owner = ""

    def name(self, node: str) -> None:
        """Name the node, before the lease is taken."""
        self.node = node
        self.owner = f"{node}:{secrets.token_hex(8)}"

    @property
    def left_s(self) -> float:
        """How long it holds without being renewed; none or less: it does not."""
        return self._hold.left_s

    @property
    def by(self) -> str:
        """The node that had it when another's was looked at last."""
        seen = self._watch.seen
        return _node(seen) if isinstance(seen, tables.Holder) else ""

    async def take(self) -> bool:
        """Take it when it is free, or when its owner has died; raises ``ApiError`` when the storage does not work."""
        found = await self._database.read(tables.holder)
        first, self._first = self._first, False
        if found is not None and found.owner is not None and not self._over(found, first=first):
            return False
        began = self._hold.now()
        if not await self._database.write(partial(tables.take, self.owner, found, began.wall_ms)):
            return False
        self._renewed(began)
        return True

    async def write(self, states: Mapping[str, JobState], *, last: bool = False) -> bool:
        """Renew it, or with ``last`` give it back, and write states, all or nothing.

        Returns ``False``, and has done nothing, when it was lost. Raises ``ApiError`` when the storage does not work.
        """
        began = self._hold.now()
        done = await self._database.write(partial(tables.write, self.owner, states, began.wall_ms, last=last))
        if done and not last:
            self._renewed(began)
        else:
            self.lose()
        return done

    async def forget(self, names: list[str], before_ms: int) -> bool:
        """Delete jobs that were not there since; raises ``ApiError``."""
        return await self._database.write(partial(tables.forget, self.owner, names, before_ms))

    async def sure(self) -> bool:
        """Whether it holds; when there is a doubt the storage is asked."""
        if self.left_s > 0 and not self._by_reading and not self._hold.doubtful:
            return True
        return self._hold.taken and await self.confirm()

    async def confirm(self) -> bool:
        """Renew it. On a full disk nobody can take it, so that it is enough to read that nobody has."""
        try:
            return await self.write({})
        except StorageFull:
            return await self._still_mine()
        except ApiError:
            return False

    def lose(self) -> None:
        """It is not ours any more."""
        self._hold.lose()
        self._by_reading = False

    async def _still_mine(self) -> bool:
        began = self._hold.now()
        try:
            found = await self._database.read(tables.holder)
        except ApiError:
            return False
        if found is None or found.owner != self.owner:
            self.lose()
            return False
        self._renewed(began)
        self._by_reading = True
        return True

    def _over(self, found: tables.Holder, *, first: bool) -> bool:
        over = self._watch.over(found)
        # Only at first: a copy of the data directory elsewhere has the name too, and must not snatch it all the time.
        return over or found.owner == self.owner or (first and _node(found) == self.node)

    def _renewed(self, began: Moment) -> None:
        self._hold.renewed(began)
        self._by_reading = False


def _node(holder: tables.Holder) -> str:
    return (holder.owner or "").partition(":")[0]
