"""Routes of runs."""

from __future__ import annotations

from typing import Any

from neomind_sdk import ERROR_STATUS, BadRequest, Reply, Request, Route

from . import views
from .models import LIST_MAX, IdsBody, RunBody
from .service import Agents

UNKNOWN = ("AGENT_NOT_FOUND", "SERVICE_UNAVAILABLE")
ENDINGS = tuple(code for code in ("AGENT_EXECUTION_FAILED", "AGENT_EXECUTION_TIMEOUT") if code in ERROR_STATUS)
"""Of a run that was waited for; described as far as the platform knows their status."""


async def list_executions(request: Request) -> Reply:
    agent_id = request.params["agent_id"]
    rows = [views.execution_item(each) for each in await request.services[Agents].executions(agent_id)]
    return Reply(data={"agent_id": agent_id, "executions": rows, "count": len(rows)}, meta={"count": len(rows)})


async def show_execution(request: Request) -> dict[str, Any]:
    params = request.params
    found = await request.services[Agents].execution(params["agent_id"], params["execution_id"])
    return views.execution_detail(*found)


async def show_several(request: Request) -> dict[str, Any]:
    agent_id, ids = request.params["agent_id"], request.body.ids
    if len(ids) > LIST_MAX:
        raise BadRequest(f"ids: must have at most {LIST_MAX} entries")
    found = await request.services[Agents].several(agent_id, ids)
    return {"agent_id": agent_id, "details": {each.id: views.execution_detail(each, steps) for each, steps in found}}


async def execute(request: Request) -> dict[str, Any]:
    run = await request.services[Agents].execute(request.params["agent_id"], request.body or RunBody())
    execution, agent = run.recorder.execution, run.live.agent
    return {"execution_id": execution.id, "agent_id": agent.id, "agent_name": agent.name, "status": "Executing"}


async def invoke(request: Request) -> dict[str, Any]:
    agents, agent_id = request.services[Agents], request.params["agent_id"]
    live = agents.get(agent_id)
    return views.invoked(live, *await agents.invoke(agent_id, request.body or RunBody()))


def routes() -> list[Route]:
    reads: dict[str, Any] = {"scope": "agents:read"}
    runs: dict[str, Any] = {
        "method": "POST",
        "scope": "agents:write",
        "body": RunBody,
    }
    errors = (*UNKNOWN, "CONFLICT", "STORAGE_FULL")
    return [
        Route(
            **reads,
            method="GET",
            path="/agents/{agent_id}/executions",
            handler=list_executions,
            summary="List the newest runs of an agent",
            errors=UNKNOWN,
        ),
        Route(
            **reads,
            method="GET",
            path="/agents/{agent_id}/executions/{execution_id}",
            handler=show_execution,
            summary="Show the complete record of a run",
            errors=(*UNKNOWN, "EXECUTION_NOT_FOUND"),
        ),
        Route(
            **reads,
            method="POST",
            path="/agents/{agent_id}/executions/details",
            handler=show_several,
            summary="Show the records of several runs",
            body=IdsBody,
            body_required=True,
            errors=(*UNKNOWN, "BAD_REQUEST"),
        ),
        Route(
            **runs,
            path="/agents/{agent_id}/execute",
            handler=execute,
            summary="Begin a run of an agent",
            errors=errors,
            description="409 while another run of the agent goes on.",
        ),
        Route(
            **runs,
            path="/agents/{agent_id}/invoke",
            handler=invoke,
            summary="Run an agent and wait for it",
            errors=(*errors, *ENDINGS),
            description=(
                "Waits for 60 s: then 504 `AGENT_EXECUTION_TIMEOUT`, and the run goes on. A run that fails answers 500 "
                "`AGENT_EXECUTION_FAILED`; `details.execution_id` names its record."
            ),
        ),
    ]
