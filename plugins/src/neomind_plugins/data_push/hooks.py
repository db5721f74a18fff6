"""What data push contributes."""

from __future__ import annotations

from neomind_sdk import (
    Job,
    Listener,
    PluginContext,
    PushTargetType,
    Route,
    Service,
    SettingsSection,
    Step,
    Tables,
    hookimpl,
)


@hookimpl
def neomind_settings(ctx: PluginContext) -> list[SettingsSection]:
    from .models import SECTION, DataPushSettings

    return [SettingsSection(name=SECTION, cls=DataPushSettings, summary="How much waits for push targets, how long")]


@hookimpl
def neomind_tables(ctx: PluginContext) -> list[Tables]:
    from .migrations import STEPS
    from .tables import MODELS

    return [Tables(name="data_push", models=MODELS, steps=STEPS)]


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import services

    return services()


@hookimpl
def neomind_push_targets(ctx: PluginContext) -> list[PushTargetType]:
    from .assembly import types

    return types(ctx)


@hookimpl
def neomind_routes(ctx: PluginContext) -> list[Route]:
    from .routes import routes

    return routes()


@hookimpl
def neomind_listeners(ctx: PluginContext) -> list[Listener]:
    from .assembly import listeners

    return listeners(ctx)


@hookimpl
def neomind_jobs(ctx: PluginContext) -> list[Job]:
    from .jobs import jobs

    return jobs(ctx)


@hookimpl
def neomind_start(ctx: PluginContext) -> list[Step]:
    from .assembly import start_steps

    return start_steps(ctx)


@hookimpl
def neomind_stop(ctx: PluginContext) -> list[Step]:
    from .assembly import stop_steps

    return stop_steps(ctx)
