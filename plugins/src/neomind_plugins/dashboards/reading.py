"""Reading what a dashboard shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from neomind_sdk import AgentRuns, Clock, Device, DeviceDirectory, Sample, TelemetryStore, series
from neomind_sdk.units import seconds

from . import sources, windows
from .machine import Machine
from .share_models import AGGREGATES, SOURCES_MAX
from .shown import Shown
from .sources import Source
from .windows import Window

LIMIT = 100
BUDGET = 50_000
"""How many points one answer holds at most."""
BUCKETED = tuple(name for name in AGGREGATES if name != "last")
Json = dict[str, Any]


@attrs.frozen(kw_only=True)
class Wish:
    """One source to read; ``window`` ``None``: the newest value only."""

    source: Source
    component_id: str | None = None
    window: Window | None = None
    limit: int = LIMIT
    aggregate: str | None = None


@attrs.frozen(kw_only=True)
class Asked:
    """What a viewer asks for, read and checked."""

    source_ids: Sequence[str] = ()
    window: Window | None = None
    limit: int | None = None
    aggregate: str | None = None


@attrs.frozen(kw_only=True)
class Reader:
    """Reads values and histories; ``directory`` and ``runs`` find services that may be missing."""

    store: TelemetryStore
    clock: Clock
    machine: Machine
    zone: Callable[[], str]
    directory: Callable[[], DeviceDirectory | None]
    runs: Callable[[], AgentRuns | None]

    async def read(self, shown: Shown, asked: Asked) -> list[Json]:
        """The members of ``SourceData`` of everything that is shown, or of what is asked for; raises ``NotShown``."""
        wishes = self._wishes(shown, asked)[:SOURCES_MAX]
        names = {wish.source.id for wish in wishes if wish.source.kind == sources.SERIES}
        newest = await self.store.latest(sorted(names))
        values = await self._values(wish.source for wish in wishes)
        most = max(1, BUDGET // max(1, len(wishes)))
        return [await self._entry(attrs.evolve(wish, limit=min(wish.limit, most)), newest, values) for wish in wishes]

    def _wishes(self, shown: Shown, asked: Asked) -> list[Wish]:
        if asked.source_ids:
            return [self._wish(None, shown.require(ident), asked) for ident in dict.fromkeys(asked.source_ids)]
        return [self._wish(component_id, source, asked) for component_id, source in shown.by_component]

    def _wish(self, component_id: str | None, source: Source, asked: Asked) -> Wish:
        own = windows.of_source(source, self.clock.now_ms(), self.zone()) if source.has_history else None
        window = asked.window or own
        return Wish(
            source=source,
            component_id=component_id,
            window=window if source.kind == sources.SERIES else None,
            limit=asked.limit or source.limit or LIMIT,
            aggregate=asked.aggregate or (source.aggregate if source.aggregate in BUCKETED else None),
        )

    async def _entry(self, wish: Wish, newest: Mapping[str, Sample], values: Mapping[str, Any]) -> Json:
        source = wish.source
        sample = newest.get(source.id)
        entry: Json = {
            "component_id": wish.component_id,
            "source": source.id,
            "kind": source.kind,
            "mode": source.mode,
            "value": sample.value if sample else values.get(source.id),
            "timestamp": seconds(sample.ts_ms) if sample else None,
        }
        if wish.window is None:
            return entry
        span = {"start": seconds(wish.window.start_ms), "end": seconds(wish.window.end_ms)}
        return {**entry, **span, "aggregate": wish.aggregate, "data": await self._points(wish, wish.window)}

    async def _points(self, wish: Wish, window: Window) -> list[Json]:
        name, limit = wish.source.id, wish.limit
        if wish.aggregate is None:
            return rows(await self.store.range(name, window.start_ms, window.end_ms, limit=limit))[::-1]
        return await self.buckets(name, window, limit, wish.aggregate)

    async def buckets(self, name: str, window: Window, limit: int, aggregate: str) -> list[Json]:
        """At most ``limit`` aggregates over parts of a window, ascending."""
        width = window.width_ms(limit)
        found = await self.store.aggregate(name, window.start_ms, window.end_ms, bucket_ms=width)
        return [
            {"timestamp": seconds(bucket.ts_ms), "value": getattr(bucket, aggregate), "count": bucket.count}
            for bucket in found[-limit:]
        ]

    # ---- what is no series ----

    async def _values(self, wanted: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        by_id = {source.id: source for source in wanted}
        if any(source.kind == sources.SYSTEM for source in by_id.values()):
            machine = await self.system()
            found = {ident: machine[one.field] for ident, one in by_id.items() if one.kind == sources.SYSTEM}
        for ident, source in by_id.items():
            if source.kind == sources.INFO:
                found[ident] = self.properties(source.owner).get(source.field)
            elif source.kind == sources.AGENT:
                found[ident] = await self.latest_run(source.owner)
        return found

    async def system(self) -> Json:
        """All metrics of the machine."""
        return await asyncio.to_thread(self.machine.read, self.clock.now_ms())

    def properties(self, device_id: str) -> Json:
        """What can be shown of a device besides its metrics; nothing of one that is not there."""
        directory = self.directory()
        device = directory.get(device_id) if directory else None
        return {} if directory is None or device is None else properties(directory, device)

    async def latest_run(self, agent_id: str) -> Json | None:
        """What an agent found out last."""
        runs = self.runs()
        record = await runs.latest(agent_id) if runs else None
        return None if record is None else outcome(record)


def properties(directory: DeviceDirectory, device: Device) -> Json:
    """By the names that components know them by; ``last_seen`` in epoch seconds."""
    status, seen_ms = directory.status(device.device_id), directory.last_seen(device.device_id)
    return {
        "name": device.name,
        "status": status,
        "online": status == "online",
        "last_seen": None if seen_ms is None else seconds(seen_ms),
        "device_type": device.device_type,
        "plugin_name": device.adapter_type,
        "adapter_id": device.adapter_id,
    }


def outcome(record: Mapping[str, Any]) -> Json:
    """The findings of a run. How it came to them, and with what data, is not what a dashboard shows."""
    names = ("id", "agent_id", "timestamp", "trigger_type", "status", "duration_ms")
    process, result = part(record, "decision_process"), part(record, "result")
    return {
        **{name: record.get(name) for name in names},
        "conclusion": process.get("conclusion"),
        "confidence": process.get("confidence"),
        "summary": result.get("summary"),
        "report": result.get("report"),
    }


def part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = record.get(name)
    return value if isinstance(value, Mapping) else {}


def rows(samples: Sequence[Sample]) -> list[Json]:
    return [{"timestamp": seconds(ts_ms), "value": value} for ts_ms, value, _ in samples]


def about(directory: DeviceDirectory | None, device_id: str, metric: str) -> Any:
    """A metric as the type of its device describes it."""
    device_type = directory.type_of(device_id) if directory else None
    declared = device_type.metrics if device_type else ()
    return next((one for one in declared if one.name == metric), None) or series.undeclared(metric)
