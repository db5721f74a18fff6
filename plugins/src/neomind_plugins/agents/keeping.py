"""Records of what has happened: the storage is asked until it takes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import attrs

from neomind_sdk import Clock, Database, Logger, StorageFull, Unavailable
from neomind_sdk.waiting import until

RETRY_S = 1.0
"""When the storage refuses, how long until it is asked again."""


@attrs.frozen
class Keeper:
    """Writes what must not be lost."""

    database: Database
    clock: Clock
    log: Logger

    async def surely(self, work: Callable[[], Any], enough: asyncio.Event, **names: str) -> None:
        """Do ``work`` in a transaction, tried until the storage takes it, and once more when ``enough`` is set.

        Raises the storage's refusal after that, and whatever else ``work`` raises at once. ``names`` are logged.
        """
        while True:
            last = enough.is_set()
            try:
                await self.database.write(work)
                return
            except (Unavailable, StorageFull) as error:
                if last:
                    raise
                self.log.warning("agent_record_not_saved", reason=error.message, **names)
            await until(self.clock, RETRY_S, enough)
