"""How the parts of devices are put together."""

from __future__ import annotations

from collections.abc import Sequence

from neomind_sdk import (
    Database,
    DeviceDirectory,
    DeviceTransportOffline,
    DeviceTransportOnline,
    Listener,
    Notice,
    PluginContext,
    Service,
    SettingsChanged,
    Step,
    TelemetryStore,
)

from .current import Current
from .models import SECTION, DeviceSettings
from .service import Directory


def services() -> list[Service]:
    """In the order they need each other."""
    return [
        Service(key=Directory, build=build_directory),
        Service(key=DeviceDirectory, build=lambda ctx: ctx.services[Directory]),
        Service(key=Current, build=lambda ctx: Current(ctx.services[Directory], ctx.services[TelemetryStore])),
    ]


def build_directory(ctx: PluginContext) -> Directory:
    return Directory(ctx.services[Database], ctx.bus, ctx.clock, ctx.log, lambda: ctx.settings[DeviceSettings])


def listeners(ctx: PluginContext) -> list[Listener]:
    """Connections that come and go, and the time-out of the settings."""

    async def connections_changed(notices: Sequence[Notice]) -> None:
        presence = ctx.services[Directory].presence
        for _, at_ms, event in notices:
            if isinstance(event, DeviceTransportOnline):
                presence.connect(event.device_id, event.client_id, at_ms)
            elif isinstance(event, DeviceTransportOffline):
                presence.disconnect(event.device_id, event.client_id, at_ms)

    async def settings_changed(notices: Sequence[Notice]) -> None:
        sections = {notice.event.section for notice in notices if isinstance(notice.event, SettingsChanged)}
        if SECTION in sections:
            ctx.services[Directory].timeouts_changed()

    connections = (DeviceTransportOnline, DeviceTransportOffline)
    return [
        Listener(name="devices.connections", events=connections, handle=connections_changed),
        Listener(name="devices.settings", events=(SettingsChanged,), handle=settings_changed),
    ]


def start_steps(ctx: PluginContext) -> list[Step]:
    directory = ctx.services[Directory]

    async def watch() -> None:
        ctx.spawn(directory.presence.silence.run(), "silence")
        ctx.spawn(directory.presence.keep_saving(), "last_seen")

    return [Step(name="load", run=directory.load), Step(name="watch", run=watch)]
