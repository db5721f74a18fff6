"""Stored values become evaluations: each rule that is concerned is looked at once per pass."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from neomind_sdk import ApiError, Lagged, Logger, MetricsStored, Notice

from .deciding import Decider
from .kept import DATA
from .live import Live
from .values import Index, Values

Origin = tuple[str | None, int]


class Engine:
    """Handles what was stored, batch after batch.

    A pass takes in as many values as it can: until a source has a second value, or something else is the cause. So no
    value goes unseen, and a rule over several sources sees those of one message together.
    """

    def __init__(self, index: Index, values: Values, decider: Decider, log: Logger) -> None:
        self._index = index
        self._values = values
        self._decider = decider
        self._log = log
        self._busy = asyncio.Lock()

    async def handle(self, notices: Sequence[Notice]) -> None:
        """Take in a batch of ``MetricsStored``."""
        async with self._busy:
            await self._handle(notices)

    async def ages(self) -> None:
        """Look at the rules about devices that are silent."""
        async with self._busy:
            concerned = dict[str, Live]()
            for source in self._values.refresh_ages(self._index.sources):
                concerned.update(self._index.rules_of[source])
            await self._look(concerned, (None, 0))

    async def know(self, live: Live) -> None:
        """Look up what a rule's condition needs; without an answer the values are missing."""
        await self._load(dict.fromkeys(live.sources))
        self._values.refresh_ages(live.sources)

    async def _handle(self, notices: Sequence[Notice]) -> None:
        sources_of, rules_of, put = self._index.sources_of.get, self._index.rules_of, self._values.put
        concerned, fresh = dict[str, Live](), set[str]()
        origin: Origin = (None, 0)
        for _, _, event in notices:
            if isinstance(event, Lagged):
                concerned.update(self._missed(event))
            if not isinstance(event, MetricsStored):
                continue
            if concerned and (event.cause, event.hops) != origin:
                await self._look(concerned, origin)
                concerned, fresh = {}, set()
            origin = (event.cause, event.hops)
            for series, ts_ms, value, _ in event.points:
                for source in sources_of(series, ()):
                    if source in fresh:
                        await self._look(concerned, origin)
                        concerned, fresh = {}, set()
                    if put(source, ts_ms, value):
                        fresh.add(source)
                        concerned.update(rules_of.get(source, {}))
        await self._look(concerned, origin)

    def _missed(self, event: Lagged) -> dict[str, Live]:
        """Values were stored and not handed over: they are looked up, and all rules are concerned."""
        self._log.warning("rules_lagged", dropped=event.dropped)
        self._values.forget_all()
        return {rule_id: live for rules in self._index.rules_of.values() for rule_id, live in rules.items()}

    async def _look(self, concerned: Mapping[str, Live], origin: Origin) -> None:
        if not concerned:
            return
        await self._load({source: None for live in concerned.values() for source in live.sources})
        for live in concerned.values():
            self._decider.look(live, DATA, *origin)

    async def _load(self, sources: Mapping[str, None]) -> None:
        lacking = self._values.lacks(sources)
        if not lacking:
            return
        try:
            await self._values.load(lacking)
        except ApiError as error:
            self._log.error("rules_cannot_read_values", error=error.message)
