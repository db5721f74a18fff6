"""How the parts of telemetry are put together."""

from __future__ import annotations

from collections.abc import Sequence

from neomind_sdk import (
    DeviceDirectory,
    DeviceUnregistered,
    DiscoveryInbox,
    ImageFiles,
    Ingest,
    Listener,
    Notice,
    Platform,
    PluginContext,
    Service,
    TelemetryStore,
)

from .catalog import Catalog
from .history import History
from .images import Images
from .models import RetentionSettings
from .retention import Retention
from .service import IngestService


def services() -> list[Service]:
    """In the order they need each other."""
    return [
        Service(key=Images, build=lambda ctx: Images(ctx.data_dir / "telemetry" / "images")),
        Service(key=ImageFiles, build=lambda ctx: ctx.services[Images]),
        Service(key=Ingest, build=build_ingest),
        Service(key=Catalog, build=build_catalog),
        Service(key=History, build=build_history),
        Service(key=Retention, build=build_retention),
    ]


def listeners(ctx: PluginContext) -> list[Listener]:
    async def forget(notices: Sequence[Notice]) -> None:
        await ctx.services[Images].forget(notices)

    return [Listener(name="telemetry.images", events=(DeviceUnregistered,), handle=forget)]


def build_ingest(ctx: PluginContext) -> IngestService:
    service = IngestService(
        store=ctx.services[TelemetryStore],
        directory=ctx.services[DeviceDirectory],
        bus=ctx.bus,
        clock=ctx.clock,
        images=ctx.services[Images],
        inbox=lambda: ctx.services.find(DiscoveryInbox),
    )
    inbox = ctx.services.find(DiscoveryInbox)
    if inbox is not None:
        inbox.connect(service)
    return service


def build_catalog(ctx: PluginContext) -> Catalog:
    return Catalog(ctx.services[TelemetryStore], ctx.services[DeviceDirectory], ctx.services[Platform])


def build_history(ctx: PluginContext) -> History:
    store, directory = ctx.services[TelemetryStore], ctx.services[DeviceDirectory]
    return History(store, directory, ctx.services[Catalog], ctx.clock)


def build_retention(ctx: PluginContext) -> Retention:
    store, images = ctx.services[TelemetryStore], ctx.services[Images]
    return Retention(store, images, ctx.clock, ctx.log, lambda: ctx.settings[RetentionSettings])
