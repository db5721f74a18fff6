"""What web_console contributes."""

from __future__ import annotations

from neomind_sdk import PluginContext, PluginUnavailable, Route, Service, hookimpl


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .service import Console

    return [Service(key=Console, build=lambda ctx: Console())]


@hookimpl
def neomind_routes(ctx: PluginContext) -> list[Route]:
    from .routes import routes
    from .service import missing

    if lacking := missing():
        raise PluginUnavailable(f"built without {', '.join(lacking)}; install it with pip, which fetches them")
    return routes()
