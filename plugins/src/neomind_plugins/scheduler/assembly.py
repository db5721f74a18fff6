"""How the parts of scheduler are put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from neomind_sdk import (
    ExtensionStateChanged,
    Health,
    HealthCheck,
    Listener,
    Notice,
    Platform,
    PluginContext,
    SettingsRegistry,
)

from .models import Tools
from .service import Jobs
from .states import MemoryStates

DEFAULT_ZONE = "UTC"


def build(ctx: PluginContext) -> Jobs:
    platform = ctx.services[Platform]
    tools = Tools(clock=ctx.clock, log=ctx.log, zone=zone(ctx.services[SettingsRegistry]), states=MemoryStates())
    return Jobs(lambda: platform.contributions("jobs"), tools)


def zone(registry: SettingsRegistry) -> Callable[[], str]:
    """What tells the name of the time zone of cron expressions that name none."""

    def current() -> str:
        try:
            return str(registry.current("timezone").timezone)
        except KeyError:  # the plugin `settings` is not there
            return DEFAULT_ZONE

    return current


def listeners(ctx: PluginContext) -> list[Listener]:
    async def plugins_changed(notices: Sequence[Notice]) -> None:
        ctx.services[Jobs].sync()

    return [Listener(name="scheduler.plugins", events=(ExtensionStateChanged,), handle=plugins_changed)]


def checks(ctx: PluginContext) -> list[HealthCheck]:
    async def check() -> Health:
        problems = ctx.services[Jobs].problems()
        return Health(ok=not problems, detail="; ".join(problems))

    return [HealthCheck(name="scheduler", check=check)]
