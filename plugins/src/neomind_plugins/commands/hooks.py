"""What commands contribute."""

from __future__ import annotations

from neomind_sdk import (
    AgentTool,
    ExtensionCommands,
    Listener,
    PluginContext,
    Route,
    RuleActionType,
    Service,
    SettingsSection,
    Step,
    Tables,
    hookimpl,
)


@hookimpl
def neomind_settings(ctx: PluginContext) -> list[SettingsSection]:
    from .models import SECTION, CommandSettings

    summary = "How long commands wait for transports and acknowledgements"
    return [SettingsSection(name=SECTION, cls=CommandSettings, editable=True, summary=summary)]


@hookimpl
def neomind_tables(ctx: PluginContext) -> list[Tables]:
    from .migrations import STEPS
    from .tables import MODELS

    return [Tables(name="commands", models=MODELS, steps=STEPS)]


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import services

    return services()


@hookimpl
def neomind_routes(ctx: PluginContext) -> list[Route]:
    from .routes import routes

    return routes()


@hookimpl
def neomind_rule_actions(ctx: PluginContext) -> list[RuleActionType]:
    from .actions import Execute
    from .service import Commands

    return [Execute(lambda: ctx.services[Commands], lambda: ctx.services.find(ExtensionCommands))]


@hookimpl
def neomind_agent_tools(ctx: PluginContext) -> list[AgentTool]:
    from .service import Commands
    from .tools import CommandTools

    return CommandTools(lambda: ctx.services[Commands]).tools()


@hookimpl
def neomind_listeners(ctx: PluginContext) -> list[Listener]:
    from .assembly import listeners

    return listeners(ctx)


@hookimpl
def neomind_start(ctx: PluginContext) -> list[Step]:
    from .assembly import start_steps

    return start_steps(ctx)


@hookimpl
def neomind_stop(ctx: PluginContext) -> list[Step]:
    from .service import Commands

    return [Step(name="close", run=ctx.services[Commands].close)]
