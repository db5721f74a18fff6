"""How the parts of the outbox are put together."""

from __future__ import annotations

from collections.abc import Sequence

from neomind_sdk import (
    Database,
    ExtensionStateChanged,
    Health,
    HealthCheck,
    Listener,
    Notice,
    Outbox,
    PlatformStopping,
    PluginContext,
    Service,
    Step,
)
from neomind_sdk.node import Node

from .bucket import Buckets
from .lanes import Lanes
from .leases import Leases
from .models import OutboxSettings
from .parts import Parts
from .runner import Runner
from .service import DurableOutbox
from .teller import Teller


def services() -> list[Service]:
    """In the order they need each other."""
    return [
        Service(key=DurableOutbox, build=build),
        Service(key=Outbox, build=lambda ctx: ctx.services[DurableOutbox]),
    ]


def build(ctx: PluginContext) -> DurableOutbox:
    settings = ctx.settings[OutboxSettings]
    parts = Parts(
        database=ctx.services[Database],
        bus=ctx.bus,
        clock=ctx.clock,
        egress=ctx.egress,
        log=ctx.log,
        spawn=ctx.spawn,
        settings=settings,
    )
    return assembled(parts, Node(ctx.data_dir / ctx.plugin.name))


def assembled(parts: Parts, node: Node) -> DurableOutbox:
    teller = Teller(parts)
    buckets = Buckets(parts.clock, parts.settings.lane_rate, parts.settings.lane_burst)
    leases = Leases(parts.clock, parts.settings.attempt_timeout_s)
    runner = Runner(parts, buckets, leases, teller.start)
    return DurableOutbox(
        database=parts.database,
        clock=parts.clock,
        settings=parts.settings,
        servers=parts.servers,
        log=parts.log,
        lanes=Lanes(parts, runner, buckets, leases),
        leases=leases,
        teller=teller,
        node=node,
    )


def listeners(ctx: PluginContext) -> list[Listener]:
    async def plugins_changed(notices: Sequence[Notice]) -> None:
        ctx.services[DurableOutbox].lanes.retry_unavailable()

    async def stopping(notices: Sequence[Notice]) -> None:
        if any(isinstance(notice.event, PlatformStopping) for notice in notices):
            ctx.services[DurableOutbox].pause()

    return [
        Listener(name="outbox.plugins", events=(ExtensionStateChanged,), handle=plugins_changed),
        Listener(name="outbox.stopping", events=(PlatformStopping,), handle=stopping),
    ]


def health_checks(ctx: PluginContext) -> list[HealthCheck]:
    async def check() -> Health:
        return await ctx.services[DurableOutbox].health()

    return [HealthCheck(name="outbox", check=check)]


def start_steps(ctx: PluginContext) -> list[Step]:
    async def start() -> None:
        await ctx.services[DurableOutbox].start(ctx.spawn)

    return [Step(name="dispatch", run=start)]
