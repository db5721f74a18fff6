"""What agents contribute."""

from __future__ import annotations

from neomind_sdk import (
    AgentTool,
    Job,
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
    from .models import AgentSettings

    return [SettingsSection(name="agent", cls=AgentSettings, editable=True, summary="Limits and defaults of agents")]


@hookimpl
def neomind_tables(ctx: PluginContext) -> list[Tables]:
    from .migrations import STEPS
    from .tables import MODELS

    return [Tables(name="agents", models=MODELS, steps=STEPS)]


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import services

    return services()


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
def neomind_rule_actions(ctx: PluginContext) -> list[RuleActionType]:
    from .actions import TriggerAgent
    from .service import Agents

    return [TriggerAgent(lambda: ctx.services[Agents])]


@hookimpl
def neomind_agent_tools(ctx: PluginContext) -> list[AgentTool]:
    from .service import Agents
    from .tools import AgentTools

    return AgentTools(lambda: ctx.services[Agents]).tools()


@hookimpl
def neomind_start(ctx: PluginContext) -> list[Step]:
    from .service import Agents

    return [Step(name="load", run=ctx.services[Agents].load)]


@hookimpl
def neomind_stop(ctx: PluginContext) -> list[Step]:
    from .service import Agents

    return [Step(name="close", run=ctx.services[Agents].close)]
