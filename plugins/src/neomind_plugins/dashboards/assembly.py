"""How the parts of dashboards are put together."""

from __future__ import annotations

from collections.abc import Callable

from neomind_sdk import (
    AgentRuns,
    Database,
    DeviceCommands,
    DeviceDirectory,
    ExtensionCommands,
    Platform,
    PluginContext,
    Service,
    SettingsRegistry,
    Step,
    TelemetryStore,
)

from .acting import Actor
from .machine import Machine
from .mirror import Mirror
from .pacing import Pace
from .proxy import Proxy
from .reading import Reader
from .service import Dashboards
from .shares import Shares

DEFAULT_ZONE = "Asia/Shanghai"


def services() -> list[Service]:
    """In the order they need each other."""
    return [
        Service(key=Dashboards, build=lambda ctx: Dashboards(ctx.services[Database], ctx.bus, ctx.clock)),
        Service(key=Shares, build=lambda ctx: Shares(ctx.services[Database], ctx.bus, ctx.clock, ctx.log)),
        Service(key=Reader, build=build_reader),
        Service(key=Actor, build=build_actor),
        Service(key=Proxy, build=build_proxy),
    ]


def build_reader(ctx: PluginContext) -> Reader:
    platform, services = ctx.services[Platform], ctx.services
    return Reader(
        store=services[TelemetryStore],
        clock=ctx.clock,
        machine=Machine(platform.version, platform.started_ms),
        zone=zone(services[SettingsRegistry]),
        directory=lambda: services.find(DeviceDirectory),
        runs=lambda: services.find(AgentRuns),
    )


def build_actor(ctx: PluginContext) -> Actor:
    services = ctx.services
    return Actor(lambda: services.find(DeviceCommands), lambda: services.find(ExtensionCommands), pace=Pace(ctx.clock))


def build_proxy(ctx: PluginContext) -> Proxy:
    services = ctx.services
    return Proxy(Mirror(services[Reader]), services[Actor], services[Platform])


def zone(registry: SettingsRegistry) -> Callable[[], str]:
    """What tells the name of the time zone that days begin in."""

    def current() -> str:
        try:
            return str(registry.current("timezone").timezone)
        except KeyError:  # the plugin `settings` is not there
            return DEFAULT_ZONE

    return current


def stop_steps(ctx: PluginContext) -> list[Step]:
    dashboards, shares = ctx.services[Dashboards], ctx.services[Shares]
    return [Step(name="close_dashboards", run=dashboards.close), Step(name="close_shares", run=shares.close)]
