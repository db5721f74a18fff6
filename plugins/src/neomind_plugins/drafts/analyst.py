"""Looks at the samples of drafts, again whenever there are more of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

import attrs

from neomind_sdk import ApiError, Clock, Database, Logger

from . import tables
from .analysis import analyze
from .findings import Analysis
from .packing import INLINE_MAX
from .proposals import Typist
from .records import ANALYZING, FAILED, WAITING, Draft, KeptSample
from .shelf import Shelf
from .telling import Teller

AGAIN_S = 1.0
NOTHING = "No value with a name was found in the samples"


@attrs.define(eq=False)
class Analyst:
    """One analysis at a time; those of large samples run in a thread."""

    database: Database
    shelf: Shelf
    typist: Typist
    tell: Teller
    clock: Clock
    log: Logger
    _wanted: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _lock: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False)

    def wake(self) -> None:
        """Some draft has samples that were not looked at."""
        self._wanted.set()

    async def work(self) -> None:
        """Look at what comes, for ever."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                for draft in self.shelf.all():
                    await self.look(draft)
            except ApiError as error:
                self.log.warning("draft_not_analyzed", reason=error.message)
                await self.clock.sleep(AGAIN_S)
                self._wanted.set()

    async def look(self, draft: Draft) -> None:
        """Bring the analysis of a draft up to date; raises the storage's errors."""
        async with self._lock:
            if draft.stale and self.shelf.holds(draft):
                await self._look(draft)

    async def _look(self, draft: Draft) -> None:
        draft.status, count = ANALYZING, draft.samples
        self.tell.analyzing(draft)
        samples = await self.database.read(partial(tables.samples, draft.key))
        analysis: Analysis | None = None
        problem: str | None = None
        try:
            analysis = await self._found(samples)
            problem = None if analysis.usable else NOTHING
        except Exception as error:  # a message that the analysis cannot take must not stop those of others
            self.log.exception("draft_analysis_failed", device_id=draft.device_id)
            problem = f"The samples could not be analyzed: {type(error).__name__}"
        if draft.approval is None and not draft.closing:
            await self._note(draft, count, analysis, problem)

    async def _found(self, samples: Sequence[KeptSample]) -> Analysis:
        if sum(len(sample.text) for sample in samples) <= INLINE_MAX:
            return analyze(samples)
        return await asyncio.to_thread(analyze, samples)

    async def _note(self, draft: Draft, count: int, analysis: Analysis | None, problem: str | None) -> None:
        draft.analysis, draft.analyzed, draft.error_message = analysis, count, problem
        draft.status = FAILED if problem else WAITING
        if problem or analysis is None:
            self.tell.failed(draft)
        else:
            self.tell.analyzed(draft, self.typist.proposal(draft, analysis).device_type)
        await self.database.write(partial(tables.update, tables.found(draft)))
