"""Routes of approvals."""

from __future__ import annotations

from typing import Any

from neomind_sdk import Reply, Request, Route

from . import views
from .models import ApprovalsQuery, DecisionBody
from .service import Agents

UNKNOWN = ("APPROVAL_NOT_FOUND", "SERVICE_UNAVAILABLE")


async def list_approvals(request: Request) -> Reply:
    approvals, query = request.services[Agents].parts.approvals, request.query
    rows = [views.approval(each) for each in await approvals.all(query.agent_id, query.state)]
    return Reply(data={"approvals": rows, "count": len(rows)}, meta={"count": len(rows)})


async def show_approval(request: Request) -> dict[str, Any]:
    return views.approval(await request.services[Agents].parts.approvals.get(request.params["approval_id"]))


async def approve(request: Request) -> dict[str, Any]:
    approvals = request.services[Agents].parts.approvals
    return views.approval(await approvals.approve(request.params["approval_id"], request.principal, seen(request)))


async def deny(request: Request) -> dict[str, Any]:
    approvals = request.services[Agents].parts.approvals
    return views.approval(await approvals.deny(request.params["approval_id"], request.principal, seen(request)))


def seen(request: Request) -> str | None:
    return request.body.digest if request.body else None


def routes() -> list[Route]:
    reads: dict[str, Any] = {"method": "GET", "scope": "agents:read"}
    decides: dict[str, Any] = {
        "method": "POST",
        "scope": "agents:write",
        "body": DecisionBody,
        "callers": ("user", "api_key"),
        "errors": (*UNKNOWN, "CONFLICT", "STORAGE_FULL"),
    }
    return [
        Route(
            **reads,
            path="/agents/approvals",
            handler=list_approvals,
            summary="List calls of agents that wait for approval, or waited",
            description=(
                "`state`: `pending`, `approved` (it runs), `executed`, `failed`, `denied`, `expired`, `interrupted`."
            ),
            query=ApprovalsQuery,
            errors=("SERVICE_UNAVAILABLE",),
        ),
        Route(
            **reads,
            path="/agents/approvals/{approval_id}",
            handler=show_approval,
            summary="Show a call that waits for approval",
            errors=UNKNOWN,
        ),
        Route(
            **decides,
            path="/agents/approvals/{approval_id}/approve",
            handler=approve,
            summary="Approve a call, which runs once",
            description=(
                "The call is judged again by the agent's grants as they are now, runs, and is appended to the record "
                "of its run. With `digest`, 409 when the call is not the one that was shown. The caller must be "
                "permitted to write the area of the tool."
            ),
        ),
        Route(
            **decides,
            path="/agents/approvals/{approval_id}/deny",
            handler=deny,
            summary="Deny a call, which will not run",
        ),
    ]
