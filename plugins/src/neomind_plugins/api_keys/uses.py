"""When keys were last used."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import attrs

from neomind_sdk import Database

from . import tables


@attrs.define(eq=False)
class Uses:
    """Kept in memory, written when told to: a request that brings a key never waits for that.

    After a crash a key may seem to have been used last a little earlier than it was.
    """

    database: Database
    _last: dict[str, int] = attrs.field(factory=dict, init=False)
    _unsaved: set[str] = attrs.field(factory=set, init=False)

    def start(self, saved: Mapping[str, int]) -> None:
        self._last.update(saved)

    def last(self, key_id: str) -> int | None:
        return self._last.get(key_id)

    def note(self, key_id: str, now_ms: int) -> None:
        self._last[key_id] = now_ms
        self._unsaved.add(key_id)

    def forget(self, key_id: str) -> None:
        self._last.pop(key_id, None)
        self._unsaved.discard(key_id)

    async def save(self) -> None:
        """Write what changed since the last time; what could not be written is tried again the next time."""
        unsaved, self._unsaved = self._unsaved, set()
        used = {key_id: self._last[key_id] for key_id in unsaved}
        if not used:
            return
        try:
            await self.database.write(partial(tables.save_uses, used))
        except BaseException:
            self._unsaved |= unsaved & self._last.keys()
            raise
