"""What system contributes."""

from __future__ import annotations

from neomind_sdk import HealthCheck, PluginContext, Route, Service, Step, hookimpl


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import services

    return services()


@hookimpl
def neomind_routes(ctx: PluginContext) -> list[Route]:
    from .routes import routes

    return routes(ctx.version)


@hookimpl
def neomind_health(ctx: PluginContext) -> list[HealthCheck]:
    from .assembly import storage_check

    return [storage_check(ctx)]


@hookimpl
def neomind_start(ctx: PluginContext) -> list[Step]:
    from .stats import Stats

    return [Step(name="first_look", run=ctx.services[Stats].start)]
