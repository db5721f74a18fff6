"""A storage that forgets: what tests of plugins run on, and the simplest implementation of the contract."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import math
import weakref
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import peewee

from neomind_core.contracts import (
    Bucket,
    Database,
    Health,
    OpenStorage,
    Plugin,
    Point,
    Sample,
    Storage,
    StorageFailed,
    StorageInfo,
    TelemetryStore,
    Value,
)
from neomind_core.hookspecs import hookimpl
from neomind_core.host.tables import use_database
from neomind_sdk.values import check_points, check_window

T = TypeVar("T")


def memory_storage_plugin() -> Plugin:
    """A plugin ``storage_memory`` that contributes the storage engine ``memory``."""
    return Plugin(
        name="storage_memory",
        summary="Keeps everything in memory, for tests.",
        provides=("storage",),
        hooks=_Hooks(),
    )


class _Hooks:
    @hookimpl
    def neomind_storages(self, ctx: Any) -> list[Storage]:
        return [Storage(name="memory", open=open_memory)]


async def open_memory(data_dir: Path, settings: Any) -> OpenStorage:
    """An empty storage; neither argument matters."""
    return MemoryStorage()


class MemoryStorage(OpenStorage):
    """A storage of one thread, that of the event loop, where works run too, after other tasks had their turn."""

    def __init__(self) -> None:
        gate = _Gate()
        self._database = MemoryDatabase(gate)
        self._gate = gate
        self.database: Database = self._database
        self.telemetry: TelemetryStore = MemoryTelemetry(gate)

    async def migrate(self, work: Callable[[Any], T]) -> T:
        return await self._database.migrate(work)

    async def info(self) -> StorageInfo:
        return StorageInfo(engine="memory", durability="none")

    async def health(self) -> Health:
        return Health(ok=self._gate.open, detail="" if self._gate.open else _Gate.CLOSED)

    async def close(self) -> None:
        await asyncio.sleep(0)
        self._gate.open = False
        self._database.close()


class _Gate:
    """Whether the storage is open; passing it lets others run, as a storage with threads does."""

    CLOSED = "the storage is closed"

    def __init__(self) -> None:
        self.open = True

    async def enter(self) -> None:
        if self.open:
            await asyncio.sleep(0)
        if not self.open:
            raise StorageFailed(self.CLOSED)


class MemoryDatabase(Database):
    """SQLite in memory, one connection."""

    def __init__(self, gate: _Gate) -> None:
        self._gate = gate
        # Not thread safe on purpose: another thread gets an error instead of an empty database of its own.
        self._peewee = peewee.SqliteDatabase(":memory:", pragmas={"foreign_keys": 1}, thread_safe=False)
        self._peewee.connect()
        # A test that forgets to close its storage should not make a later one fail for it.
        weakref.finalize(self, _close, self._peewee).atexit = False

    async def read(self, work: Callable[[], T]) -> T:
        await self._gate.enter()
        with use_database(self._peewee):
            self._peewee.execute_sql("PRAGMA query_only = 1")
            try:
                return work()
            finally:
                self._peewee.execute_sql("PRAGMA query_only = 0")

    async def write(self, work: Callable[[], T]) -> T:
        return await self.migrate(lambda _database: work())

    async def migrate(self, work: Callable[[Any], T]) -> T:
        await self._gate.enter()
        with use_database(self._peewee), self._peewee.atomic():
            return work(self._peewee)

    def close(self) -> None:
        self._peewee.close()


def _close(database: peewee.SqliteDatabase) -> None:
    with contextlib.suppress(peewee.PeeweeException):  # it is closed already, or another thread's
        database.close()


class MemoryTelemetry(TelemetryStore):
    """A list of samples per series, by time then arrival."""

    def __init__(self, gate: _Gate) -> None:
        self._gate = gate
        self._series: dict[str, list[Sample]] = {}

    async def append(self, points: Sequence[Point]) -> None:
        check_points(points)
        kept = [(point.series, Sample(point.ts_ms, copy.deepcopy(point.value), point.quality)) for point in points]
        await self._gate.enter()
        for series, sample in kept:
            insort(self._series.setdefault(series, []), sample, key=_time)

    async def latest(self, series: Sequence[str]) -> Mapping[str, Sample]:
        await self._gate.enter()
        return {name: _out(self._series[name][-1]) for name in series if name in self._series}

    async def latest_of(self, source: str) -> Mapping[str, Sample]:
        await self._gate.enter()
        start = f"{source}:"
        return {name[len(start) :]: _out(kept[-1]) for name, kept in self._series.items() if name.startswith(start)}

    async def range(
        self, series: str, start_ms: int, end_ms: int, *, limit: int, offset: int = 0, newest_first: bool = True
    ) -> Sequence[Sample]:
        check_window(limit=limit, offset=offset)
        await self._gate.enter()
        found = self._between(series, start_ms, end_ms)
        ordered = found[::-1] if newest_first else found
        return [_out(sample) for sample in ordered[offset : offset + limit]]

    async def count(self, series: str, start_ms: int, end_ms: int) -> int:
        await self._gate.enter()
        return len(self._between(series, start_ms, end_ms))

    async def aggregate(
        self, series: str, start_ms: int, end_ms: int, *, bucket_ms: int | None = None
    ) -> Sequence[Bucket]:
        check_window(bucket_ms=bucket_ms)
        await self._gate.enter()
        found = self._between(series, start_ms, end_ms)
        if bucket_ms is None:
            return [_bucket(start_ms, found)] if found else []
        return [_bucket(start, samples) for start, samples in _aligned(found, bucket_ms).items()]

    async def newest_per_bucket(
        self, series: str, start_ms: int, end_ms: int, *, bucket_ms: int, limit: int
    ) -> Sequence[Sample]:
        check_window(bucket_ms=bucket_ms, limit=limit)
        await self._gate.enter()
        groups = _aligned(self._between(series, start_ms, end_ms), bucket_ms).values()
        newest = [_out(samples[-1]) for samples in groups]
        return newest[-limit:] if limit else []

    async def series(self, prefix: str = "") -> Sequence[str]:
        await self._gate.enter()
        return sorted(name for name in self._series if name.startswith(prefix))

    async def delete_before(self, ts_ms: int, *, series: Sequence[str] | None = None) -> int:
        await self._gate.enter()
        names = list(self._series if series is None else series)
        return sum(self._cut(name, bisect_left(self._series.get(name, []), ts_ms, key=_time)) for name in names)

    async def delete_source(self, source: str) -> int:
        await self._gate.enter()
        names = [name for name in self._series if name.startswith(f"{source}:")]
        return sum(self._cut(name, len(self._series[name])) for name in names)

    def _between(self, series: str, start_ms: int, end_ms: int) -> list[Sample]:
        kept = self._series.get(series, [])
        return kept[bisect_left(kept, start_ms, key=_time) : bisect_right(kept, end_ms, key=_time)]

    def _cut(self, name: str, count: int) -> int:
        kept = self._series.get(name, [])
        del kept[:count]
        if not kept:
            self._series.pop(name, None)
        return count


def _time(sample: Sample) -> int:
    return sample.ts_ms


def _out(sample: Sample) -> Sample:
    """The sample with a value of its own: what the caller does to it must not change what is stored."""
    return sample._replace(value=copy.deepcopy(sample.value))


def _aligned(samples: Iterable[Sample], bucket_ms: int) -> dict[int, list[Sample]]:
    groups: dict[int, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample.ts_ms // bucket_ms * bucket_ms, []).append(sample)
    return groups


def _bucket(start_ms: int, samples: Sequence[Sample]) -> Bucket:
    numbers = [float(sample.value) for sample in samples if isinstance(sample.value, bool | int | float)]
    last: Value = _out(samples[-1]).value
    if not numbers:
        return Bucket(start_ms, len(samples), None, None, None, None, last)
    total = _total(numbers)
    average = None if total is None else total / len(numbers)
    return Bucket(start_ms, len(samples), min(numbers), max(numbers), total, average, last)


def _total(numbers: Sequence[float]) -> float | None:
    total = sum(numbers)
    return total if math.isfinite(total) else None
