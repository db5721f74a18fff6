"""From what was stored to what is queued: values that targets want become orders, or wait in a buffer on disk.

A buffer is a table: what a target has taken in is durable, and a restart goes on with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import attrs
import orjson

from neomind_sdk import ApiError, Event, ExtensionOutputProduced, Lagged, Logger, MetricsStored, Notice, Order
from neomind_sdk import series as ids

from . import tables
from .doubles import Doubles
from .flusher import Flusher
from .live import Index, Live
from .records import Item
from .writer import Writer

HOPS_MAX = 8


@attrs.frozen(kw_only=True)
class Drained(Event):
    """Ours alone: everything that was published before has been handled."""

    done: asyncio.Event = attrs.field(factory=asyncio.Event, repr=False)


@attrs.define(eq=False)
class Taken:
    """What a batch of events has for targets. ``far``: how many values had come too far."""

    items: dict[Live, list[Item]] = attrs.field(factory=dict)
    far: dict[Live, int] = attrs.field(factory=dict)


class Engine:
    """``missed`` counts events that were lost because we were too slow; ``busy`` is held while values are taken in."""

    def __init__(self, writer: Writer, flusher: Flusher, log: Logger) -> None:
        self.index = Index()
        self.missed = 0
        self.busy = asyncio.Lock()
        self._writer = writer
        self._flusher = flusher
        self._doubles = Doubles(writer.clock)
        self._log = log

    async def handle(self, notices: Sequence[Notice]) -> None:
        """Take in what happened; when this returns it is queued, or in a buffer."""
        try:
            if not self.index.empty:
                async with self.busy:
                    await self._store(self._taken(notices))
        finally:
            for notice in notices:
                if isinstance(notice.event, Drained):
                    notice.event.done.set()

    # ---- taking ----

    def _taken(self, notices: Sequence[Notice]) -> Taken:
        taken, find = Taken(), self.index.find
        for _, at_ms, event in notices:
            if isinstance(event, MetricsStored):
                for source, ts_ms, value, _ in event.points:
                    if wanting := find(source):
                        item = Item(source, ts_ms, value, event.hops, event.cause)
                        self._doubles.note(item)
                        self._take(taken, wanting, item)
            elif isinstance(event, ExtensionOutputProduced):
                self._announced(taken, event, at_ms)
            elif isinstance(event, Lagged):
                self.missed += event.dropped
                self._log.warning("push_lagged", dropped=event.dropped)
        return taken

    def _announced(self, taken: Taken, event: ExtensionOutputProduced, at_ms: int) -> None:
        source = f"{ids.EXTENSION}:{event.extension_id}:{event.output_name}"
        item = Item(source, at_ms, event.value, event.hops, event.cause)
        wanting = self.index.find(source)
        if not wanting or self._doubles.known(item):
            return
        try:
            orjson.dumps(event.value)
        except orjson.JSONEncodeError:
            self._log.warning("push_value_not_json", source=source)
        else:
            self._take(taken, wanting, item)

    def _take(self, taken: Taken, wanting: tuple[Live, ...], item: Item) -> None:
        for live in wanting:
            if item.hops >= HOPS_MAX:
                self._too_far(taken, live, item)
            elif not live.target.data_filter.only_changes or live.changed(item):
                taken.items.setdefault(live, []).append(item)

    def _too_far(self, taken: Taken, live: Live, item: Item) -> None:
        """What has been through eight rules, targets or platforms goes no further."""
        taken.far[live] = taken.far.get(live, 0) + 1
        if not live.tired:
            live.tired = True
            self._log.warning("push_stopped_by_hops", target=live.id, source=item.source, hops=item.hops)

    # ---- storing ----

    async def _store(self, taken: Taken) -> None:
        direct = {live: items for live, items in taken.items.items() if live.target.direct}
        buffered = {live: items for live, items in taken.items.items() if not live.target.direct}
        full = [live for live in direct if await self._is_full(live)]
        orders = {live: await self._writer.made(live, direct[live]) for live in direct if live not in full}

        def work() -> None:
            for live, made in orders.items():
                self._writer.put(live, made)
            if buffered:
                tables.keep({live.id: items for live, items in buffered.items()})
            for live in full:
                tables.add(live.id, dropped=len(direct[live]))
            for live, number in taken.far.items():
                tables.add(live.id, hops=number)

        if not (taken.items or taken.far) or not await self._writer.write(work, patient=True):
            return
        await self._stored(orders, buffered)

    async def _is_full(self, live: Live) -> bool:
        """A queue that cannot be looked at just now takes what comes: that is no reason to lose it."""
        try:
            return not await self._writer.has_room(live)
        except ApiError as error:
            self._log.warning("push_queue_not_read", target=live.id, reason=error.message)
            return False

    async def _stored(self, orders: dict[Live, list[Order]], buffered: dict[Live, list[Item]]) -> None:
        for live, made in orders.items():
            live.pending += len(made)
        for live, items in buffered.items():
            await self._flusher.buffered(live, len(items))
