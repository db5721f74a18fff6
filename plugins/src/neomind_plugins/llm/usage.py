"""What was asked of backends: counted in memory, written now and then."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import attrs

from neomind_sdk import Clock, Database, Logger

from . import tables
from .records import Used

SAVE_EVERY_S = 10.0


@attrs.define(eq=False)
class Usages:
    """A call never waits for the storage. After a crash the calls of the last seconds are not counted."""

    database: Database
    clock: Clock
    log: Logger
    _all: dict[str, Used] = attrs.field(factory=dict, init=False)
    _unsaved: dict[str, Used] = attrs.field(factory=dict, init=False)

    async def load(self) -> None:
        self._all.update(await self.database.read(tables.usage))

    def of(self, backend_id: str) -> Used:
        return self._all.get(backend_id, Used())

    def total(self) -> Used:
        total = Used()
        for used in self._all.values():
            total = total.plus(used)
        return total

    def note(self, backend_id: str, used: Used) -> None:
        self._all[backend_id] = self.of(backend_id).plus(used)
        self._unsaved[backend_id] = self._unsaved.get(backend_id, Used()).plus(used)

    def forget(self, backend_id: str) -> None:
        self._all.pop(backend_id, None)
        self._unsaved.pop(backend_id, None)

    async def keep_up(self) -> None:
        """Again and again: write what was counted."""
        while True:
            await self.clock.sleep(SAVE_EVERY_S)
            try:
                await self.save()
            except Exception as error:  # whatever it is: the next time may be better
                self.log.warning("llm_usage_not_saved", exc_info=error)

    async def save(self) -> None:
        """Write what was counted since the last time; what could not be written is tried again the next time."""
        unsaved: Mapping[str, Used] = dict(self._unsaved)
        self._unsaved.clear()
        if not unsaved:
            return
        try:
            await self.database.write(partial(tables.add_usage, unsaved))
        except BaseException:
            for backend_id in unsaved.keys() & self._all.keys():
                self._unsaved[backend_id] = self._unsaved.get(backend_id, Used()).plus(unsaved[backend_id])
            raise
