"""Routes of agents."""

from __future__ import annotations

from typing import Any

from neomind_sdk import NotFound, Reply, Request, Route

from . import approval_routes, run_routes, views
from .models import AgentBody, AgentsQuery, BackendBody, CronBody, NoteBody, StatusBody
from .offering import Offerings
from .service import Agents

STORAGE_ERRORS = ("SERVICE_UNAVAILABLE", "STORAGE_FULL")
UNKNOWN = "AGENT_NOT_FOUND"
GRANTING = (
    "To bind a device or a command to an agent, or to grant a tool, the caller must be permitted to write that area. "
    "`grants`: `{tool, targets, tier}` with `tier` `auto`, `confirm` or `never`; what reads is permitted, what acts "
    "only where it is bound or granted."
)


async def list_agents(request: Request) -> Reply:
    agents, view = request.services[Agents], views.summary if request.query.view == "summary" else views.item
    rows = [view(live, agents.executing(live.id)) for live in agents.all()]
    return Reply(data={"agents": rows, "count": len(rows)}, meta={"count": len(rows)})


async def add_agent(request: Request) -> dict[str, Any]:
    live = await request.services[Agents].create(request.body, request.principal)
    return {"id": live.id, "name": live.agent.name, "status": live.agent.status.lower()}


async def show_agent(request: Request) -> dict[str, Any]:
    agents, agent_id = request.services[Agents], request.params["agent_id"]
    return views.detail(agents.get(agent_id), agents.executing(agent_id))


async def change_agent(request: Request) -> dict[str, Any]:
    live = await request.services[Agents].update(request.params["agent_id"], request.body, request.principal)
    return {"id": live.id}


async def delete_agent(request: Request) -> dict[str, Any]:
    await request.services[Agents].delete(request.params["agent_id"])
    return {"ok": True}


async def set_status(request: Request) -> dict[str, Any]:
    live = await request.services[Agents].set_status(request.params["agent_id"], request.body.status)
    return {"id": live.id, "status": request.body.status}


async def show_stats(request: Request) -> dict[str, Any]:
    return views.stats(request.services[Agents].get(request.params["agent_id"]))


async def show_memory(request: Request) -> dict[str, Any]:
    return views.memory(request.services[Agents].get(request.params["agent_id"]))


async def clear_memory(request: Request) -> dict[str, Any]:
    await request.services[Agents].forget(request.params["agent_id"])
    return {"ok": True}


async def show_resources(request: Request) -> dict[str, Any]:
    request.services[Agents].get(request.params["agent_id"])
    return request.services[Offerings].resources()


async def list_tools(request: Request) -> Reply:
    found = request.services[Offerings].tools()
    return Reply(data={"tools": found, "count": len(found)}, meta={"count": len(found)})


async def check_cron(request: Request) -> dict[str, Any]:
    return request.services[Offerings].check_cron(request.body.expression, request.body.timezone)


async def check_model(request: Request) -> dict[str, Any]:
    return await request.services[Offerings].check_model(request.body.backend_id if request.body else None)


async def list_notes(request: Request) -> list[dict[str, Any]]:
    return [views.note(note) for note in await request.services[Agents].notes(request.params["agent_id"])]


async def add_note(request: Request) -> dict[str, Any]:
    return views.note(await request.services[Agents].add_note(request.params["agent_id"], request.body))


async def clear_notes(request: Request) -> dict[str, Any]:
    return {"ok": True, "count": await request.services[Agents].delete_notes(request.params["agent_id"])}


async def delete_note(request: Request) -> dict[str, Any]:
    agent_id, note_id = request.params["agent_id"], request.params["message_id"]
    if not await request.services[Agents].delete_notes(agent_id, note_id):
        raise NotFound("MESSAGE", note_id)
    return {"ok": True}


def routes() -> list[Route]:
    return [*reading(), *writing(), *notes(), *run_routes.routes(), *approval_routes.routes()]


def reading() -> list[Route]:
    common: dict[str, Any] = {"method": "GET", "scope": "agents:read"}
    one: dict[str, Any] = {**common, "errors": (UNKNOWN,)}
    return [
        Route(**common, path="/agents", handler=list_agents, summary="List agents", query=AgentsQuery),
        Route(**one, path="/agents/{agent_id}", handler=show_agent, summary="Show one agent"),
        Route(**one, path="/agents/{agent_id}/stats", handler=show_stats, summary="Count an agent's runs"),
        Route(**one, path="/agents/{agent_id}/memory", handler=show_memory, summary="Show what an agent remembers"),
        Route(
            **one,
            path="/agents/{agent_id}/available-resources",
            handler=show_resources,
            summary="List what an agent may be bound to",
        ),
        Route(**common, path="/agents/tools", handler=list_tools, summary="List the tools that agents may be granted"),
        Route(
            method="POST",
            scope="agents:read",
            path="/agents/validate-cron",
            handler=check_cron,
            summary="Check a cron expression",
            body=CronBody,
            body_required=True,
        ),
    ]


def writing() -> list[Route]:
    common: dict[str, Any] = {"scope": "agents:write"}
    form: dict[str, Any] = {**common, "body": AgentBody, "body_required": True}
    bad = ("BAD_REQUEST", "CONFLICT", *STORAGE_ERRORS)
    one: dict[str, Any] = {**common, "errors": (UNKNOWN, *STORAGE_ERRORS)}
    return [
        Route(
            **form,
            method="POST",
            path="/agents",
            handler=add_agent,
            summary="Create an agent",
            description=GRANTING,
            errors=bad,
        ),
        Route(
            **form,
            method="PUT",
            path="/agents/{agent_id}",
            handler=change_agent,
            summary="Change an agent",
            description=f"What the body does not have stays as it is. {GRANTING}",
            errors=(UNKNOWN, *bad),
        ),
        Route(
            **one,
            method="DELETE",
            path="/agents/{agent_id}",
            handler=delete_agent,
            summary="Delete an agent, with the records of its runs",
        ),
        Route(
            **one,
            method="POST",
            path="/agents/{agent_id}/status",
            handler=set_status,
            summary="Pause an agent, or let it go on",
            body=StatusBody,
            body_required=True,
        ),
        Route(
            **one,
            method="DELETE",
            path="/agents/{agent_id}/memory",
            handler=clear_memory,
            summary="Clear what an agent remembers",
        ),
        Route(
            **common,
            method="POST",
            path="/agents/validate-llm",
            handler=check_model,
            summary="Ask a language model something small",
            body=BackendBody,
            errors=("BAD_REQUEST",),
        ),
    ]


def notes() -> list[Route]:
    common: dict[str, Any] = {"path": "/agents/{agent_id}/messages", "errors": (UNKNOWN, *STORAGE_ERRORS)}
    writes: dict[str, Any] = {**common, "scope": "agents:write"}
    return [
        Route(
            **common,
            method="GET",
            scope="agents:read",
            handler=list_notes,
            summary="List what people told an agent, the oldest first",
        ),
        Route(
            **writes,
            method="POST",
            handler=add_note,
            summary="Tell an agent something for its next runs",
            description="The newest 50 are kept, the newest few are shown to the model.",
            body=NoteBody,
            body_required=True,
        ),
        Route(**writes, method="DELETE", handler=clear_notes, summary="Delete what people told an agent"),
        Route(
            method="DELETE",
            scope="agents:write",
            path="/agents/{agent_id}/messages/{message_id}",
            handler=delete_note,
            summary="Delete one message to an agent",
            errors=(UNKNOWN, "MESSAGE_NOT_FOUND", *STORAGE_ERRORS),
        ),
    ]
