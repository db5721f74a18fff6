"""How the parts of drafts are put together."""

from __future__ import annotations

from neomind_sdk import (
    Database,
    DeviceDirectory,
    DiscoveryInbox,
    PluginContext,
    Service,
    SettingsRegistry,
    Step,
    TelemetryStore,
)

from .analyst import Analyst
from .approving import Approver
from .deciding import Decider
from .inbox import Inbox
from .limits import Limits
from .models import DraftSettings
from .proposals import Typist
from .service import Drafts
from .shelf import Shelf
from .signatures import Signatures
from .telling import Teller

DEVICE_SECTION = "device"


def services() -> list[Service]:
    """In the order they need each other."""
    return [
        Service(key=Shelf, build=lambda ctx: Shelf()),
        Service(key=Signatures, build=lambda ctx: Signatures(ctx.services[DeviceDirectory])),
        Service(key=Typist, build=build_typist),
        Service(key=Analyst, build=build_analyst),
        Service(key=Inbox, build=build_inbox),
        Service(key=DiscoveryInbox, build=lambda ctx: ctx.services[Inbox]),
        Service(key=Approver, build=build_approver),
        Service(key=Drafts, build=build_drafts),
    ]


def build_typist(ctx: PluginContext) -> Typist:
    return Typist(ctx.services[DeviceDirectory], ctx.services[Signatures])


def build_analyst(ctx: PluginContext) -> Analyst:
    return Analyst(
        database=ctx.services[Database],
        shelf=ctx.services[Shelf],
        typist=ctx.services[Typist],
        tell=Teller(ctx.bus),
        clock=ctx.clock,
        log=ctx.log,
    )


def build_inbox(ctx: PluginContext) -> Inbox:
    return Inbox(
        database=ctx.services[Database],
        shelf=ctx.services[Shelf],
        limits=Limits(ctx.clock),
        tell=Teller(ctx.bus),
        clock=ctx.clock,
        enabled=lambda: ctx.settings[DraftSettings].enabled and onboarding(ctx),
        max_samples=lambda: ctx.settings[DraftSettings].max_samples,
        news=ctx.services[Analyst].wake,
    )


def onboarding(ctx: PluginContext) -> bool:
    """What the settings of devices say about unknown ones."""
    return bool(ctx.services[SettingsRegistry].current(DEVICE_SECTION).auto_onboard_enabled)


def build_approver(ctx: PluginContext) -> Approver:
    directory = ctx.services[DeviceDirectory]
    return Approver(
        database=ctx.services[Database],
        store=ctx.services[TelemetryStore],
        directory=directory,
        shelf=ctx.services[Shelf],
        inbox=ctx.services[Inbox],
        analyst=ctx.services[Analyst],
        decider=Decider(directory, ctx.services[Typist]),
        tell=Teller(ctx.bus),
        log=ctx.log,
    )


def build_drafts(ctx: PluginContext) -> Drafts:
    return Drafts(
        database=ctx.services[Database],
        directory=ctx.services[DeviceDirectory],
        registry=ctx.services[SettingsRegistry],
        settings=lambda: ctx.settings[DraftSettings],
        clock=ctx.clock,
        log=ctx.log,
        shelf=ctx.services[Shelf],
        inbox=ctx.services[Inbox],
        analyst=ctx.services[Analyst],
        approver=ctx.services[Approver],
        signatures=ctx.services[Signatures],
        tell=Teller(ctx.bus),
    )


def start_steps(ctx: PluginContext) -> list[Step]:
    drafts = ctx.services[Drafts]

    async def work() -> None:
        ctx.spawn(ctx.services[Analyst].work(), "analysis")
        ctx.spawn(drafts.resume(), "resume")

    return [Step(name="load", run=drafts.load), Step(name="work", run=work)]
