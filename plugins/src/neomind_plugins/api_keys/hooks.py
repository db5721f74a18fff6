"""What API keys contribute."""

from __future__ import annotations

from typing import Any

from neomind_sdk import AuthScheme, CliCommand, CliTools, PluginContext, Route, Service, Step, Tables, hookimpl


@hookimpl
def neomind_tables(ctx: PluginContext) -> list[Tables]:
    from .migrations import STEPS
    from .tables import MODELS

    return [Tables(name="api_keys", models=MODELS, steps=STEPS)]


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import services

    return services()


@hookimpl
def neomind_auth_schemes(ctx: PluginContext) -> list[AuthScheme]:
    from .scheme import ApiKeyScheme

    return [ApiKeyScheme(ctx)]


@hookimpl
def neomind_routes(ctx: PluginContext) -> list[Route]:
    from .routes import routes

    return routes()


@hookimpl
def neomind_start(ctx: PluginContext) -> list[Step]:
    from .assembly import start_steps

    return start_steps(ctx)


@hookimpl
def neomind_stop(ctx: PluginContext) -> list[Step]:
    from .service import ApiKeys

    return [Step(name="close", run=ctx.services[ApiKeys].close)]


@hookimpl
def neomind_cli(ctx: PluginContext) -> list[CliCommand]:
    def build(tools: CliTools) -> Any:
        from .cli import KeyCommands

        return KeyCommands(tools).group()

    return [CliCommand(name="key", summary="Manage the API keys of this platform", build=build)]
