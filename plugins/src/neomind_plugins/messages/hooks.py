"""What messages contribute."""

from __future__ import annotations

from neomind_sdk import (
    AgentTool,
    Job,
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
    from .models import SECTION, MessageSettings

    summary = "How long messages are kept, and when an alert counts as a repetition"
    return [SettingsSection(name=SECTION, cls=MessageSettings, editable=True, summary=summary)]


@hookimpl
def neomind_tables(ctx: PluginContext) -> list[Tables]:
    from .migrations import STEPS
    from .tables import MODELS

    return [Tables(name="messages", models=MODELS, steps=STEPS)]


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import services

    return services()


@hookimpl
def neomind_routes(ctx: PluginContext) -> list[Route]:
    from . import channel_routes, routes

    return [*routes.routes(), *channel_routes.routes()]


@hookimpl
def neomind_rule_actions(ctx: PluginContext) -> list[RuleActionType]:
    from .actions import Notify
    from .board import Board
    from .channels import Channels

    return [Notify(lambda: ctx.services[Board], lambda: ctx.services[Channels].names)]


@hookimpl
def neomind_agent_tools(ctx: PluginContext) -> list[AgentTool]:
    from .board import Board
    from .service import Messages
    from .tools import MessageTools

    return MessageTools(lambda: ctx.services[Board], lambda: ctx.services[Messages]).tools()


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
    from .assembly import stop_steps

    return stop_steps(ctx)
