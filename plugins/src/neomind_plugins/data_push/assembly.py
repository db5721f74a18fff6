"""How the parts of data push are put together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from neomind_sdk import (
    Database,
    EmbeddedBroker,
    ExtensionOutputProduced,
    ExtensionStateChanged,
    ImageFiles,
    Listener,
    MetricsStored,
    Notice,
    Outbox,
    Platform,
    PluginContext,
    PushTargetType,
    Scheduling,
    Service,
    Step,
    TelemetryStore,
)
from neomind_sdk.vault import Vault

from .configs import Configs
from .engine import Drained, Engine
from .flusher import Flusher
from .history import History
from .kinds import Kinds
from .models import DataPushSettings
from .mqtt import MqttTarget
from .records import KIND
from .schedules import Schedules
from .server import PushServer
from .service import Parts, Targets
from .stats import Numbers
from .webhook import WebhookTarget
from .writer import Writer

DRAIN_S = 1.0


def types(ctx: PluginContext) -> list[PushTargetType]:
    return [WebhookTarget(), MqttTarget(lambda: ctx.services.find(EmbeddedBroker))]


def services() -> list[Service]:
    return [
        Service(key=Vault, build=lambda ctx: Vault(ctx.data_dir), private=True),
        Service(key=Kinds, build=lambda ctx: Kinds(ctx.services[Platform], ctx.log)),
        Service(key=Configs, build=build_configs),
        Service(key=Writer, build=build_writer),
        Service(key=Flusher, build=lambda ctx: Flusher(ctx.services[Writer])),
        Service(key=Engine, build=lambda ctx: Engine(ctx.services[Writer], ctx.services[Flusher], ctx.log)),
        Service(key=Targets, build=build_targets),
        Service(key=History, build=build_history),
        Service(key=Numbers, build=build_numbers),
    ]


def build_configs(ctx: PluginContext) -> Configs:
    return Configs(ctx.services[Kinds], ctx.services[Vault], ctx.egress)


def build_writer(ctx: PluginContext) -> Writer:
    return Writer(
        database=ctx.services[Database],
        outbox=ctx.services[Outbox],
        clock=ctx.clock,
        log=ctx.log,
        settings=lambda: ctx.settings[DataPushSettings],
    )


def build_targets(ctx: PluginContext) -> Targets:
    flusher = ctx.services[Flusher]
    return Targets(
        Parts(
            writer=ctx.services[Writer],
            flusher=flusher,
            engine=ctx.services[Engine],
            configs=ctx.services[Configs],
            schedules=Schedules(lambda: ctx.services.find(Scheduling), flusher.flush, ctx.log),
        )
    )


def build_history(ctx: PluginContext) -> History:
    return History(
        targets=ctx.services[Targets],
        writer=ctx.services[Writer],
        configs=ctx.services[Configs],
        store=ctx.services[TelemetryStore],
        egress=ctx.egress,
    )


def build_numbers(ctx: PluginContext) -> Numbers:
    return Numbers(targets=ctx.services[Targets], engine=ctx.services[Engine], writer=ctx.services[Writer])


def listeners(ctx: PluginContext) -> list[Listener]:
    async def happened(notices: Sequence[Notice]) -> None:
        await ctx.services[Engine].handle(notices)

    async def plugins_changed(notices: Sequence[Notice]) -> None:
        ctx.services[Targets].reschedule()

    wanted = (MetricsStored, ExtensionOutputProduced, Drained)
    return [
        Listener(name="data_push.values", events=wanted, handle=happened),
        Listener(name="data_push.plugins", events=(ExtensionStateChanged,), handle=plugins_changed),
    ]


def start_steps(ctx: PluginContext) -> list[Step]:
    async def load_key() -> None:
        await asyncio.to_thread(ctx.services[Vault].load)

    async def serve() -> None:
        targets = ctx.services[Targets]
        server = PushServer(
            database=ctx.services[Database],
            clock=ctx.clock,
            configs=ctx.services[Configs],
            images=lambda: ctx.services.find(ImageFiles),
            gone=targets.gone,
            ended=targets.ended,
            log=ctx.log,
        )
        ctx.services[Outbox].serve(KIND, server)

    return [
        Step(name="load_key", run=load_key),
        Step(name="load_targets", run=ctx.services[Targets].load),
        Step(name="serve", run=serve),
    ]


def stop_steps(ctx: PluginContext) -> list[Step]:
    async def drain() -> None:
        """What was stored before is queued, or in a buffer on disk."""
        marker = Drained()
        ctx.bus.publish(marker)
        await asyncio.wait_for(marker.done.wait(), DRAIN_S)

    async def close() -> None:
        await ctx.services[History].turns.close()
        await ctx.services[Targets].close()

    return [Step(name="drain", run=drain), Step(name="close", run=close)]
