"""How the parts of realtime are put together."""

from __future__ import annotations

from collections.abc import Sequence

from neomind_sdk import Authenticator, Listener, Notice, PlatformStopping, PluginContext, SessionEnded, Step

from .events import TABLE
from .models import RealtimeSettings
from .service import Hub


def build(ctx: PluginContext) -> Hub:
    return Hub(ctx.services[Authenticator], ctx.clock, ctx.log, lambda: ctx.settings[RealtimeSettings])


def listeners(ctx: PluginContext) -> list[Listener]:
    """One for what is streamed; others for what ends streams, so that no flood of events can push it out of a queue."""

    async def happened(notices: Sequence[Notice]) -> None:
        await ctx.services[Hub].handle(notices)

    async def sessions_ended(notices: Sequence[Notice]) -> None:
        ctx.services[Hub].end_sessions(notices)

    async def stopping(_notices: Sequence[Notice]) -> None:
        await ctx.services[Hub].close()

    return [
        Listener(name="realtime", events=tuple(TABLE), handle=happened),
        Listener(name="realtime.sessions", events=(SessionEnded,), handle=sessions_ended),
        Listener(name="realtime.stopping", events=(PlatformStopping,), handle=stopping),
    ]


def start_steps(ctx: PluginContext) -> list[Step]:
    hub = ctx.services[Hub]

    async def keep_up() -> None:
        ctx.spawn(hub.keep_beating(), "heartbeats")
        ctx.spawn(hub.keep_checking(), "credentials")

    return [Step(name="keep_up", run=keep_up)]
