"""How the parts of agents are put together."""

from __future__ import annotations

from collections.abc import Sequence

from neomind_sdk import (
    AgentRuns,
    Database,
    DeviceDirectory,
    ExtensionCommands,
    ExtensionStateChanged,
    ImageFiles,
    LanguageModels,
    Listener,
    MetricsStored,
    Notice,
    Platform,
    PluginContext,
    Scheduling,
    Service,
    TelemetryStore,
)

from .approvals import Approvals
from .calling import Caller
from .collecting import Collector
from .keeping import Keeper
from .models import AgentSettings
from .offering import Offerings
from .runs import Parts, Runs
from .schedules import Schedules
from .service import Agents
from .toolbox import Toolbox
from .triggers import EventIndex, EventStarter


def services() -> list[Service]:
    return [
        Service(key=Agents, build=build),
        Service(key=AgentRuns, build=lambda ctx: ctx.services[Agents]),
        Service(key=Offerings, build=offerings),
    ]


def build(ctx: PluginContext) -> Agents:
    index = EventIndex()
    agents = Agents(Runs(parts_of(ctx)), index)
    agents.schedules = Schedules(lambda: ctx.services.find(Scheduling), agents.due, ctx.log)
    agents.starter = EventStarter(
        index, agents.offer, ctx.clock.monotonic, lambda: ctx.settings[AgentSettings].event_cooldown_secs
    )
    return agents


def parts_of(ctx: PluginContext) -> Parts:
    database, telemetry = ctx.services[Database], ctx.services[TelemetryStore]
    toolbox = Toolbox(ctx.services[Platform])
    caller = Caller(
        clock=ctx.clock, telemetry=telemetry, timeout_s=lambda: ctx.settings[AgentSettings].tool_timeout_secs
    )
    keeper = Keeper(database, ctx.clock, ctx.log)
    return Parts(
        database=database,
        clock=ctx.clock,
        log=ctx.log,
        bus=ctx.bus,
        settings=lambda: ctx.settings[AgentSettings],
        models=lambda: ctx.services.find(LanguageModels),
        toolbox=toolbox,
        caller=caller,
        collector=Collector(
            telemetry=telemetry,
            directory=lambda: ctx.services.find(DeviceDirectory),
            images=lambda: ctx.services.find(ImageFiles),
        ),
        approvals=Approvals(keeper, ctx.bus, toolbox, caller, lambda: ctx.settings[AgentSettings]),
    )


def offerings(ctx: PluginContext) -> Offerings:
    platform = ctx.services[Platform]
    return Offerings(
        platform=platform,
        toolbox=Toolbox(platform),
        directory=lambda: ctx.services.find(DeviceDirectory),
        commands=lambda: ctx.services.find(ExtensionCommands),
        models=lambda: ctx.services.find(LanguageModels),
        scheduling=lambda: ctx.services.find(Scheduling),
    )


def listeners(ctx: PluginContext) -> list[Listener]:
    async def stored(notices: Sequence[Notice]) -> None:
        ctx.services[Agents].stored(notices)

    async def plugins_changed(notices: Sequence[Notice]) -> None:
        ctx.services[Agents].reschedule()

    return [
        Listener(name="agents.values", events=(MetricsStored,), handle=stored),
        Listener(name="agents.plugins", events=(ExtensionStateChanged,), handle=plugins_changed),
    ]
