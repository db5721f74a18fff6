"""The states of jobs in the storage."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress

import attrs

from neomind_sdk import ApiError, Clock, Database, Logger

from . import tables
from .kept import JobState, Write
from .lease import Lease

AHEAD_MS = 45_000
"""So far ahead the points of a job that runs all the time are on record as done: longer than from flush to flush."""
DAY_MS = 86_400_000
KEEP_MS = 30 * DAY_MS
"""So long a job is remembered that nobody declares."""
AT_A_TIME = 500


class DurableStates:
    """``JobStates`` in tables. All are in memory while the lease is held; changes are written together.

    ``trouble``  why the latest write failed, empty when it did not
    """

    def __init__(self, database: Database, clock: Clock, lease: Lease, log: Logger) -> None:
        self.trouble = ""
        self._database = database
        self._clock = clock
        self._lease = lease
        self._log = log
        self._known: dict[str, JobState] = {}
        self._seen_ms: dict[str, int] = {}
        self._dirty: set[str] = set()
        self._ahead: dict[str, int] = {}

    async def reload(self) -> None:
        """Take up what is in the storage, and nothing else; raises ``ApiError``."""
        rows = await self._database.read(tables.all_states)
        self._known = {name: state for name, (state, _) in rows.items()}
        self._seen_ms = {name: seen_ms for name, (_, seen_ms) in rows.items()}
        self._dirty.clear()
        self._ahead.clear()

    def load(self, name: str) -> JobState:
        return self._known.get(name, JobState())

    def keep(self, name: str, state: JobState) -> None:
        self._known[name] = state
        self._dirty.add(name)

    async def may_run(self) -> bool:
        return await self._lease.sure()

    async def save(self, name: str, state: JobState, write: Write) -> bool:
        self.keep(name, state)
        if write is Write.SOON or (write is Write.AHEAD and self._is_ahead(name, state)):
            return True
        self._ahead.pop(name, None)
        if write is Write.AHEAD:
            self._ahead[name] = self._clock.now_ms() + AHEAD_MS
        try:
            return await self._write([name])
        except ApiError:
            return True  # rather twice after a crash than not at all on a full disk

    async def flush(self, *, last: bool = False) -> bool:
        """Write all that is not written, and renew the lease, or give it back; ``False``: it was lost.

        Raises ``ApiError``; then what is not written stays so, for the next time.
        """
        until_ms = self._clock.now_ms() + AHEAD_MS
        if last:
            self._dirty |= self._ahead.keys()
            self._ahead.clear()
        self._ahead |= dict.fromkeys(self._ahead.keys() & self._dirty, until_ms)
        names = sorted(self._dirty)
        while len(names) > AT_A_TIME:
            some, names = names[:AT_A_TIME], names[AT_A_TIME:]
            if not await self._write(some):
                return False
        return await self._write(names, last=last)

    async def tidy(self, declared: Collection[str]) -> None:
        now_ms = self._clock.now_ms()
        for name in declared:
            if name in self._known and self._seen_ms.get(name, now_ms) < now_ms - DAY_MS:
                self._dirty.add(name)
        old = [name for name, seen_ms in self._seen_ms.items() if seen_ms < now_ms - KEEP_MS]
        gone = [name for name in old if name not in declared]
        if gone and await self._lease.forget(gone, now_ms - KEEP_MS):
            for name in gone:
                self._known.pop(name, None)
                del self._seen_ms[name]
                self._dirty.discard(name)

    async def _write(self, names: Iterable[str], *, last: bool = False) -> bool:
        states = {name: self._as_written(name) for name in names}
        self._dirty -= states.keys()
        try:
            done = await self._lease.write(states, last=last)
        except BaseException as error:  # cancelled: who knows what became of it
            self._dirty |= states.keys()
            if isinstance(error, ApiError):
                self._complain(error)
            raise
        self.trouble = ""
        if done:
            self._seen_ms |= dict.fromkeys(states, self._clock.now_ms())
        return done

    def _is_ahead(self, name: str, state: JobState) -> bool:
        return state.dealt_ms is not None and state.dealt_ms <= self._ahead.get(name, -1)

    def _as_written(self, name: str) -> JobState:
        state = self._known[name]
        with suppress(KeyError):
            return attrs.evolve(state, dealt_ms=max(state.dealt_ms or 0, self._ahead[name]))
        return state

    def _complain(self, error: ApiError) -> None:
        if error.message != self.trouble:
            self._log.warning("jobs_not_written", reason=error.message)
        self.trouble = error.message
