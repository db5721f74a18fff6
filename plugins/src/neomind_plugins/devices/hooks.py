"""What devices contribute."""

from __future__ import annotations

from neomind_sdk import AgentTool, Listener, PluginContext, Route, Service, SettingsSection, Step, Tables, hookimpl


@hookimpl
def neomind_settings(ctx: PluginContext) -> list[SettingsSection]:
    from .models import SECTION, DeviceSettings

    summary = "When devices count as offline, and whether unknown ones become drafts"
    return [SettingsSection(name=SECTION, cls=DeviceSettings, editable=True, summary=summary)]


@hookimpl
def neomind_tables(ctx: PluginContext) -> list[Tables]:
    from .migrations import STEPS
    from .tables import MODELS

    return [Tables(name="devices", models=MODELS, steps=STEPS)]


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import services

    return services()


@hookimpl
def neomind_routes(ctx: PluginContext) -> list[Route]:
    from .routes import routes
    from .type_routes import type_routes

    return [*routes(), *type_routes()]


@hookimpl
def neomind_listeners(ctx: PluginContext) -> list[Listener]:
    from .assembly import listeners

    return listeners(ctx)


@hookimpl
def neomind_agent_tools(ctx: PluginContext) -> list[AgentTool]:
    from .tools import DeviceTools

    return DeviceTools(ctx).tools()


@hookimpl
def neomind_start(ctx: PluginContext) -> list[Step]:
    from .assembly import start_steps

    return start_steps(ctx)


@hookimpl
def neomind_stop(ctx: PluginContext) -> list[Step]:
    from .service import Directory

    return [Step(name="close", run=ctx.services[Directory].close)]
