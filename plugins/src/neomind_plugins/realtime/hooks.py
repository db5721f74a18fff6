"""What realtime contributes."""

from __future__ import annotations

from neomind_sdk import Listener, PluginContext, Route, Service, SettingsSection, SocketRoute, Step, hookimpl


@hookimpl
def neomind_settings(ctx: PluginContext) -> list[SettingsSection]:
    from .models import RealtimeSettings

    summary = "How many streams there may be, and how much waits for a slow one"
    return [SettingsSection(name="realtime", cls=RealtimeSettings, summary=summary)]


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import build
    from .service import Hub

    return [Service(key=Hub, build=build)]


@hookimpl
def neomind_routes(ctx: PluginContext) -> list[Route | SocketRoute]:
    from .routes import routes

    return routes()


@hookimpl
def neomind_listeners(ctx: PluginContext) -> list[Listener]:
    from .assembly import listeners

    return listeners(ctx)


@hookimpl
def neomind_start(ctx: PluginContext) -> list[Step]:
    from .assembly import start_steps

    return start_steps(ctx)


@hookimpl
def neomind_stop(ctx: PluginContext) -> list[Step]:
    from .service import Hub

    return [Step(name="end_streams", run=ctx.services[Hub].close)]
