"""What drafts contribute."""

from __future__ import annotations

from neomind_sdk import Job, PluginContext, Route, Service, SettingsSection, Step, Tables, hookimpl


@hookimpl
def neomind_settings(ctx: PluginContext) -> list[SettingsSection]:
    from .models import DraftSettings

    return [SettingsSection(name="drafts", cls=DraftSettings, summary="What is kept of unknown devices, and how long")]


@hookimpl
def neomind_tables(ctx: PluginContext) -> list[Tables]:
    from .migrations import STEPS
    from .tables import MODELS

    return [Tables(name="drafts", models=MODELS, steps=STEPS)]


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
def neomind_start(ctx: PluginContext) -> list[Step]:
    from .assembly import start_steps

    return start_steps(ctx)


@hookimpl
def neomind_stop(ctx: PluginContext) -> list[Step]:
    from .service import Drafts

    return [Step(name="close", run=ctx.services[Drafts].close)]
