"""Reading samples back: raw pages, buckets and aggregates over a window of time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import attrs
import orjson

from neomind_sdk import BadRequest, Bucket, Clock, DeviceDirectory, NotFound, Sample, Samples, TelemetryStore, series
from neomind_sdk.units import HOUR_MS, seconds

from .asked import Asked, next_cursor, read_history, read_telemetry
from .catalog import Catalog, declared
from .models import HistoryQuery, MetricSummary, TelemetryQuery

METRICS_MAX = 50
Row = dict[str, Any]


@attrs.frozen
class Page:
    """Points of one metric as they are answered; ``total`` counts those of the whole window."""

    rows: list[Row] | orjson.Fragment
    total: int
    next_cursor: int | float | None = None


@attrs.frozen
class History:
    """Answers questions about the past of devices and other sources."""

    store: TelemetryStore
    directory: DeviceDirectory
    catalog: Catalog
    clock: Clock

    async def of_device(self, device_id: str, query: HistoryQuery) -> dict[str, Any]:
        """The data of ``HistoryAnswer``; raises ``NotFound`` and ``BadRequest``."""
        self._check_device(device_id)
        asked = read_history(query, self.clock.now_ms())
        names = [query.metric] if query.metric else await self.catalog.metrics_of(device_id)
        if len(names) > METRICS_MAX:
            raise BadRequest(f"The device has {len(names)} metrics; name one, more than {METRICS_MAX} are not read")
        if len(names) == 1:
            pages = [await self._page(device_id, names[0], asked)]
        else:
            pages = await asyncio.gather(*(self._page(device_id, name, asked) for name in names))
        return {
            "device_id": device_id,
            "metrics": names,
            "data": {name: page.rows for name, page in zip(names, pages, strict=True)},
            "start": seconds(asked.window.start_ms),
            "end": seconds(asked.window.end_ms),
            "aggregated": asked.aggregate is not None,
            "pagination": pagination(asked, pages),
        }

    async def of_source(self, query: TelemetryQuery) -> dict[str, Any]:
        """The data of ``TelemetryAnswer``; raises ``BadRequest``."""
        source = source_of(query.source)
        asked = read_telemetry(query, self.clock.now_ms())
        name = f"{source}:{query.metric}"
        answer = {
            "source_id": name,
            "source": source,
            "metric": query.metric,
            "start": seconds(asked.window.start_ms),
            "end": seconds(asked.window.end_ms),
        }
        if asked.aggregate:
            buckets = await self.store.aggregate(name, asked.window.start_ms, asked.window.until_ms)
            bucket = buckets[0] if buckets else nothing()
            return answer | {
                "aggregation": asked.aggregate,
                "value": getattr(bucket, asked.aggregate),
                "count": bucket.count,
            }
        samples, total = await self._ascending(name, asked)
        data = [{"timestamp": seconds(ts), "value": value, "quality": quality} for ts, value, quality in samples]
        return answer | {"count": len(data), "total_count": total, "data": data}

    async def summary(self, device_id: str, hours: int) -> dict[str, Any]:
        """The data of ``SummaryAnswer``; raises ``NotFound``."""
        self._check_device(device_id)
        end_ms = self.clock.now_ms()
        start_ms = end_ms - hours * HOUR_MS
        newest = await self.store.latest_of(f"{series.DEVICE}:{device_id}")
        summary = {}
        for name in await self.catalog.metrics_of(device_id):
            buckets = await self.store.aggregate(series.of_device(device_id, name), start_ms, end_ms)
            summary[name] = self._summary(device_id, name, newest.get(name), buckets[0] if buckets else nothing())
        return {"device_id": device_id, "summary": summary, "start": seconds(start_ms), "end": seconds(end_ms)}

    def _summary(self, device_id: str, metric: str, newest: Sample | None, bucket: Bucket) -> MetricSummary:
        about = declared(metric, self.directory.type_of(device_id))
        return MetricSummary(
            display_name=about.display_name or metric,
            unit=about.unit,
            data_type=about.data_type,
            is_virtual=series.is_virtual(metric),
            current=newest.value if newest else None,
            current_timestamp=seconds(newest.ts_ms) if newest else None,
            avg=bucket.avg,
            min=bucket.min,
            max=bucket.max,
            count=bucket.count,
        )

    async def _page(self, device_id: str, metric: str, asked: Asked) -> Page:
        name = series.of_device(device_id, metric)
        if asked.aggregate:
            return await self._aggregated(name, asked, asked.aggregate)
        if asked.bucketed:
            samples, _ = await self._ascending(name, asked)
            return Page(rows_of(samples, metric), len(samples))
        return await self._raw(name, metric, asked) if metric == series.RAW else await self._text(name, metric, asked)

    async def _raw(self, name: str, metric: str, asked: Asked) -> Page:
        window, limit, cursor = asked.window, asked.limit, asked.cursor
        end_ms, offset = window.until_ms, asked.offset
        if cursor is not None:
            end_ms, offset = min(end_ms, cursor.end_ms), offset + cursor.skip
        # One more than asked for says whether the window goes on; counting is only for when it does.
        samples = await self.store.range(name, window.start_ms, end_ms, limit=limit + 1, offset=offset)
        page = samples[:limit]
        if cursor is None and len(samples) <= limit and (samples or not offset):
            return Page(rows_of(page, metric), offset + len(page))
        total = await self.store.count(name, window.start_ms, window.until_ms)
        onward = next_cursor(page, samples[limit], cursor) if len(samples) > limit else None
        return Page(rows_of(page, metric), total, onward)

    async def _text(self, name: str, metric: str, asked: Asked) -> Page:
        """As ``_raw``, without looking at the values: the storage's JSON goes out as it is."""
        window, limit, cursor = asked.window, asked.limit, asked.cursor
        end_ms, offset = window.until_ms, asked.offset
        if cursor is not None:
            end_ms, offset = min(end_ms, cursor.end_ms), offset + cursor.skip
        rows = await self.store.range_rows(name, window.start_ms, end_ms, limit=limit, offset=offset)
        if rows.last_ms is not None and rows.next_ms == rows.last_ms:
            return await self._raw(name, metric, asked)  # the cursor has to count how many of a time were shown
        text = orjson.Fragment(rows.text)
        if cursor is None and rows.next_ms is None and (rows.count or not offset):
            return Page(text, offset + rows.count)
        total = await self.store.count(name, window.start_ms, window.until_ms)
        onward = None if rows.last_ms is None or rows.next_ms is None else seconds(rows.last_ms)
        return Page(text, total, onward)

    async def _aggregated(self, name: str, asked: Asked, key: str) -> Page:
        window, width = asked.window, asked.width_ms if asked.bucketed else None
        buckets = await self.store.aggregate(name, window.start_ms, window.until_ms, bucket_ms=width)
        if buckets and not width:
            buckets = [buckets[0]._replace(ts_ms=window.start_ms)]
        rows = rows_of_buckets(buckets[-asked.limit :], key)
        return Page(rows, len(rows))

    async def _ascending(self, name: str, asked: Asked) -> tuple[Sequence[Sample], int | None]:
        """The newest samples (one per bucket, when bucketed), ascending, and how many the window has."""
        start_ms, end_ms, limit = asked.window.start_ms, asked.window.until_ms, asked.limit
        if asked.bucketed:
            width = asked.width_ms
            return await self.store.newest_per_bucket(name, start_ms, end_ms, bucket_ms=width, limit=limit), None
        samples = await self.store.range(name, start_ms, end_ms, limit=limit + 1)
        total = await self.store.count(name, start_ms, end_ms) if len(samples) > limit else len(samples)
        return samples[:limit][::-1], total

    def _check_device(self, device_id: str) -> None:
        if self.directory.get(device_id) is None:
            raise NotFound("DEVICE", device_id)


def source_of(text: str) -> str:
    """A source as it is written in series; a bare id is a device's."""
    kind, colon, ident = text.partition(":")
    if not colon:
        return f"{series.DEVICE}:{text}"
    if kind not in series.SOURCE_TYPES or not ident:
        raise BadRequest(f"'{text}' is no source: use device:<id>, extension:<id> or transform:<id>")
    return text


def nothing() -> Bucket:
    """The aggregate of no samples."""
    return Bucket(0, 0, None, None, None, None, None)


def pagination(asked: Asked, pages: Sequence[Page]) -> dict[str, Any]:
    """The data of ``HistoryPagination``; with several metrics the longest one counts."""
    cursors = [page.next_cursor for page in pages if page.next_cursor is not None]
    return {
        "offset": asked.offset,
        "limit": asked.limit,
        "total": max((page.total for page in pages), default=0),
        "next_cursor": max(cursors, default=None),
    }


def rows_of(samples: Sequence[Sample], metric: str) -> list[Row]:
    """Samples as they are answered; the whole message under ``_raw`` is answered as the JSON it is."""
    columns = Samples.of(samples)
    values = map(parsed, columns.values) if metric == series.RAW else columns.values
    # The arithmetic of `seconds` in place: a call per row would double the time of a long page.
    return [
        {"timestamp": ts / 1000 if ts % 1000 else ts // 1000, "value": value}
        for ts, value in zip(columns.times, values, strict=True)
    ]


def rows_of_buckets(buckets: Sequence[Bucket], key: str) -> list[Row]:
    """Buckets as they are answered, ``key`` of each as its value."""
    at = Bucket._fields.index(key)
    return [
        {
            "timestamp": ts / 1000 if ts % 1000 else ts // 1000,
            "value": bucket[at],
            "count": count,
            "min": low,
            "max": high,
            "sum": total,
        }
        for bucket in buckets
        for ts, count, low, high, total, _, _ in (bucket,)
    ]


def parsed(value: Any) -> Any:
    """The JSON that a text is; other texts and values as they are."""
    try:
        return orjson.loads(value) if isinstance(value, str) else value
    except orjson.JSONDecodeError:
        return value
