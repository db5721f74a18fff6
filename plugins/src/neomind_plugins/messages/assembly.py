"""How the parts of messages are put together."""

from __future__ import annotations

import asyncio

from neomind_sdk import (
    Database,
    MessageBoard,
    Outbox,
    Platform,
    PluginContext,
    Service,
    Step,
)
from neomind_sdk.vault import Vault

from .board import KIND, Board
from .channels import Channels, Parts
from .configs import Configs
from .kinds import Kinds
from .models import MessageSettings
from .server import ChannelServer
from .service import Messages


def services() -> list[Service]:
    return [
        Service(key=Vault, build=lambda ctx: Vault(ctx.data_dir), private=True),
        Service(key=Kinds, build=lambda ctx: Kinds(ctx.services[Platform], ctx.log)),
        Service(key=Configs, build=build_configs),
        Service(key=Channels, build=build_channels),
        Service(key=Board, build=build_board),
        Service(key=MessageBoard, build=lambda ctx: ctx.services[Board]),
        Service(key=Messages, build=build_messages),
    ]


def build_configs(ctx: PluginContext) -> Configs:
    return Configs(ctx.services[Kinds], ctx.services[Vault], ctx.egress)


def build_channels(ctx: PluginContext) -> Channels:
    return Channels(
        Parts(
            database=ctx.services[Database],
            outbox=ctx.services[Outbox],
            clock=ctx.clock,
            log=ctx.log,
            egress=ctx.egress,
            kinds=ctx.services[Kinds],
            configs=ctx.services[Configs],
            test_timeout_s=lambda: ctx.settings[MessageSettings].test_timeout_s,
        )
    )


def build_board(ctx: PluginContext) -> Board:
    parts = ctx.services[Database], ctx.services[Outbox], ctx.bus, ctx.clock
    return Board(*parts, settings=lambda: ctx.settings[MessageSettings])


def build_messages(ctx: PluginContext) -> Messages:
    return Messages(
        database=ctx.services[Database],
        outbox=ctx.services[Outbox],
        bus=ctx.bus,
        clock=ctx.clock,
        log=ctx.log,
        configs=ctx.services[Configs],
        settings=lambda: ctx.settings[MessageSettings],
    )


def start_steps(ctx: PluginContext) -> list[Step]:
    async def load_key() -> None:
        await asyncio.to_thread(ctx.services[Vault].load)

    async def serve() -> None:
        database, configs = ctx.services[Database], ctx.services[Configs]
        board, channels = ctx.services[Board], ctx.services[Channels]
        server = ChannelServer(database, configs, board, channels.disable_gone, ctx.log)
        ctx.services[Outbox].serve(KIND, server)

    return [
        Step(name="load_key", run=load_key),
        Step(name="load_channels", run=ctx.services[Channels].load),
        Step(name="serve", run=serve),
    ]


def stop_steps(ctx: PluginContext) -> list[Step]:
    channels, board = ctx.services[Channels], ctx.services[Board]
    return [Step(name="close_channels", run=channels.close), Step(name="close_board", run=board.close)]
