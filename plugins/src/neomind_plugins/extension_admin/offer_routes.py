"""Routes of what extensions offer and may use: commands to run, capabilities, tools."""

from __future__ import annotations

from typing import Any

from neomind_sdk import MIB, PUBLIC, Platform, Reply, Request, Route

from . import catalog
from .capabilities import Capabilities
from .models import CapabilitiesAnswer, Capability, Tool, ToolDetail
from .runner import CommandRunner


async def run_command(request: Request) -> Reply:
    params = request.params
    runner = request.services[CommandRunner]
    outcome = await runner.run(params["extension_id"], params["command"], request.body, request.principal)
    meta: dict[str, Any] = {"execution_id": outcome.execution_id, "duration_ms": outcome.duration_ms}
    if outcome.warnings:
        meta["warnings"] = list(outcome.warnings)
    return Reply(data=outcome.result, meta=meta)


async def list_capabilities(request: Request) -> Reply:
    found = request.services[Capabilities].all()
    return Reply(data=CapabilitiesAnswer(capabilities=found, total=len(found)), meta={"count": len(found)})


async def show_capability(request: Request) -> Capability:
    return request.services[Capabilities].one(request.params["name"])


async def list_tools(request: Request) -> Reply:
    found = catalog.tools(request.services[Platform])
    return Reply(data=found, meta={"count": len(found)})


async def show_tool(request: Request) -> ToolDetail:
    return catalog.tool(request.services[Platform], request.params["name"])


def routes() -> list[Route]:
    common: dict[str, Any] = {"method": "GET", "scope": PUBLIC}
    return [
        command_route(),
        Route(
            **common,
            path="/capabilities",
            handler=list_capabilities,
            summary="List what extensions may do with the platform",
            description="`available`: what it needs is running here and now; else `reason` says what is not.",
            response=CapabilitiesAnswer,
        ),
        Route(
            **common,
            path="/capabilities/{name}",
            handler=show_capability,
            summary="Show one capability",
            response=Capability,
            errors=("CAPABILITY_NOT_FOUND",),
        ),
        Route(
            **common,
            path="/tools",
            handler=list_tools,
            summary="List the tools for agents",
            response=list[Tool],
        ),
        Route(
            **common,
            path="/tools/{name}",
            handler=show_tool,
            summary="Show one tool for agents",
            response=ToolDetail,
            errors=("TOOL_NOT_FOUND",),
        ),
    ]


def command_route() -> Route:
    """The area is one of its own: to write ``extensions`` is for administrators, to run a command is not."""
    return Route(
        method="POST",
        path="/extensions/{extension_id}/commands/{command}",
        handler=run_command,
        scope="extension_commands:write",
        summary="Run a command of an extension",
        description=(
            'The body is the object of arguments, or `{"args": {…}}` or `{"params": {…}}` around it; none is the '
            "same as `{}`. `data` is what the command answers. Outputs that it declares are stored as "
            "`extension:<id>:<output>`; `meta.warnings` says when they could not be."
        ),
        errors=(
            "EXTENSION_NOT_FOUND",
            "COMMAND_NOT_FOUND",
            "CONFLICT",
            "VALIDATION_ERROR",
            "EXTENSION_FAILED",
            "EXTENSION_TIMEOUT",
            "SERVICE_UNAVAILABLE",
        ),
        max_body=MIB,
        # The command's own limit holds.
        deadline_s=None,
    )
