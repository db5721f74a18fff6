"""How the parts of the transport are put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from neomind_sdk import (
    CommandAcks,
    Database,
    DeviceDirectory,
    DeviceRegistered,
    DeviceUnregistered,
    DeviceUpdated,
    DiscoveryInbox,
    EmbeddedBroker,
    Ingest,
    Listener,
    Notice,
    PluginContext,
    Service,
    TelemetryStore,
)
from neomind_sdk.vault import Vault

from .acks import read_ack
from .brokers import Brokers
from .intake import Surroundings
from .models import TransportSettings
from .routing import Route
from .service import Links, Needs
from .wire import connect


def services() -> list[Service]:
    """In the order they need each other."""
    return [Service(key=Links, build=build_links), Service(key=Brokers, build=build_brokers)]


def listeners(ctx: PluginContext) -> list[Listener]:
    async def devices_changed(notices: Sequence[Notice]) -> None:
        await ctx.services[Links].refresh()

    events = (DeviceRegistered, DeviceUpdated, DeviceUnregistered)
    return [Listener(name="transport_mqtt.devices", events=events, handle=devices_changed)]


def build_links(ctx: PluginContext) -> Links:
    async def acknowledge(device_id: str, said: Any) -> None:
        acks, ack = ctx.services.find(CommandAcks), read_ack(said)
        if acks is not None:
            await acks.acknowledge(device_id, ack.command_id, ack.success, result=ack.result, error=ack.error)

    def around(presence: Callable[[Route], None]) -> Surroundings:
        return Surroundings(
            ingest=ctx.services[Ingest],
            store=ctx.services[TelemetryStore],
            clock=ctx.clock,
            log=ctx.log,
            drafts=lambda: ctx.services.find(DiscoveryInbox) is not None,
            acknowledge=acknowledge,
            presence=presence,
        )

    needs = Needs(
        directory=ctx.services[DeviceDirectory],
        bus=ctx.bus,
        egress=ctx.egress,
        log=ctx.log,
        folder=ctx.data_dir / ctx.plugin.name,
        connect=connect,
        around=around,
        settings=lambda: ctx.settings[TransportSettings],
        embedded=lambda: ctx.services.find(EmbeddedBroker),
    )
    return Links(needs)


def build_brokers(ctx: PluginContext) -> Brokers:
    return Brokers(ctx.services[Links], ctx.services[Database], ctx.clock, ctx.log, Vault(ctx.data_dir))
