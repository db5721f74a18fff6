"""What accounts contributes."""

from __future__ import annotations

from typing import Any

from neomind_sdk import (
    AuthScheme,
    CliCommand,
    CliTools,
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
    from .models import AccountsSettings, AttemptLimits

    return [
        SettingsSection(name="accounts", cls=AccountsSettings, editable=True, summary="Who may get an account"),
        SettingsSection(name="attempts", cls=AttemptLimits, summary="How often one address may try to log in"),
    ]


@hookimpl
def neomind_tables(ctx: PluginContext) -> list[Tables]:
    from .migrations import STEPS
    from .tables import MODELS

    return [Tables(name="accounts", models=MODELS, steps=STEPS)]


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import services

    return services()


@hookimpl
def neomind_auth_schemes(ctx: PluginContext) -> list[AuthScheme]:
    from .scheme import JwtScheme

    return [JwtScheme(ctx)]


@hookimpl
def neomind_routes(ctx: PluginContext) -> list[Route]:
    from .models import AttemptLimits
    from .routes import routes

    return routes(ctx.settings[AttemptLimits].per_minute)


@hookimpl
def neomind_jobs(ctx: PluginContext) -> list[Job]:
    from .jobs import jobs

    return jobs(ctx)


@hookimpl
def neomind_start(ctx: PluginContext) -> list[Step]:
    from .assembly import start

    return [Step(name="load", run=lambda: start(ctx))]


@hookimpl
def neomind_stop(ctx: PluginContext) -> list[Step]:
    from .service import Accounts

    return [Step(name="close", run=ctx.services[Accounts].close)]


@hookimpl
def neomind_cli(ctx: PluginContext) -> list[CliCommand]:
    def build(tools: CliTools) -> Any:
        from .cli import UserCommands

        return UserCommands(tools).group()

    return [CliCommand(name="user", summary="Manage the users of this platform", build=build)]
