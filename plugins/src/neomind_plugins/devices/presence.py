"""When devices were last heard from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import attrs

from neomind_sdk import ApiError, Clock, Database, Logger

from . import tables

SAVE_EVERY_S = 10.0
BATCH = 500
"""How many devices one write takes: a few milliseconds of the storage's writer."""


@attrs.define(eq=False)
class Presence:
    """Kept in memory, saved every ten seconds and at stop.

    After a crash a device may seem to have been heard from up to ten seconds earlier than it was.
    """

    database: Database
    clock: Clock
    log: Logger
    _seen: dict[str, int] = attrs.field(factory=dict, init=False)
    _unsaved: set[str] = attrs.field(factory=set, init=False)
    _greeted: set[str] = attrs.field(factory=set, init=False)

    def start(self, saved: Mapping[str, int]) -> None:
        self._seen.update(saved)

    def last_seen(self, device_id: str) -> int | None:
        return self._seen.get(device_id)

    def hear(self, device_id: str, at_ms: int, timeout_s: int) -> bool:
        """A device was heard from; whether it came online by that, or is heard from for the first time since start."""
        before = self._seen.get(device_id)
        self._seen[device_id] = at_ms
        self._unsaved.add(device_id)
        if before is not None and at_ms - before < timeout_s * 1000 and device_id in self._greeted:
            return False
        self._greeted.add(device_id)
        return True

    def forget(self, device_id: str) -> None:
        self._seen.pop(device_id, None)
        self._unsaved.discard(device_id)
        self._greeted.discard(device_id)

    async def save(self) -> None:
        """Save what changed since the last time; what could not be saved is tried again the next time."""
        unsaved, self._unsaved = list(self._unsaved), set()
        for start in range(0, len(unsaved), BATCH):
            batch = {name: self._seen[name] for name in unsaved[start : start + BATCH] if name in self._seen}
            try:
                await self.database.write(partial(tables.save_seen, batch))
            except BaseException:
                self._unsaved.update(unsaved[start:])
                raise

    async def keep_saving(self) -> None:
        """Save for ever."""
        while True:
            await self.clock.sleep(SAVE_EVERY_S)
            try:
                await self.save()
            except ApiError as error:
                self.log.warning("last_seen_not_saved", reason=str(error))
