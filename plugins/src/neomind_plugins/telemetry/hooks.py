"""What telemetry contributes."""

from __future__ import annotations

from neomind_sdk import AgentTool, Job, Listener, PluginContext, Route, Service, SettingsSection, hookimpl


@hookimpl
def neomind_settings(ctx: PluginContext) -> list[SettingsSection]:
    from .models import RetentionSettings

    summary = "How long samples and images are kept"
    return [SettingsSection(name="retention", cls=RetentionSettings, editable=True, summary=summary)]


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import services

    return services()


@hookimpl
def neomind_routes(ctx: PluginContext) -> list[Route]:
    from .routes import routes

    return routes(ctx)


@hookimpl
def neomind_jobs(ctx: PluginContext) -> list[Job]:
    from .jobs import jobs

    return jobs(ctx)


@hookimpl
def neomind_agent_tools(ctx: PluginContext) -> list[AgentTool]:
    from .catalog import Catalog
    from .history import History
    from .tools import TelemetryTools

    return TelemetryTools(lambda: ctx.services[History], lambda: ctx.services[Catalog]).tools()


@hookimpl
def neomind_listeners(ctx: PluginContext) -> list[Listener]:
    from .assembly import listeners

    return listeners(ctx)
