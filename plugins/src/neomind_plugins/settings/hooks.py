"""What settings contribute."""

from __future__ import annotations

from neomind_sdk import Listener, PluginContext, Route, Service, SettingsSection, Step, Tables, hookimpl


@hookimpl
def neomind_settings(ctx: PluginContext) -> list[SettingsSection]:
    from .models import TimezoneSettings

    summary = "The time zone of schedules"
    return [SettingsSection(name="timezone", cls=TimezoneSettings, editable=True, summary=summary)]


@hookimpl
def neomind_tables(ctx: PluginContext) -> list[Tables]:
    from .migrations import STEPS
    from .tables import MODELS

    return [Tables(name="settings", models=MODELS, steps=STEPS)]


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import build
    from .service import KeptSettings

    return [Service(key=KeptSettings, build=build)]


@hookimpl
def neomind_routes(ctx: PluginContext) -> list[Route]:
    from .routes import routes

    return routes()


@hookimpl
def neomind_listeners(ctx: PluginContext) -> list[Listener]:
    from .assembly import listeners

    return listeners(ctx)


@hookimpl
def neomind_start(ctx: PluginContext) -> list[Step]:
    from .service import KeptSettings

    return [Step(name="load", run=ctx.services[KeptSettings].load)]


@hookimpl
def neomind_stop(ctx: PluginContext) -> list[Step]:
    from .service import KeptSettings

    return [Step(name="close", run=ctx.services[KeptSettings].close)]
