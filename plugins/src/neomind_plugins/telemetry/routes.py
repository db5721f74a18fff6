"""Routes of telemetry: history, data sources, writing one value, images, cleaning up."""

from __future__ import annotations

from typing import Any

from neomind_sdk import (
    PUBLIC,
    Clock,
    DeviceDirectory,
    Ingest,
    NotFound,
    PluginContext,
    Point,
    Raw,
    Request,
    Route,
    ValidationFailed,
    series,
    units,
)

from .catalog import Catalog
from .history import History
from .images import Images
from .models import (
    CleanupAnswer,
    HistoryAnswer,
    HistoryQuery,
    MetricWrite,
    MetricWritten,
    SourcesAnswer,
    SourcesQuery,
    SummaryAnswer,
    SummaryQuery,
    TelemetryAnswer,
    TelemetryQuery,
)
from .plan import json_text
from .retention import Retention

STORAGE_ERRORS = ("SERVICE_UNAVAILABLE", "STORAGE_FULL")
# The name of an image is derived from its content: what is at an address never changes.
FOREVER = {"Cache-Control": "public, max-age=2592000, immutable", "X-Content-Type-Options": "nosniff"}


async def history(request: Request) -> dict[str, Any]:
    return await request.services[History].of_device(request.params["device_id"], request.query)


async def summary(request: Request) -> dict[str, Any]:
    return await request.services[History].summary(request.params["device_id"], request.query.hours)


async def telemetry(request: Request) -> dict[str, Any]:
    return await request.services[History].of_source(request.query)


async def sources(request: Request) -> dict[str, Any]:
    return await request.services[Catalog].sources(request.query)


async def write_metric(request: Request) -> MetricWritten:
    device_id, body = request.params["device_id"], request.body
    if request.services[DeviceDirectory].get(device_id) is None:
        raise NotFound("DEVICE", device_id)
    if body.value is None:
        raise ValidationFailed(("value", "must not be null"))
    now_ms = request.services[Clock].now_ms()
    try:
        ts_ms = now_ms if body.timestamp is None else units.device_time(body.timestamp, now_ms)
    except ValueError as error:
        raise ValidationFailed(("timestamp", str(error))) from error
    value = json_text(body.value) if isinstance(body.value, (dict, list)) else body.value
    point = Point(series.of_device(device_id, body.metric), ts_ms, value)
    await request.services[Ingest].write([point], source="api")
    return MetricWritten(device_id=device_id, metric=body.metric, timestamp=ts_ms)


async def image(request: Request) -> Raw:
    parts = (request.params[name] for name in ("device", "metric", "file"))
    content, media_type = await request.services[Images].read(*parts)
    return Raw(content=content, media_type=media_type, headers=FOREVER)


def routes(ctx: PluginContext) -> list[Route]:
    """All routes; ``ctx`` runs the cleanup in the background."""

    async def clean_up(request: Request) -> CleanupAnswer:
        retention = request.services[Retention]
        if retention.running:
            return CleanupAnswer(triggered=False, message="A cleanup is running already")
        ctx.spawn(retention.clean_logged(), "retention")
        return CleanupAnswer(triggered=True, message="The cleanup has started")

    return [
        *of_devices(),
        *of_sources(),
        Route(
            method="POST",
            path="/settings/retention/cleanup",
            handler=clean_up,
            scope="settings:write",
            summary="Delete old samples now, in the background",
            response=CleanupAnswer,
        ),
    ]


def of_devices() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/devices/{device_id}/history",
            handler=history,
            scope="devices:read",
            summary="History of a device",
            description="Values by metric, newest first. Without `metric`: of all metrics, at most 50.",
            query=HistoryQuery,
            response=HistoryAnswer,
            errors=("BAD_REQUEST", "DEVICE_NOT_FOUND", "SERVICE_UNAVAILABLE"),
        ),
        Route(
            method="GET",
            path="/devices/{device_id}/telemetry/summary",
            handler=summary,
            scope="devices:read",
            summary="Current, average, least and greatest value of every metric of a device",
            query=SummaryQuery,
            response=SummaryAnswer,
            errors=("DEVICE_NOT_FOUND", "SERVICE_UNAVAILABLE"),
        ),
        Route(
            method="POST",
            path="/devices/{device_id}/metrics",
            handler=write_metric,
            scope="devices:write",
            summary="Store one value",
            body=MetricWrite,
            body_required=True,
            response=MetricWritten,
            errors=("DEVICE_NOT_FOUND", "VALIDATION_ERROR", *STORAGE_ERRORS),
        ),
    ]


def of_sources() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/telemetry",
            handler=telemetry,
            scope="devices:read",
            summary="Values of one data source, ascending",
            query=TelemetryQuery,
            response=TelemetryAnswer,
            errors=("BAD_REQUEST", "SERVICE_UNAVAILABLE"),
        ),
        Route(
            method="GET",
            path="/data/sources",
            handler=sources,
            scope="devices:read",
            summary="Everything that can be shown, compared or pushed",
            query=SourcesQuery,
            response=SourcesAnswer,
            errors=("VALIDATION_ERROR", "SERVICE_UNAVAILABLE"),
        ),
        Route(
            method="GET",
            path="/images/{device}/{metric}/{file}",
            handler=image,
            scope=PUBLIC,
            summary="An image that a device sent",
            produces="image/*",
            errors=("BAD_REQUEST", "IMAGE_NOT_FOUND"),
        ),
    ]
