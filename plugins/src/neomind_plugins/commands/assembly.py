"""How the parts of commands are put together."""

from __future__ import annotations

from collections.abc import Sequence

from neomind_sdk import (
    CommandAcks,
    Database,
    DeviceCommands,
    DeviceDirectory,
    DeviceTransportOnline,
    DeviceUnregistered,
    DeviceUpdated,
    ExtensionStateChanged,
    ImageFiles,
    Listener,
    Notice,
    Platform,
    PluginContext,
    Service,
    Step,
)

from .book import Book
from .courier import Courier
from .lanes import Lanes
from .models import CommandSettings
from .orders import Orders
from .service import Commands, Parts


def services() -> list[Service]:
    """One object under its own key and those of the contracts."""
    return [
        Service(key=Commands, build=build),
        Service(key=DeviceCommands, build=lambda ctx: ctx.services[Commands]),
        Service(key=CommandAcks, build=lambda ctx: ctx.services[Commands]),
    ]


def build(ctx: PluginContext) -> Commands:
    def settings() -> CommandSettings:
        return ctx.settings[CommandSettings]

    database, directory = ctx.services[Database], ctx.services[DeviceDirectory]
    book = Book(database, ctx.bus, ctx.clock, ctx.log, lambda: settings().ack_timeout_s)
    courier = Courier(ctx.services[Platform], directory, ctx.clock, lambda: settings().send_timeout_s)
    return Commands(
        Parts(
            database=database,
            directory=directory,
            clock=ctx.clock,
            log=ctx.log,
            settings=settings,
            orders=Orders(directory, settings, lambda: ctx.services.find(ImageFiles)),
            book=book,
            lanes=Lanes(book, courier, ctx.clock, ctx.log, ctx.spawn),
        )
    )


def listeners(ctx: PluginContext) -> list[Listener]:
    """When to try again, and which devices are gone."""

    async def reachable_again(notices: Sequence[Notice]) -> None:
        commands = ctx.services[Commands]
        for notice in notices:
            event = notice.event
            if isinstance(event, DeviceTransportOnline | DeviceUpdated):
                commands.wake(event.device_id)
            elif isinstance(event, ExtensionStateChanged) and event.state == "started":
                commands.wake()

    async def removed(notices: Sequence[Notice]) -> None:
        for notice in notices:
            if isinstance(notice.event, DeviceUnregistered):
                await ctx.services[Commands].forget(notice.event.device_id, notice.at_ms)

    reachable = (DeviceTransportOnline, DeviceUpdated, ExtensionStateChanged)
    return [
        Listener(name="commands.reachable", events=reachable, handle=reachable_again),
        Listener(name="commands.removed", events=(DeviceUnregistered,), handle=removed),
    ]


def start_steps(ctx: PluginContext) -> list[Step]:
    commands = ctx.services[Commands]

    async def watch() -> None:
        ctx.spawn(commands.watch(), "deadlines")

    return [Step(name="take_up", run=commands.start), Step(name="watch", run=watch)]
