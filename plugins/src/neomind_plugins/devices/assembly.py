"""How the parts of devices are put together."""

from __future__ import annotations

from neomind_sdk import Database, DeviceDirectory, PluginContext, Service, Step, TelemetryStore

from .current import Current
from .models import DeviceSettings
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


def start_steps(ctx: PluginContext) -> list[Step]:
    directory = ctx.services[Directory]

    async def keep_saving() -> None:
        ctx.spawn(directory.presence.keep_saving(), "last_seen")

    return [Step(name="load", run=directory.load), Step(name="keep_saving", run=keep_saving)]
