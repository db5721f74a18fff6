"""What was pushed, and pushing again what is stored: logs, tests, and past ranges of time."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import attrs

from neomind_sdk import (
    BadRequest,
    Delivery,
    DeliveryRecord,
    Egress,
    Order,
    PushPayload,
    SendTools,
    TelemetryStore,
)
from neomind_sdk import series as ids
from neomind_sdk.attempts import attempt
from neomind_sdk.kinds import Unusable
from neomind_sdk.turns import Turns
from neomind_sdk.units import DAY_MS, milliseconds

from . import tables
from .configs import Configs
from .live import Live
from .records import Item, Target, Trial
from .service import Targets
from .writer import Writer, run

PAGE = 1000
RANGE_MAX_MS = 366 * DAY_MS
SERIES_LOOKED_AT = 1000
SAMPLE = ("test:sample:value", {"test": True, "value": 42})


@attrs.frozen(kw_only=True)
class Again:
    """What was sent again."""

    samples: int
    sources: int
    deliveries: int


@attrs.frozen(kw_only=True)
class History:
    targets: Targets
    writer: Writer
    configs: Configs
    store: TelemetryStore
    egress: Egress
    turns: Turns = attrs.field(factory=Turns)

    # ---- logs ----

    async def logs(self, target_id: str, limit: int, offset: int) -> tuple[Sequence[DeliveryRecord | Trial], int]:
        """Deliveries and tests of a target, newest first, and how many there are."""
        target = await self.targets.get(target_id)
        trials = await self.writer.database.read(partial(tables.trials, target_id))
        start = max(0, offset - len(trials))
        records, count = await self.writer.outbox.of_lane(target.lane, limit=limit + offset - start, offset=start)
        page = merged(records, trials, first=start == 0)
        before = start + len(trials) - sum(isinstance(one, Trial) for one in page)
        return page[offset - before :][:limit], count + len(trials)

    # ---- tests ----

    async def test(self, target_id: str) -> Trial:
        """One attempt right now with the newest value that fits; being stopped does not matter."""
        await self.targets.get(target_id)
        live, clock = self.targets.live(target_id), self.writer.clock
        item, created_ms = await self._newest(live), clock.now_ms()
        [order] = await run(live, lambda: live.maker(None).singles([item]))
        ident = f"test_{uuid.uuid4()}"
        delivery = await self._tried(live.target, order, ident)
        trial = Trial(
            id=ident,
            target_id=target_id,
            source=item.source,
            body=order.payload["body"],
            ok=delivery.ok,
            created_ms=created_ms,
            finished_ms=clock.now_ms(),
            detail=delivery.detail,
        )
        await self.writer.database.write(partial(tables.put_trial, trial))
        return trial

    async def _tried(self, target: Target, order: Order, ident: str) -> Delivery:
        if problem := order.payload.get("problem"):
            return Delivery(ok=False, detail=problem)
        try:
            ready = self.configs.ready(target)
        except Unusable as error:
            return Delivery(ok=False, detail=str(error))
        tools = SendTools(egress=self.egress, clock=self.writer.clock, delivery_id=ident)
        payload = PushPayload(body=order.payload["body"].encode(), sources=tuple(order.payload["sources"]), hops=1)
        limit_s = self.writer.settings().test_timeout_s
        return await attempt(ready, lambda: ready.kind.deliver(ready.config, payload, tools), limit_s)

    async def _newest(self, live: Live) -> Item:
        """The newest stored value that the patterns fit; a sample when there is none."""
        patterns = live.target.data_filter.source_patterns
        found = [one for one in await self._sources(live) if is_shown(one, patterns)]
        latest = await self.store.latest(found[:SERIES_LOOKED_AT])
        if not latest:
            return Item(SAMPLE[0], self.writer.clock.now_ms(), SAMPLE[1])
        source, sample = max(latest.items(), key=lambda pair: pair[1].ts_ms)
        return Item(source, sample.ts_ms, sample.value)

    async def _sources(self, live: Live) -> list[str]:
        """The series that the patterns fit."""
        found: dict[str, None] = {}
        for prefix in live.prefixes:
            found |= dict.fromkeys(await self.store.series(prefix))
        return sorted(found)

    # ---- sending again ----

    async def resend(self, target_id: str, start: Any, end: Any) -> Again:
        """Queue what is stored of a range of time, behind what waits already.

        Raises ``PushTargetNotFound``, and ``BadRequest`` for a range that makes no sense or has too many values.
        """
        await self.targets.get(target_id)
        now_ms = self.writer.clock.now_ms()
        start_ms, end_ms = moment("start", start), moment("end", end)
        check_range(start_ms, end_ms, now_ms)
        live = self.targets.live(target_id)
        sources = [one for one in await self._sources(live) if live.wants(one)]
        return await self.turns.run(lambda: self._resend(live, sources, start_ms, end_ms))

    async def _resend(self, live: Live, sources: Sequence[str], start_ms: int, end_ms: int) -> Again:
        counts = {one: await self.store.count(one, start_ms, end_ms) for one in sources}
        total, most = sum(counts.values()), self.writer.settings().resend_max
        if total > most:
            raise BadRequest(f"The range has {total} values; {most} can be sent again at a time")
        deliveries = 0
        async for items in self._pages([one for one, count in counts.items() if count], start_ms, end_ms):
            deliveries += await self._queue(live, items)
        return Again(samples=total, sources=sum(map(bool, counts.values())), deliveries=deliveries)

    async def _pages(self, sources: Sequence[str], start_ms: int, end_ms: int) -> AsyncIterator[list[Item]]:
        """The values of one source after another, each from the oldest on."""
        for source in sources:
            offset = 0
            while samples := await self.store.range(
                source, start_ms, end_ms, limit=PAGE, offset=offset, newest_first=False
            ):
                yield [Item(source, sample.ts_ms, sample.value) for sample in samples]
                offset += len(samples)

    async def _queue(self, live: Live, items: Sequence[Item]) -> int:
        maker = self.writer.maker(live, resend=True)
        orders = await run(live, lambda: maker.of(items))
        await self.writer.database.write(lambda: self.writer.put(live, orders))
        self.writer.outbox.wake()
        live.pending += len(orders)
        return len(orders)


def merged(records: Sequence[DeliveryRecord], trials: Sequence[Trial], *, first: bool) -> list[DeliveryRecord | Trial]:
    """Records and the tests among them, newest first; ``first``: also the tests that are newer than all of them."""
    newest = records[0].created_ms if records and not first else None
    among = [one for one in trials if newest is None or one.created_ms <= newest]
    return sorted([*records, *among], key=lambda one: -one.created_ms)


def is_shown(source: str, patterns: Sequence[str]) -> bool:
    """Whether a test may take a source: the raw message and its time are values only for who names them."""
    metric = source.rpartition(":")[2]
    return metric not in (ids.RAW, "ts") or source in patterns


def moment(name: str, value: Any) -> int:
    """A time of a request in milliseconds; raises ``BadRequest``."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value.strip())
            return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError("must be epoch seconds or a time in ISO 8601")
        return milliseconds(value)
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"{name}: {str(error)[:200]}") from error


def check_range(start_ms: int, end_ms: int, now_ms: int) -> None:
    """Raises ``BadRequest`` for a range that makes no sense."""
    if end_ms < start_ms:
        raise BadRequest("end: must not be before start")
    if start_ms > now_ms + DAY_MS:  # no clock of a device may be further ahead
        raise BadRequest("start: is in the future; only what is stored can be sent again")
    if end_ms - start_ms > RANGE_MAX_MS:
        raise BadRequest(f"The range is longer than {RANGE_MAX_MS // DAY_MS} days")
