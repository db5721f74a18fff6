"""How the parts of scheduler are put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from neomind_sdk import (
    Database,
    ExtensionStateChanged,
    Health,
    HealthCheck,
    Listener,
    Notice,
    OpenStorage,
    Platform,
    PlatformStopping,
    PluginContext,
    Scheduling,
    Service,
    SettingsRegistry,
    Status,
    Step,
)
from neomind_sdk.node import Node

from .durable import DurableStates
from .duty import Alone, Duty
from .kept import JobStates
from .leader import Leader
from .lease import Lease
from .models import Tools
from .service import Jobs
from .states import MemoryStates

DEFAULT_ZONE = "UTC"
RUNNING = (Status.FOUND, Status.ENABLED)


def services() -> list[Service]:
    """In the order they need each other."""
    return [
        Service(key=Duty, build=build),
        Service(key=Jobs, build=lambda ctx: ctx.services[Duty].jobs),
        Service(key=Scheduling, build=lambda ctx: ctx.services[Jobs]),
    ]


def build(ctx: PluginContext) -> Duty:
    storage, database = ctx.services.find(OpenStorage), ctx.services.find(Database)
    if storage is None or database is None:
        return Alone(jobs_of(ctx, MemoryStates()))
    lease = Lease(database, ctx.clock)
    states = DurableStates(database, ctx.clock, lease, ctx.log)
    node = Node(ctx.data_dir / ctx.plugin.name)
    return Leader(storage, lease, states, jobs_of(ctx, states), node, ctx.clock, ctx.log)


def jobs_of(ctx: PluginContext, states: JobStates) -> Jobs:
    platform = ctx.services[Platform]
    tools = Tools(clock=ctx.clock, log=ctx.log, zone=zone(ctx.services[SettingsRegistry]), states=states)
    return Jobs(lambda: platform.contributions("jobs"), tools, running(platform))


def zone(registry: SettingsRegistry) -> Callable[[], str]:
    """What tells the name of the time zone of cron expressions that name none."""

    def current() -> str:
        try:
            return str(registry.current("timezone").timezone)
        except KeyError:  # the plugin `settings` is not there
            return DEFAULT_ZONE

    return current


def running(platform: Platform) -> Callable[[str], bool]:
    """What tells whether a plugin runs or starts; of one that the platform does not know it is believed."""

    def check(name: str) -> bool:
        found = [info.status for info in platform.plugins() if info.name == name]
        return not found or any(status in RUNNING for status in found)

    return check


def listeners(ctx: PluginContext) -> list[Listener]:
    async def plugins_changed(notices: Sequence[Notice]) -> None:
        ctx.services[Jobs].sync()

    async def stopping(notices: Sequence[Notice]) -> None:
        if any(isinstance(notice.event, PlatformStopping) for notice in notices):
            ctx.services[Jobs].pause()

    return [
        Listener(name="scheduler.plugins", events=(ExtensionStateChanged,), handle=plugins_changed),
        Listener(name="scheduler.stopping", events=(PlatformStopping,), handle=stopping),
    ]


def checks(ctx: PluginContext) -> list[HealthCheck]:
    async def check() -> Health:
        problems = ctx.services[Jobs].problems()
        well, remark = ctx.services[Duty].standing()
        return Health(ok=well and not problems, detail="; ".join([*problems, *([remark] if remark else [])]))

    return [HealthCheck(name="scheduler", check=check)]


def start_steps(ctx: PluginContext) -> list[Step]:
    async def begin() -> None:
        await ctx.services[Duty].start(ctx.spawn)

    return [Step(name="begin", run=begin)]
