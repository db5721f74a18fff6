"""The one way in for samples: taken apart, stored in one batch, told to whoever listens."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import orjson

from neomind_sdk import (
    Clock,
    DeviceDirectory,
    DiscoveryInbox,
    EventBus,
    MetricsStored,
    NotFound,
    Point,
    Receipt,
    TelemetryStore,
    UnknownSample,
    Uplink,
    ValidationFailed,
    series,
    units,
)

from .images import Images, begins_like_picture, suspect
from .plan import Plan, Plans


@attrs.frozen
class IngestService:
    """The ``Ingest`` of the platform. ``inbox`` finds who takes samples of unknown devices, if anybody does."""

    store: TelemetryStore
    directory: DeviceDirectory
    bus: EventBus
    clock: Clock
    images: Images
    inbox: Callable[[], DiscoveryInbox | None]
    plans: Plans = attrs.field(factory=Plans)

    async def submit(self, uplinks: Sequence[Uplink]) -> Sequence[Receipt]:
        """See ``Ingest.submit``."""
        points: list[Point] = []
        alive: list[Uplink] = []
        receipts = [
            self._take(uplink, points, alive) or await self._take_slowly(uplink, points, alive) for uplink in uplinks
        ]
        try:
            if points:
                await self.store.append(points)
        except asyncio.CancelledError:
            self._tell(points, alive, uplinks)  # they are stored all the same: nobody will send them again
            raise
        self._tell(points, alive, uplinks)
        return receipts

    async def write(self, points: Sequence[Point], *, source: str, cause: str | None = None, hops: int = 0) -> None:
        """See ``Ingest.write``."""
        names = [series.split(point.series) for point in points]
        if not points:
            return
        kept = [await self._without_picture(point, name) for point, name in zip(points, names, strict=True)]

        def tell() -> None:
            self._tell_written(kept, names, source, cause, hops)

        try:
            await self.store.append(kept)
        except asyncio.CancelledError:
            tell()
            raise
        tell()

    def _tell(self, points: Sequence[Point], alive: Sequence[Uplink], uplinks: Sequence[Uplink]) -> None:
        for uplink in alive:
            self.directory.seen(uplink.device_id, uplink.received_ms)
        if points:
            self.bus.publish(told(points, uplinks))

    def _tell_written(
        self, kept: Sequence[Point], names: Sequence[series.SeriesName], source: str, cause: str | None, hops: int
    ) -> None:
        for device_id in {name.source_id for name in names if name.source_type == series.DEVICE and not name.virtual}:
            if self.directory.get(device_id) is not None:
                self.directory.seen(device_id, self.clock.now_ms())
        for virtual in (False, True):
            part = [point for point, name in zip(kept, names, strict=True) if name.virtual is virtual]
            if part:
                self.bus.publish(MetricsStored(points=part, source=source, virtual=virtual, cause=cause, hops=hops))

    def _take(self, uplink: Uplink, points: list[Point], alive: list[Uplink]) -> Receipt | None:
        """Take a message apart; ``None`` for one that has to wait for something. Nearly all have not."""
        if self.directory.get(uplink.device_id) is None:
            return None
        stored = 0
        if not uplink.heartbeat:
            payload = unwrapped(uplink.payload)
            raw = orjson.dumps(payload)
            if suspect(raw):
                return None
            stored = self._extract(uplink, payload, raw, points)
        if not uplink.retained:
            alive.append(uplink)
        return Receipt(device_id=uplink.device_id, stored=stored)

    async def _take_slowly(self, uplink: Uplink, points: list[Point], alive: list[Uplink]) -> Receipt:
        """A message of a device that nobody registered, or one that may hold pictures."""
        device_id = uplink.device_id
        if self.directory.get(device_id) is None:
            return await self._offer(uplink)
        scalar = self.plans.of(self.directory.type_of(device_id)).scalar
        payload = await self.images.replace(device_id, unwrapped(uplink.payload), scalar, time_of(uplink))
        stored = self._extract(uplink, payload, orjson.dumps(payload), points)
        if not uplink.retained:
            alive.append(uplink)
        return Receipt(device_id=device_id, stored=stored)

    def _extract(self, uplink: Uplink, payload: Any, raw: bytes, points: list[Point]) -> int:
        """Add the values of a message to ``points``; returns how many."""
        quality, ts_ms, before = uplink.quality, time_of(uplink), len(points)
        plan = self.plans.of(self.directory.type_of(uplink.device_id))
        prefix = f"{series.DEVICE}:{uplink.device_id}:"
        points.extend([Point(prefix + name, ts_ms, value, quality) for name, value in values(plan, payload)])
        if plan.store_raw:
            points.append(Point(prefix + series.RAW, ts_ms, raw.decode(), quality))
        return len(points) - before

    async def _offer(self, uplink: Uplink) -> Receipt:
        inbox = self.inbox()
        if inbox is None:
            raise NotFound("DEVICE", uplink.device_id)
        kept = not uplink.heartbeat and await inbox.offer(
            UnknownSample(
                device_id=uplink.device_id,
                source=uplink.transport,
                payload=unwrapped(uplink.payload, keep_bytes=True),
                received_ms=uplink.received_ms,
                ts_ms=uplink.ts_ms,
                original_topic=uplink.original_topic,
                adapter_id=uplink.adapter_id,
                client=uplink.client,
                quality=uplink.quality,
                retained=uplink.retained,
            )
        )
        return Receipt(device_id=uplink.device_id, draft=kept)

    async def _without_picture(self, point: Point, name: series.SeriesName) -> Point:
        if not isinstance(point.value, str) or not begins_like_picture(point.value):
            return point
        return point._replace(value=await self.images.replace(name.source_id, point.value, name.metric, point.ts_ms))


def unwrapped(payload: Any, *, keep_bytes: bool = False) -> Any:
    """The values of a message: an object that is all of it under ``data`` is taken out, bytes become base64 text."""
    if isinstance(payload, dict):
        inner = payload.get("data") if len(payload) == 1 else None
        return inner if isinstance(inner, dict) else payload
    if isinstance(payload, bytes) and not keep_bytes:
        return base64.b64encode(payload).decode()
    return payload


def values(plan: Plan, payload: Any) -> list[tuple[str, Any]]:
    """The metrics of an unwrapped message."""
    if isinstance(payload, (dict, list)):
        return plan.extract(payload)
    return [] if payload is None else [(plan.scalar, payload)]


def time_of(uplink: Uplink) -> int:
    """The time of a message's samples; raises ``ValidationFailed`` for a device time that cannot be."""
    if uplink.ts_ms is None:
        return uplink.received_ms
    try:
        return units.check_device_time(uplink.ts_ms, uplink.received_ms)
    except ValueError as error:
        raise ValidationFailed(("timestamp", str(error))) from error


def told(points: Sequence[Point], uplinks: Sequence[Uplink]) -> MetricsStored:
    """The event of a batch. What other platforms pushed here has them for its cause."""
    source, hops = origin(uplinks), uplinks[0].hops
    if len(uplinks) > 1:
        hops = max([uplink.hops for uplink in uplinks])
    return MetricsStored(points=points, source=source, cause=source if hops else None, hops=hops)


def origin(uplinks: Sequence[Uplink]) -> str:
    """The source of a batch: its transport, and its device when it is of one."""
    first = uplinks[0]
    if len(uplinks) > 1 and any(uplink.device_id != first.device_id for uplink in uplinks):
        return f"adapter:{first.transport}"
    return f"adapter:{first.transport}:{first.device_id}"
