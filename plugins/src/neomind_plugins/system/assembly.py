"""How the parts of system are put together."""

from __future__ import annotations

from typing import TypeVar

from neomind_sdk import DeviceDirectory, Health, HealthCheck, OpenStorage, Platform, PluginContext, Service

from .readiness import Readiness
from .service import NO_STORAGE, Information
from .stats import Stats
from .uptime import Uptime

T = TypeVar("T")


def services() -> list[Service]:
    """In the order they need each other."""
    return [
        Service(key=Uptime, build=lambda ctx: Uptime(ctx.services[Platform], ctx.clock)),
        Service(key=Readiness, build=lambda ctx: Readiness(ctx.services[Platform])),
        Service(key=Information, build=build_information),
        Service(key=Stats, build=build_stats),
    ]


def build_information(ctx: PluginContext) -> Information:
    return Information(ctx.services[Platform], ctx.services[Uptime], lambda: find(ctx, OpenStorage))


def build_stats(ctx: PluginContext) -> Stats:
    uptime = ctx.services[Uptime]
    return Stats(ctx.services[Platform], ctx.clock, uptime, lambda: find(ctx, DeviceDirectory))


def find(ctx: PluginContext, key: type[T]) -> T | None:
    """A service that may be missing, or belong to a plugin that this one does not know."""
    try:
        return ctx.services.find(key)
    except LookupError:
        return None


def storage_check(ctx: PluginContext) -> HealthCheck:
    """The storage's health: storage plugins open before there is anything that could ask them, so they need none."""

    async def check() -> Health:
        storage = find(ctx, OpenStorage)
        return Health(ok=False, detail=NO_STORAGE) if storage is None else await storage.health()

    return HealthCheck(name="database", check=check, vital=True)
