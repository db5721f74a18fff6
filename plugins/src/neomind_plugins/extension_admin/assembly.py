"""How the parts of extension_admin are put together."""

from __future__ import annotations

from neomind_sdk import ExtensionCommands, Ingest, Platform, PluginContext, Service

from .assets import Assets
from .calls import Calls
from .capabilities import Capabilities
from .runner import CommandRunner
from .service import Discovery


def services() -> list[Service]:
    return [
        Service(key=Discovery, build=lambda ctx: Discovery(ctx.services[Platform], ctx.log)),
        Service(key=Assets, build=lambda ctx: Assets(ctx.services[Platform], ctx.log)),
        Service(key=Capabilities, build=build_capabilities),
        Service(key=CommandRunner, build=build_runner),
        Service(key=ExtensionCommands, build=lambda ctx: Calls(ctx.services[CommandRunner], ctx.services[Platform])),
    ]


def build_capabilities(ctx: PluginContext) -> Capabilities:
    def has(key: type) -> bool:
        try:
            return ctx.services.find(key) is not None
        except LookupError:  # of a plugin that this one does not name
            return True

    return Capabilities(ctx.services[Platform], has)


def build_runner(ctx: PluginContext) -> CommandRunner:
    def find_ingest() -> Ingest | None:
        return ctx.services.find(Ingest)

    return CommandRunner(ctx.services[Platform], ctx.bus, ctx.clock, ctx.log, find_ingest)
