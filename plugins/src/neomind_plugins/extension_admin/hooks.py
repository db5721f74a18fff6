"""What extension_admin contributes."""

from __future__ import annotations

from neomind_sdk import AgentTool, ExtensionCommands, PluginContext, Route, Service, Step, hookimpl


@hookimpl
def neomind_services(ctx: PluginContext) -> list[Service]:
    from .assembly import services

    return services()


@hookimpl
def neomind_routes(ctx: PluginContext) -> list[Route]:
    from . import offer_routes, routes

    return [*routes.routes(), *offer_routes.routes()]


@hookimpl
def neomind_agent_tools(ctx: PluginContext) -> list[AgentTool]:
    from .tools import ExtensionTools

    return ExtensionTools(lambda: ctx.services[ExtensionCommands]).tools()


@hookimpl
def neomind_stop(ctx: PluginContext) -> list[Step]:
    from .service import Discovery

    return [Step(name="close", run=ctx.services[Discovery].close)]
