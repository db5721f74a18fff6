"""How the parts of compat are put together."""

from __future__ import annotations

from collections.abc import Sequence

from neomind_sdk import Authenticator, Listener, Notice, PlatformStopping, PluginContext, Service, SessionEnded

from .chat import Chats
from .service import Onboarding


def services() -> list[Service]:
    return [
        Service(key=Chats, build=lambda ctx: Chats(ctx.services[Authenticator], ctx.clock)),
        Service(key=Onboarding, build=lambda ctx: Onboarding()),
    ]


def listeners(ctx: PluginContext) -> list[Listener]:
    async def sessions_ended(notices: Sequence[Notice]) -> None:
        ctx.services[Chats].end_sessions(notices)

    async def stopping(_notices: Sequence[Notice]) -> None:
        await ctx.services[Chats].close()

    return [
        Listener(name="compat.sessions", events=(SessionEnded,), handle=sessions_ended),
        Listener(name="compat.stopping", events=(PlatformStopping,), handle=stopping),
    ]
