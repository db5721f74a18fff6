"""What dashboards contribute."""

from __future__ import annotations

from neomind_sdk import (
    AgentTool,
    DashboardComponent,
    PluginContext,
    Route,
    Service,
    Step,
    Tables,
    hookimpl,
)


@hookimpl
def neomind_tables(ctx: PluginContext) -> list[Tables]:
    from .migrations import STEPS
    from .tables import MODELS

    return [Tables(name="dashboards", models=MODELS, steps=STEPS)]


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import services

    return services()


@hookimpl
def neomind_dashboard_components(ctx: PluginContext) -> list[DashboardComponent]:
    from .builtin import COMPONENTS

    return COMPONENTS


@hookimpl
def neomind_routes(ctx: PluginContext) -> list[Route]:
    from . import routes, share_routes

    return [*routes.routes(), *share_routes.routes()]


@hookimpl
def neomind_agent_tools(ctx: PluginContext) -> list[AgentTool]:
    from .tools import DashboardTools

    return DashboardTools(ctx).tools()


@hookimpl
def neomind_stop(ctx: PluginContext) -> list[Step]:
    from .assembly import stop_steps

    return stop_steps(ctx)
