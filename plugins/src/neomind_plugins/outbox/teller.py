"""Tells the servers of orders what has come to its end."""

from __future__ import annotations

import asyncio
from functools import partial

from neomind_sdk import ApiError, DeliveryRecord, OrderServer
from neomind_sdk.foreign import ForeignError, call
from neomind_sdk.units import SECOND_MS

from . import tables
from .parts import Parts

BATCH = 100
AGAIN_S = 60.0
GATHER_S = 0.02


class Teller:
    """A task per kind, while there is something to tell; so no server waits for another's."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._running: dict[str, bool] = {}  # whether there is more than the task has seen
        self._closing = False

    def start(self, kind: str) -> None:
        """Something of a kind has ended, or may have."""
        if self._closing or kind not in self._parts.servers:
            return
        if kind in self._running:
            self._running[kind] = True
            return
        self._running[kind] = True
        self._parts.spawn(self._run(kind), f"tell:{kind}")

    def close(self) -> None:
        """Begin nothing any more."""
        self._closing = True

    async def _run(self, kind: str) -> None:
        try:
            while self._running[kind] and not self._closing:
                self._running[kind] = False
                if await self._tell(kind):
                    # What ends meanwhile is told together: reading and marking costs as much for one as for many.
                    await asyncio.sleep(GATHER_S)
        except ApiError as error:  # what is told twice harms nobody, and the next look tries again
            self._parts.log.warning("ends_not_told", kind=kind, reason=error.message)
        finally:
            del self._running[kind]

    async def _tell(self, kind: str) -> bool:
        """Tell what there is to tell; whether there was anything."""
        any_told = False
        server, now_ms = self._parts.servers[kind], self._parts.clock.now_ms()
        while records := await self._parts.database.read(partial(tables.untold, kind, now_ms, BATCH)):
            good = await asyncio.gather(*(self._one(server, record) for record in records))
            told = [record.delivery_id for record, ok in zip(records, good, strict=True) if ok]
            again = [record.delivery_id for record, ok in zip(records, good, strict=True) if not ok]
            again_ms = now_ms + round(AGAIN_S * SECOND_MS)
            await self._parts.database.write(partial(tables.told, told, again, again_ms))
            any_told = True
            if self._closing:
                break
        return any_told

    async def _one(self, server: OrderServer, record: DeliveryRecord) -> bool:
        try:
            await call(lambda: server.settled(record), self._parts.settings.attempt_timeout_s)
        except ForeignError as error:
            self._parts.log.error("settled_raised", delivery_id=record.delivery_id, exc_info=error.error)
            return False
        return True
