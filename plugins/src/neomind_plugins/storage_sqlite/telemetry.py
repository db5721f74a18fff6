"""The telemetry store: samples go in through the writer, and come out of the readers as one JSON text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import orjson
from playhouse.apsw_ext import APSWDatabase

from neomind_sdk import Bucket, Point, Rows, Sample, Samples, TelemetryStore
from neomind_sdk.values import INT64, MAX_TS_MS, check_points, check_window

from . import queries
from .readers import Readers
from .writer import Writer

DELETE_STEP = 2_000
INT32 = 2**31 - 1
_bucket = partial(tuple.__new__, Bucket)  # as Bucket._make, without a Python call for each


class SqliteTelemetry(TelemetryStore):
    """Samples in ``storage_sqlite_points``, clustered by series and time."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def append(self, points: Sequence[Point]) -> None:
        if points:
            check_points(points)
            await self._writer.intake.append(points)

    async def latest(self, series: Sequence[str]) -> Mapping[str, Sample]:
        rows = await self._ask(queries.LATEST, _json(series))
        return {name: Sample(*row) for name, *row in rows}

    async def latest_of(self, source: str) -> Mapping[str, Sample]:
        start = f"{source}:"
        rows = await self._ask(queries.LATEST_OF, start, queries.after(start))
        return {name[len(start) :]: Sample(*row) for name, *row in rows}

    async def range(
        self, series: str, start_ms: int, end_ms: int, *, limit: int, offset: int = 0, newest_first: bool = True
    ) -> Sequence[Sample]:
        check_window(limit=limit, offset=offset)
        query = queries.RANGE_NEWEST_FIRST if newest_first else queries.RANGE_OLDEST_FIRST
        return Samples(*await self._ask(query, series, _time(start_ms), _time(end_ms), _int64(limit), _int64(offset)))

    async def range_rows(self, series: str, start_ms: int, end_ms: int, *, limit: int, offset: int = 0) -> Rows:
        check_window(limit=limit, offset=offset)
        bounds = (_time(start_ms), _time(end_ms), min(limit, INT32), min(offset, INT32))
        text, count, last_ms, next_ms = await self._readers.run(
            lambda database: database.connection().execute(queries.ROWS, (series, *bounds)).get
        )
        return Rows(text=text, count=count, last_ms=last_ms, next_ms=next_ms if count else None)

    async def count(self, series: str, start_ms: int, end_ms: int) -> int:
        found: int = await self._ask(queries.COUNT, series, _time(start_ms), _time(end_ms))
        return found

    async def aggregate(
        self, series: str, start_ms: int, end_ms: int, *, bucket_ms: int | None = None
    ) -> Sequence[Bucket]:
        check_window(bucket_ms=bucket_ms)
        span = (series, _time(start_ms), _time(end_ms))
        if bucket_ms is None:
            columns = await self._ask(queries.AGGREGATE, *span)
        else:
            columns = await self._ask(queries.AGGREGATE_BUCKETS, *span, _time(bucket_ms))
        return list(map(_bucket, zip(*columns, strict=True)))

    async def newest_per_bucket(
        self, series: str, start_ms: int, end_ms: int, *, bucket_ms: int, limit: int
    ) -> Sequence[Sample]:
        check_window(bucket_ms=bucket_ms, limit=limit)
        if not limit:
            return []
        span = (series, _time(start_ms), _time(end_ms))
        return Samples(*await self._ask(queries.NEWEST_PER_BUCKET, *span, _time(bucket_ms), _int64(limit)))[::-1]

    async def series(self, prefix: str = "") -> Sequence[str]:
        found: list[str] = await self._ask(queries.SERIES, prefix, queries.after(prefix))
        return found

    async def delete_before(self, ts_ms: int, *, series: Sequence[str] | None = None) -> int:
        names = None if series is None else _json(series)
        return await self._delete(await self._ask(queries.SERIES_OLDER, _time(ts_ms), names), _time(ts_ms))

    async def delete_source(self, source: str) -> int:
        names = await self.series(f"{source}:")
        return await self.delete_before(MAX_TS_MS + 1, series=names)

    async def _delete(self, ids: Sequence[int], ts_ms: int) -> int:
        """Step by step, so that others write in between."""
        total = 0
        while ids:
            deleted, ids = await self._writer.intake.run(partial(self._delete_step, ids, ts_ms))
            total += deleted
        return total

    def _delete_step(self, ids: Sequence[int], ts_ms: int, database: APSWDatabase) -> tuple[int, Sequence[int]]:
        return self._writer.points.delete_step(database.connection(), ids, ts_ms, DELETE_STEP)

    async def _ask(self, query: str, *parameters: Any) -> Any:
        return await self._readers.run(lambda database: _answer(database, query, parameters))


def _answer(database: APSWDatabase, query: str, parameters: Sequence[Any]) -> Any:
    answer = database.connection().execute(query, parameters).get
    return orjson.loads(answer) if isinstance(answer, str) else answer


def _json(names: Sequence[str]) -> str:
    return orjson.dumps(list(names)).decode()


def _time(ms: int) -> int:
    """Times out of reach are moved to where no sample can be, still within 64 bits."""
    return max(-MAX_TS_MS - 1, min(ms, MAX_TS_MS + 1))


def _int64(number: int) -> int:
    return min(number, INT64 - 1)
