"""What llm contributes."""

from __future__ import annotations

from neomind_sdk import (
    Health,
    HealthCheck,
    Job,
    PluginContext,
    Route,
    Service,
    SettingsSection,
    Step,
    Tables,
    hookimpl,
)


@hookimpl
def neomind_settings(ctx: PluginContext) -> list[SettingsSection]:
    from .models import SECTION, LLMSettings

    summary = "How many calls a language model backend gets at a time, and how long trying it out may take"
    return [SettingsSection(name=SECTION, cls=LLMSettings, editable=True, summary=summary)]


@hookimpl
def neomind_tables(ctx: PluginContext) -> list[Tables]:
    from .migrations import STEPS
    from .tables import MODELS

    return [Tables(name="llm", models=MODELS, steps=STEPS)]


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import services

    return services()


@hookimpl
def neomind_routes(ctx: PluginContext) -> list[Route]:
    from .routes import routes

    return routes()


@hookimpl
def neomind_jobs(ctx: PluginContext) -> list[Job]:
    from .jobs import jobs

    return jobs(ctx)


@hookimpl
def neomind_health(ctx: PluginContext) -> list[HealthCheck]:
    from .service import Backends

    async def check() -> Health:
        return await ctx.services[Backends].health()

    return [HealthCheck(name="llm", check=check)]


@hookimpl
def neomind_start(ctx: PluginContext) -> list[Step]:
    from .assembly import start_steps

    return start_steps(ctx)


@hookimpl
def neomind_stop(ctx: PluginContext) -> list[Step]:
    from .assembly import stop_steps

    return stop_steps(ctx)
