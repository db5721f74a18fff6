"""Where things are kept: a relational database for configuration, a telemetry store for samples."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar, overload, runtime_checkable

import attrs

from .health import Health

T = TypeVar("T")
Value = Any
"""``bool``, ``int`` (64 bit), ``float`` (finite), ``str``, or JSON (``dict``, ``list``). Never ``None``."""


class Point(NamedTuple):
    """A value to store. ``series`` is a data source id: ``device:<id>:<metric>``; times are integer milliseconds."""

    series: str
    ts_ms: int
    value: Value
    quality: float | None = None


class Sample(NamedTuple):
    """A stored value of a known series."""

    ts_ms: int
    value: Value
    quality: float | None = None


@attrs.frozen(eq=False)
class Samples(Sequence[Sample]):
    """Samples as columns of equal length: whoever only makes JSON of them need not make a ``Sample`` of each."""

    times: Sequence[int]
    values: Sequence[Value]
    qualities: Sequence[float | None]

    def __len__(self) -> int:
        return len(self.times)

    @overload
    def __getitem__(self, at: int) -> Sample: ...

    @overload
    def __getitem__(self, at: slice) -> Samples: ...

    def __getitem__(self, at: int | slice) -> Sample | Samples:
        if isinstance(at, slice):
            return Samples(self.times[at], self.values[at], self.qualities[at])
        return Sample(self.times[at], self.values[at], self.qualities[at])

    def __iter__(self) -> Iterator[Sample]:
        return map(Sample, self.times, self.values, self.qualities)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as a list

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Samples:
        """The same samples as columns."""
        return samples if isinstance(samples, cls) else cls(*(zip(*samples, strict=True) if samples else ((), (), ())))


@attrs.frozen(kw_only=True)
class Rows:
    """Samples as the JSON that is answered: ``[{"timestamp": <epoch seconds>, "value": …}, …]``.

    ``count`` of them; ``last_ms`` is the time of the last one, ``next_ms`` that of the one that would follow.
    """

    text: str
    count: int
    last_ms: int | None = None
    next_ms: int | None = None


class Bucket(NamedTuple):
    """An aggregate over ``[ts_ms, ts_ms + width)``. ``count`` is of all values; the rest of the numeric ones.

    Booleans count as 1 and 0; ``min``, ``max``, ``sum`` and ``avg`` are ``None`` when no value is numeric, ``sum`` and
    ``avg`` also when the sum is beyond what a double can hold.
    """

    ts_ms: int
    count: int  # type: ignore[assignment]  # it hides tuple.count, which nobody wants of a bucket
    min: float | None
    max: float | None
    sum: float | None
    avg: float | None
    last: Value


@runtime_checkable
class TelemetryStore(Protocol):
    """Samples by series. Two samples of one series in the same millisecond both live, in the order of arrival.

    Times are inclusive at ``start_ms`` and ``end_ms``. Unknown series are empty, never an error. A negative ``limit``
    or ``offset``, or a ``bucket_ms`` below 1, is ``ValidationFailed``.
    """

    async def append(self, points: Sequence[Point]) -> None:
        """Store all points or none; returns when they are durable (as durable as the storage is set to be).

        Raises ``ValidationFailed`` for a point that cannot be kept as it is (``neomind_sdk.values``), ``StorageBusy``
        (queue full), ``StorageFull``, ``StorageFailed``; then nothing counts as stored. A caller that is cancelled
        while it waits does not know.
        """
        ...

    async def latest(self, series: Sequence[str]) -> Mapping[str, Sample]:
        """The newest sample of each series that has one."""
        ...

    async def latest_of(self, source: str) -> Mapping[str, Sample]:
        """Newest samples of all series of a source (``device:<id>``), by metric name."""
        ...

    async def range(
        self, series: str, start_ms: int, end_ms: int, *, limit: int, offset: int = 0, newest_first: bool = True
    ) -> Sequence[Sample]:
        """Samples of a time range, by time then arrival, at most ``limit`` after skipping ``offset``."""
        ...

    async def range_rows(self, series: str, start_ms: int, end_ms: int, *, limit: int, offset: int = 0) -> Rows:
        """As ``range``, newest first; an engine that makes JSON by itself saves making objects in between."""
        found = await self.range(series, start_ms, end_ms, limit=limit + (limit >= 0), offset=offset)
        page = found[:limit]
        rows = [{"timestamp": ts / 1000 if ts % 1000 else ts // 1000, "value": value} for ts, value, _ in page]
        return Rows(
            text=json.dumps(rows, ensure_ascii=False, separators=(",", ":")),
            count=len(page),
            last_ms=page[-1].ts_ms if page else None,
            next_ms=found[limit].ts_ms if page and len(found) > limit else None,
        )

    async def count(self, series: str, start_ms: int, end_ms: int) -> int:
        """How many samples the range has."""
        ...

    async def aggregate(
        self, series: str, start_ms: int, end_ms: int, *, bucket_ms: int | None = None
    ) -> Sequence[Bucket]:
        """One bucket over the whole range (none when it is empty), or one per aligned ``bucket_ms``, ascending."""
        ...

    async def newest_per_bucket(
        self, series: str, start_ms: int, end_ms: int, *, bucket_ms: int, limit: int
    ) -> Sequence[Sample]:
        """The newest sample of each aligned bucket, the newest ``limit`` buckets, ascending."""
        ...

    async def series(self, prefix: str = "") -> Sequence[str]:
        """The ids of all series that have samples and start with ``prefix``, sorted."""
        ...

    async def delete_before(self, ts_ms: int, *, series: Sequence[str] | None = None) -> int:
        """Delete samples older than ``ts_ms`` (of these series, or of all); returns how many. Works in small steps."""
        ...

    async def delete_source(self, source: str) -> int:
        """Delete everything of a source (``device:<id>``); returns how many samples."""
        ...


@runtime_checkable
class Database(Protocol):
    """Relational storage. ``work`` runs in a storage thread with the peewee models bound; it does no other I/O.

    ``write`` runs ``work`` in a transaction of its own fate: if it raises, its changes are undone and the exception
    comes back; when ``write`` returns, the changes are durable. Writes run one after another, in the order given.
    ``read`` runs on a connection that cannot write.
    """

    async def read(self, work: Callable[[], T]) -> T: ...

    async def write(self, work: Callable[[], T]) -> T: ...


@attrs.frozen(kw_only=True)
class StorageInfo:
    """Shown at ``/system/info``: ``engine`` (``sqlite``), ``durability`` (``durable`` or ``fast``), bytes on disk."""

    engine: str
    durability: str
    size_bytes: int = 0
    version: str = ""


class OpenStorage(Protocol):
    """A storage that is open; the host closes it last."""

    database: Database
    telemetry: TelemetryStore

    async def migrate(self, work: Callable[[Any], T]) -> T:
        """Run ``work(peewee_database)`` in the writer, in one transaction: for schema changes at start."""
        ...

    async def info(self) -> StorageInfo: ...

    async def health(self) -> Health: ...

    async def close(self) -> None:
        """Commit what was accepted and close; nothing is accepted any more."""
        ...


@attrs.frozen(kw_only=True)
class Storage:
    """A storage engine. ``open(data_dir, settings)`` is awaited once, before any plugin starts.

    ``name``      what ``[storage] engine`` of the configuration selects
    ``settings``  the class of the plugin's settings section handed to ``open``, or ``None``
    """

    name: str
    open: Callable[[Path, Any], Awaitable[OpenStorage]]
    settings: type[Any] | None = None
