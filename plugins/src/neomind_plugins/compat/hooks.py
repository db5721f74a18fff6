"""What compat contributes."""

from __future__ import annotations

from neomind_sdk import Alias, Listener, Mirror, PluginContext, Route, Service, SocketRoute, Step, hookimpl


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import services

    return services()


@hookimpl
def neomind_routes(ctx: PluginContext) -> list[Route | SocketRoute | Alias | Mirror]:
    from . import empties, routes, sessions, spellings

    return [*spellings.ALIASES, *spellings.MIRRORS, *routes.routes(), *empties.routes(), *sessions.routes()]


@hookimpl
def neomind_listeners(ctx: PluginContext) -> list[Listener]:
    from .assembly import listeners

    return listeners(ctx)


@hookimpl
def neomind_stop(ctx: PluginContext) -> list[Step]:
    from .chat import Chats

    return [Step(name="end_chats", run=ctx.services[Chats].close)]
