"""What rules contribute."""

from __future__ import annotations

from neomind_sdk import AgentTool, Job, Listener, PluginContext, Route, Service, SettingsSection, Step, Tables, hookimpl


@hookimpl
def neomind_settings(ctx: PluginContext) -> list[SettingsSection]:
    from .models import RuleSettings

    return [SettingsSection(name="rules", cls=RuleSettings, summary="How rules run their actions, and how often")]


@hookimpl
def neomind_tables(ctx: PluginContext) -> list[Tables]:
    from .migrations import STEPS
    from .tables import MODELS

    return [Tables(name="rules", models=MODELS, steps=STEPS)]


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
def neomind_agent_tools(ctx: PluginContext) -> list[AgentTool]:
    from .service import Rules
    from .tools import RuleTools

    return RuleTools(lambda: ctx.services[Rules]).tools()


@hookimpl
def neomind_start(ctx: PluginContext) -> list[Step]:
    from .assembly import start_steps

    return start_steps(ctx)


@hookimpl
def neomind_stop(ctx: PluginContext) -> list[Step]:
    from .service import Rules

    return [Step(name="close", run=ctx.services[Rules].close)]
