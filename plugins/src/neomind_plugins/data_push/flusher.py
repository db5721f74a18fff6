"""Batches: when they are full, when their time has come, when somebody asks."""

from __future__ import annotations

import asyncio

from neomind_sdk import ApiError, Order
from neomind_sdk.units import SECOND_MS

from . import tables
from .live import Live
from .records import EVENT_DRIVEN, Item
from .writer import Writer

PORTION = 5000


class Flusher:
    """Makes orders of buffers."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def buffered(self, live: Live, count: int) -> None:
        """So many values were added to the buffer of a target."""
        live.buffered += count
        target = live.target
        if target.schedule.kind == EVENT_DRIVEN and live.buffered >= target.batch.batch_size:
            await self.flush(live, whole=False)
        elif live.buffered >= self._writer.settings().buffer_max:
            await self.flush(live)
        self.watch(live)

    def watch(self, live: Live) -> None:
        """See to it that what waits is sent in time."""
        waits = live.buffered > 0 and live.target.schedule.kind == EVENT_DRIVEN and not live.gone
        if waits and live.timer is None and not self._writer.closing:
            live.timer = asyncio.create_task(self._later(live), name=f"data_push:{live.id}")

    async def flush(self, live: Live, *, whole: bool = True) -> None:
        """Send the full batches; ``whole``: and what remains."""
        async with live.turn:
            self._stop_timer(live)
            while count := self._portion(live, whole=whole):
                if not await self._send(live, count):
                    break
        self.watch(live)

    @staticmethod
    def _portion(live: Live, *, whole: bool) -> int:
        """How many values are sent next: whole batches, as far as there are some."""
        if live.target.schedule.kind != EVENT_DRIVEN:
            return min(live.buffered, PORTION)
        size = live.target.batch.batch_size
        count = live.buffered if whole else live.buffered // size * size
        return min(count, max(size, PORTION // size * size))

    async def _send(self, live: Live, count: int) -> bool:
        writer = self._writer
        try:
            rows = await writer.database.read(lambda: tables.kept(live.id, count))
            room = await writer.has_room(live)
        except ApiError as error:
            writer.log.warning("push_buffer_not_read", target=live.id, reason=error.message)
            return False
        if not rows:
            live.buffered = 0
            return False
        items, last = [item for _, item in rows], rows[-1][0]
        orders = await writer.made(live, items) if room else []
        if not await writer.write(lambda: self._move(live, items, orders, last, room)):
            return False
        live.buffered = max(0, live.buffered - len(rows))
        live.pending += len(orders)
        return True

    def _move(self, live: Live, items: list[Item], orders: list[Order], last: int, room: bool) -> None:
        self._writer.put(live, orders)
        tables.take(live.id, last)
        if not room:
            tables.add(live.id, dropped=len(items))

    async def _later(self, live: Live) -> None:
        await self._writer.clock.sleep(live.target.batch.batch_interval_ms / SECOND_MS)
        live.timer = None
        try:
            await self.flush(live)
        except Exception:
            self._writer.log.exception("push_batch_failed", target=live.id)

    @staticmethod
    def _stop_timer(live: Live) -> None:
        timer, live.timer = live.timer, None
        if timer is not None and timer is not asyncio.current_task():
            timer.cancel()
