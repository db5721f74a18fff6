"""Orders into the outbox, together with what they were made of: in one transaction, tried until it succeeds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import attrs

from neomind_sdk import ApiError, Clock, Database, Logger, Order, Outbox, StorageFull, Unavailable
from neomind_sdk.units import HOUR_MS

from . import tables
from .live import Live
from .models import DataPushSettings
from .payloads import Maker
from .records import Item

RETRY_S, RETRY_MAX_S = 0.5, 10.0


@attrs.define(kw_only=True, eq=False)
class Writer:
    """``closing``: what cannot be written now is given up, the platform stops."""

    database: Database
    outbox: Outbox
    clock: Clock
    log: Logger
    settings: Callable[[], DataPushSettings]
    closing: bool = False

    async def made(self, live: Live, items: Sequence[Item]) -> list[Order]:
        """The orders of a target's values. Templates are rendered in a thread."""
        maker = self.maker(live)
        return await run(live, lambda: maker.of(items))

    def maker(self, live: Live, *, resend: bool = False) -> Maker:
        expires_ms = self.clock.now_ms() + round(self.settings().expire_hours * HOUR_MS)
        return live.maker(expires_ms, resend=resend)

    async def write(self, work: Callable[[], None], *, patient: bool = False) -> bool:
        """Whether it was done. ``patient``: a storage that is busy or full is asked again, with growing pauses."""
        pause_s = RETRY_S
        while True:
            try:
                await self.database.write(work)
            except (Unavailable, StorageFull) as error:
                self.log.warning("push_not_queued", reason=error.message)
                if self.closing or not patient:
                    return False
                await self.clock.sleep(pause_s)
                pause_s = min(pause_s * 2, RETRY_MAX_S)
            except ApiError as error:
                self.log.error("push_impossible", reason=error.message)
                return False
            else:
                self.outbox.wake()
                return True

    def put(self, live: Live, orders: Sequence[Order]) -> None:
        """Inside ``write``: queue orders, and count them."""
        if orders:
            self.outbox.put(orders)
            tables.add(live.id, queued=len(orders))

    async def has_room(self, live: Live) -> bool:
        """Whether the queue of a target takes more. What it does not take is counted, and said once."""
        most = self.settings().queue_max
        if live.pending < most:
            live.full = live.full and live.pending > most // 2
            return True
        _, live.pending = await self.outbox.of_lane(live.target.lane, state="pending", limit=1)
        if live.pending >= most and not live.full:
            live.full = True
            self.log.warning("push_queue_full", target=live.id, waiting=live.pending)
        return live.pending < most


async def run(live: Live, work: Callable[[], list[Order]]) -> list[Order]:
    """The result of ``work``, which may render templates."""
    return work() if live.template is None else await asyncio.to_thread(work)
