"""The data that a run begins with: the newest values of what the agent is bound to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import attrs

from neomind_sdk import ApiError, DeviceDirectory, ImageFiles, ImagePart, Point, Sample, TelemetryStore
from neomind_sdk.units import seconds

from .kept import COMMAND, DATA_STREAM, DEVICE, EXTENSION_METRIC, METRIC, Agent, Resource
from .masking import fitted, masked

POINTS_MAX, METRICS_MAX, MINUTES = 100, 100, 60
ROW_MAX, COLLECTED_MAX = 64 * 1024, 256 * 1024
IMAGES = "/api/images/"
IMAGES_MAX, IMAGE_BYTES_MAX = 4, 4 * 1024 * 1024
RAW = "_raw"


@attrs.frozen(kw_only=True)
class Row:
    """Something that was looked at; ``timestamp`` in epoch seconds."""

    source: str
    data_type: str
    values: Any
    timestamp: float


def series_of(resource: Resource) -> str | None:
    """The series of a resource that has one."""
    if resource.resource_type == METRIC:
        return f"device:{resource.resource_id}"
    if resource.resource_type in (EXTENSION_METRIC, DATA_STREAM):
        return resource.resource_id
    return None


@attrs.frozen(kw_only=True)
class Collector:
    """Looks things up; what is not there is left out."""

    telemetry: TelemetryStore
    directory: Callable[[], DeviceDirectory | None]
    images: Callable[[], ImageFiles | None]

    async def collect(self, agent: Agent, extra: Sequence[Row], now_ms: int) -> list[Row]:
        """``extra`` first, then a row for each resource that tells something, as long as there is room."""
        rows, room = [], COLLECTED_MAX
        async for row in self._rows(agent, extra, now_ms):
            rows.append(attrs.evolve(row, values=fitted(row.values, ROW_MAX)))
            room -= len(json.dumps(rows[-1].values))
            if room < 0:
                break
        info = Row(source="system", data_type="info", values={"note": "no data is bound"}, timestamp=seconds(now_ms))
        return rows or [info]

    async def first_of(self, keys: Sequence[tuple[str, str, str]]) -> tuple[Row, ...]:
        """The newest value of the first source that has one: of what an agent waits for, when nothing has come."""
        for kind, ident, field in keys:
            source = f"{kind}:{ident}"
            found = await self.telemetry.latest_of(source) if ident else {}
            names = [name for name in found if name != RAW and field in ("", name)]
            if names:
                newest = max(names, key=lambda name: found[name].ts_ms)
                return (value_row(f"{source}:{newest}", found[newest]),)
        return ()

    async def _rows(self, agent: Agent, extra: Sequence[Row], now_ms: int) -> AsyncIterator[Row]:
        for row in extra:
            yield row
        for resource in agent.resources:
            for row in await self._resource(resource, now_ms):
                yield row

    async def _resource(self, resource: Resource, now_ms: int) -> list[Row]:
        if resource.resource_type in (DEVICE, COMMAND):
            ident = resource.resource_id
            return await self._device(ident.rpartition(":")[0] if resource.resource_type == COMMAND else ident, now_ms)
        series = series_of(resource)
        return [] if series is None else await self._series(resource, series, now_ms)

    async def pictures(self, rows: Sequence[Row]) -> tuple[ImagePart, ...]:
        """The pictures whose addresses are among the values; for models that see."""
        files, found = self.images(), []
        addresses = [each for row in rows for each in addresses_in(row.values)]
        for address in dict.fromkeys(addresses[:IMAGES_MAX] if files is not None else []):
            assert files is not None
            try:
                content, media_type = await files.read(*address.removeprefix(IMAGES).split("/"))
            except (ApiError, TypeError):
                continue
            if len(content) <= IMAGE_BYTES_MAX and media_type.startswith("image/"):
                found.append(ImagePart(data=content, media_type=media_type))
        return tuple(found)

    async def _device(self, device_id: str, now_ms: int) -> list[Row]:
        samples = await self.telemetry.latest_of(f"device:{device_id}")
        directory = self.directory()
        device = None if directory is None else directory.get(device_id)
        if device is None and not samples:
            return []
        values: dict[str, Any] = {"metrics": latest_view(samples)}
        if device is not None and directory is not None:
            status = directory.status(device_id)
            values = {"name": device.name, "device_type": device.device_type, "status": status, **values}
        newest = max((sample.ts_ms for sample in samples.values()), default=now_ms)
        return [Row(source=f"device:{device_id}", data_type="device", values=masked(values), timestamp=seconds(newest))]

    async def _series(self, resource: Resource, series: str, now_ms: int) -> list[Row]:
        wanted = resource.config.get("data_collection")
        wanted = wanted if isinstance(wanted, Mapping) else {}
        if wanted.get("include_history") is True:
            return await self._history(series, wanted, now_ms)
        sample = (await self.telemetry.latest([series])).get(series)
        return [] if sample is None else [value_row(series, sample)]

    async def _history(self, series: str, wanted: Mapping[str, Any], now_ms: int) -> list[Row]:
        start_ms = now_ms - whole(wanted.get("time_range_minutes"), MINUTES, 60 * 24 * 31) * 60_000
        limit = whole(wanted.get("max_points"), POINTS_MAX, POINTS_MAX)
        samples = await self.telemetry.range(series, start_ms, now_ms, limit=limit)
        if not samples:
            return []
        points = [{"timestamp": seconds(each.ts_ms), "value": masked(each.value)} for each in reversed(samples)]
        values = {**points[-1], "points_count": len(points), "history": points}
        return [Row(source=series, data_type="metric", values=values, timestamp=seconds(samples[0].ts_ms))]


def value_row(series: str, sample: Sample | Point, data_type: str = "metric") -> Row:
    """One value of a series."""
    values = {"value": masked(sample.value), "timestamp": seconds(sample.ts_ms), "points_count": 1}
    return Row(source=series, data_type=data_type, values=values, timestamp=seconds(sample.ts_ms))


def latest_view(samples: Mapping[str, Sample]) -> dict[str, Any]:
    names = sorted(name for name in samples if name != RAW)[:METRICS_MAX]
    return {name: {"value": masked(samples[name].value), "timestamp": seconds(samples[name].ts_ms)} for name in names}


def addresses_in(value: Any) -> list[str]:
    """Addresses of pictures anywhere in a value."""
    if isinstance(value, str):
        return [value] if value.startswith(IMAGES) and value.count("/") == 5 else []
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return [each for part in parts for each in addresses_in(part)]


def whole(value: Any, default: int, most: int) -> int:
    """A number of a configuration that may hold anything."""
    sound = isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= most
    return int(value) if sound else default
