"""Where samples of unknown devices are handed in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import attrs

from neomind_sdk import Clock, Database, Ingest, UnknownSample

from . import tables
from .limits import Limits
from .packing import Packed, pack, registrable, storable, timely
from .records import COLLECTING, Draft, KeptSample
from .shelf import Shelf
from .telling import Teller


@attrs.define(eq=False)
class Inbox:
    """The ``DiscoveryInbox`` of the platform: a sample that is kept is in the database before anybody is told so.

    ``enabled``      whether unknown devices are to be discovered
    ``max_samples``  of one draft
    ``news``         called when a draft got a sample
    """

    database: Database
    shelf: Shelf
    limits: Limits
    tell: Teller
    clock: Clock
    enabled: Callable[[], bool]
    max_samples: Callable[[], int]
    news: Callable[[], None]
    ingest: Ingest | None = attrs.field(default=None, init=False)
    connected: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _keeping: set[asyncio.Task[bool]] = attrs.field(factory=set, init=False)

    def connect(self, ingest: Ingest) -> None:
        """See ``DiscoveryInbox.connect``."""
        self.ingest = ingest
        self.connected.set()

    async def offer(self, sample: UnknownSample) -> bool:
        """See ``DiscoveryInbox.offer``."""
        if not self.enabled() or not self.shelf.has_room(sample.device_id):
            return False
        if not registrable(sample.device_id) or not self.limits.admit(sample.device_id, sample.client):
            return False
        return await self.keep(sample)

    async def keep(self, sample: UnknownSample) -> bool:
        """Keep a sample, whoever sent it how often; ``False`` when it cannot be kept or its draft is full.

        Raises the storage's errors.
        """
        packed = pack(sample.payload) if timely(sample) else None
        if packed is None or not self.shelf.has_room(sample.device_id) or not self.shelf.has_space(len(packed.text)):
            return False
        draft = self.shelf.get(sample.device_id) or self._begin(sample)
        if draft.closing or draft.samples + draft.arriving >= self.max_samples():
            return False
        kept = sample_of(sample, packed, draft.begin(len(packed.text)))
        # To its end, whatever becomes of the caller: memory and database must not disagree.
        task = asyncio.create_task(self._keep(draft, kept, sample.payload))
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for the samples that are being stored."""
        await asyncio.gather(*self._keeping, return_exceptions=True)

    def _begin(self, sample: UnknownSample) -> Draft:
        now_ms = self.clock.now_ms()
        draft = Draft(
            key=uuid4().hex,
            device_id=sample.device_id,
            source=sample.source,
            original_topic=sample.original_topic,
            adapter_id=sample.adapter_id,
            discovered_ms=now_ms,
            updated_ms=now_ms,
        )
        self.shelf.put(draft)
        return draft

    async def _keep(self, draft: Draft, kept: KeptSample, payload: Any) -> bool:
        stored = False
        try:
            if await storable(payload, Packed(kept.text, kept.binary)):
                draft.updated_ms = self.clock.now_ms()
                await self.database.write(partial(tables.insert_sample, tables.columns(draft), kept))
                stored = True
        finally:
            draft.end(len(kept.text), stored=stored)
            if not draft.samples and not draft.arriving:
                self.shelf.remove(draft)
        if stored:
            self._noted(draft, kept)
        return stored

    def _noted(self, draft: Draft, kept: KeptSample) -> None:
        if draft.samples == 1:
            self.tell.discovered(draft, kept)
        self.tell.collected(draft)
        if draft.approval is None:
            draft.status = COLLECTING
            self.news()


def sample_of(sample: UnknownSample, packed: Packed, n: int) -> KeptSample:
    return KeptSample(
        n=n,
        text=packed.text,
        binary=packed.binary,
        received_ms=sample.received_ms,
        ts_ms=sample.ts_ms,
        quality=sample.quality,
        retained=sample.retained,
    )
