"""The answers of the API's read paths, of what one dashboard shows: the same shapes, with nothing else in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from neomind_sdk import BadRequest, Bucket, Sample, series
from neomind_sdk.units import DAY_MS, seconds

from . import sources, windows
from .errors import NotShown
from .reading import LIMIT, Json, Reader, about, rows
from .records import Opened
from .share_models import AGGREGATES, POINTS_MAX
from .shown import Shown
from .sources import Source
from .windows import Window

Query = Mapping[str, str]
BATCH_MAX = 1000
OFFSET_MAX = 100_000
TRUE = ("true", "1", "yes", "on")


@attrs.frozen
class Viewer:
    """Who looks: what the token opened, and what the dashboard shows."""

    opened: Opened
    shown: Shown


@attrs.frozen(kw_only=True)
class Page:
    """A query for history, read and checked."""

    window: Window
    limit: int
    offset: int
    aggregate: str | None
    bucketed: bool


@attrs.frozen
class Mirror:
    """Reads for viewers; every method raises ``NotShown`` for what the dashboard does not show."""

    reader: Reader

    async def device(self, viewer: Viewer, device_id: str) -> Json:
        """As ``GET /devices/{device_id}``: of its members those that are shown."""
        found = self._state(viewer, device_id)
        metrics = await self._metrics(viewer.shown, device_id)
        current = {name: metric["value"] for name, metric in metrics.items() if metric["timestamp"] is not None}
        return {**found, "current_values": current, "metrics": metrics, "commands": commands(viewer, device_id)}

    async def current(self, viewer: Viewer, device_id: str) -> Json:
        """As ``GET /devices/{device_id}/current``."""
        device = self._state(viewer, device_id)
        metrics = await self._metrics(viewer.shown, device_id)
        return {"device": device, "metrics": metrics, "commands": commands(viewer, device_id)}

    async def current_batch(self, viewer: Viewer, body: Any) -> Json:
        """As ``POST /devices/current-batch``: a device that is not shown has no values, as one that is not there."""
        found = {}
        for device_id in batch(body):
            metrics = await self._metrics(viewer.shown, device_id)
            values = {name: metric["value"] for name, metric in metrics.items() if metric["timestamp"] is not None}
            found[device_id] = {"device_id": device_id, "current_values": values}
        return {"devices": found, "count": len(found)}

    async def history(self, viewer: Viewer, device_id: str, query: Query) -> Json:
        """As ``GET /devices/{device_id}/history``; without ``metric``: of all metrics that are shown."""
        names, metric = viewer.shown.metrics_of(device_id), query.get("metric")
        if not names or metric not in (None, *names):
            raise NotShown("this metric of this device")
        names = names if metric is None else [metric]
        page = self._page(query)
        data = {name: await self._history(series.of_device(device_id, name), page) for name in names}
        totals = [await self._total(series.of_device(device_id, name), page, len(data[name])) for name in names]
        return {
            "device_id": device_id,
            "metrics": names,
            "data": data,
            "start": seconds(page.window.start_ms),
            "end": seconds(page.window.end_ms),
            "aggregated": page.aggregate is not None,
            "pagination": {"offset": page.offset, "limit": page.limit, "total": max(totals), "next_cursor": None},
        }

    async def telemetry(self, viewer: Viewer, query: Query) -> Json:
        """As ``GET /telemetry``."""
        source, metric = query.get("source", ""), query.get("metric", "")
        source = source if ":" in source else f"{series.DEVICE}:{source}"
        found = viewer.shown.require(f"{source}:{metric}")
        if found.kind != sources.SERIES:
            raise NotShown("this series")
        page = self._page(query)
        answer = {
            "source_id": found.id,
            "source": source,
            "metric": metric,
            "start": seconds(page.window.start_ms),
            "end": seconds(page.window.end_ms),
        }
        return answer | await self._telemetry(found.id, page)

    async def system(self, viewer: Viewer) -> Json:
        """As ``GET /stats/system``: of its members those that are shown."""
        names = {source.field for source in viewer.shown.of_kind(sources.SYSTEM)}
        if not names:
            raise NotShown("the machine")
        return {name: value for name, value in (await self.reader.system()).items() if name in names}

    async def executions(self, viewer: Viewer, agent_id: str) -> Json:
        """As ``GET /agents/{agent_id}/executions``: the newest finished one, and what it found."""
        if not any(source.owner == agent_id for source in viewer.shown.of_kind(sources.AGENT)):
            raise NotShown("this agent")
        latest = await self.reader.latest_run(agent_id)
        found = [] if latest is None else [latest]
        return {"agent_id": agent_id, "executions": found, "count": len(found)}

    # ---- help ----

    def _state(self, viewer: Viewer, device_id: str) -> Json:
        shown = viewer.shown.of_device(device_id)
        if not shown:
            raise NotShown("this device")
        names = [source.field for source in shown if source.kind == sources.INFO]
        properties = self.reader.properties(device_id) if names else {}
        ids = {"id": device_id, "device_id": device_id, "name": device_id}
        return {**ids, **{name: properties[name] for name in names if name in properties}}

    async def _metrics(self, shown: Shown, device_id: str) -> dict[str, Json]:
        names = shown.metrics_of(device_id)
        newest = await self.reader.store.latest([series.of_device(device_id, name) for name in names])
        return {name: self._metric(device_id, name, newest.get(series.of_device(device_id, name))) for name in names}

    def _metric(self, device_id: str, name: str, sample: Sample | None) -> Json:
        metric = about(self.reader.directory(), device_id, name)
        return {
            "name": name,
            "display_name": metric.display_name or name,
            "unit": metric.unit,
            "data_type": metric.data_type,
            "value": sample.value if sample else None,
            "timestamp": seconds(sample.ts_ms) if sample else None,
            "is_virtual": series.is_virtual(name),
        }

    def _page(self, query: Query) -> Page:
        start, end = (windows.number(name, query.get(name)) for name in ("start", "end"))
        now_ms = self.reader.clock.now_ms()
        window = windows.asked(query.get("time_range"), start, end, now_ms)
        aggregate = query.get("aggregate") or query.get("aggregation") or None
        if aggregate not in (None, *AGGREGATES):
            raise BadRequest(f"aggregate: must be one of {', '.join(AGGREGATES)}")
        if "cursor" in query:
            raise BadRequest("cursor: is not served here; use offset, start and end")
        return Page(
            window=window or Window(now_ms - DAY_MS, now_ms),
            limit=integer(query, "limit", LIMIT, 1, POINTS_MAX),
            offset=integer(query, "offset", 0, 0, OFFSET_MAX),
            aggregate=aggregate,
            bucketed=query.get("bucketed", "").lower() in TRUE,
        )

    async def _history(self, name: str, page: Page) -> list[Json]:
        if page.aggregate is not None:
            key = page.aggregate
            return [bucket_row(bucket, key) for bucket in (await self._buckets(name, page))[-page.limit :]]
        if page.bucketed:
            return rows(await self._thinned(name, page))
        start_ms, end_ms = page.window.start_ms, page.window.end_ms
        return rows(await self.reader.store.range(name, start_ms, end_ms, limit=page.limit, offset=page.offset))

    async def _telemetry(self, name: str, page: Page) -> Json:
        if page.aggregate is not None:
            buckets = await self.reader.store.aggregate(name, page.window.start_ms, page.window.end_ms)
            value, count = (getattr(buckets[0], page.aggregate), buckets[0].count) if buckets else (None, 0)
            return {"aggregation": page.aggregate, "value": value, "count": count}
        if page.bucketed:
            samples = await self._thinned(name, page)
        else:
            start_ms, end_ms = page.window.start_ms, page.window.end_ms
            samples = (await self.reader.store.range(name, start_ms, end_ms, limit=page.limit))[::-1]
        data = [{"timestamp": seconds(ts_ms), "value": value, "quality": quality} for ts_ms, value, quality in samples]
        total = None if page.bucketed else await self._total(name, page, len(data))
        return {"count": len(data), "total_count": total, "data": data}

    async def _total(self, name: str, page: Page, found: int) -> int:
        """How many points a window has, of which ``found`` are on the page."""
        if page.aggregate is not None or page.bucketed or (found < page.limit and not page.offset):
            return found
        return await self.reader.store.count(name, page.window.start_ms, page.window.end_ms)

    async def _buckets(self, name: str, page: Page) -> Sequence[Bucket]:
        window = page.window
        width = window.width_ms(page.limit) if page.bucketed else None
        return await self.reader.store.aggregate(name, window.start_ms, window.end_ms, bucket_ms=width)

    async def _thinned(self, name: str, page: Page) -> Sequence[Sample]:
        window, limit = page.window, page.limit
        return await self.reader.store.newest_per_bucket(
            name, window.start_ms, window.end_ms, bucket_ms=window.width_ms(limit), limit=limit
        )


def bucket_row(bucket: Bucket, key: str) -> Json:
    row = {name: getattr(bucket, name) for name in ("count", "min", "max", "sum")}
    return {"timestamp": seconds(bucket.ts_ms), "value": getattr(bucket, key), **row}


def commands(viewer: Viewer, device_id: str) -> list[Json]:
    """The commands that the viewer may give."""
    if not viewer.opened.share.allow_interactive:
        return []
    found: list[Source] = viewer.shown.of_device(device_id, sources.COMMAND)
    return [{"name": one.field, "display_name": one.field, "parameters": []} for one in found]


def batch(body: Any) -> list[str]:
    """The ids of a body; raises ``BadRequest``."""
    ids = body.get("device_ids") if isinstance(body, dict) else None
    if not isinstance(ids, list) or len(ids) > BATCH_MAX or not all(isinstance(ident, str) for ident in ids):
        raise BadRequest(f"device_ids: must be an array of at most {BATCH_MAX} texts")
    return list(dict.fromkeys(ids))


def integer(query: Query, name: str, default: int, least: int, most: int) -> int:
    """A number of a query; raises ``BadRequest``."""
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise BadRequest(f"{name}: must be a whole number within {least} and {most}")
    return int(text)
