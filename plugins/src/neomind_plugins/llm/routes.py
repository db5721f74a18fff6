"""Routes of backends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neomind_sdk import BadRequest, Reply, Request, Route, strict_json

from . import talents, type_routes, views
from .configs import Configs
from .kinds import Kinds
from .models import (
    BackendBody,
    BackendChange,
    BackendDetail,
    BackendList,
    ListQuery,
    Overridden,
    OverrideBody,
    Said,
    Saved,
    Stats,
    Tested,
)
from .registry import Change
from .service import Backends

READ, WRITE = "llm:read", "llm:write"
STORING = ("SERVICE_UNAVAILABLE", "STORAGE_FULL")
UNKNOWN = "LLM_BACKEND_NOT_FOUND"
CONFIGURED = ("BAD_REQUEST", "VALIDATION_ERROR", "EGRESS_BLOCKED")
ONE = "/llm-backends/{backend_id}"
PLAIN = ("name", "temperature", "top_p", "top_k", "thinking_enabled")
"""Fields that null leaves as they are."""
NOT_CONFIG = frozenset({*PLAIN, "id", "backend_type", "thinking_effort", "capabilities", "config"})
CREATING = (
    "Keys that stand beside `name`, or in `config`, are those of the type's configuration, which "
    "`GET /llm-backends/types/{type}/schema` describes. The key is kept encrypted and never shown. What the model can "
    "do is asked of the server, or supposed by the name. A new backend is not active."
)
UPDATING = (
    "What is absent stays. An `api_key` that is blank or `***` stays too. Another model or server is probed again; "
    "what was pinned stays pinned."
)
PINNING = (
    "`true` and `false` pin `supports_multimodal`, whatever is found out about the model, until `null` takes that "
    "back: then the name decides until the model is probed again. The key must be there."
)


# ---- looking ----


def shown(request: Request) -> views.BackendViews:
    return views.BackendViews(request.services[Backends], request.services[Configs])


async def list_backends(request: Request) -> Reply:
    backends, query = request.services[Backends], request.query
    wanted = [one for one in backends.all() if query.type in (None, "", one.backend_type)]
    if query.active_only:
        wanted = [one for one in wanted if one.id == backends.active_id]
    rows = [shown(request).view(one) for one in wanted]
    data = {"backends": rows, "count": len(rows), "active_id": backends.active_id}
    return Reply(data=data, meta={"count": len(rows)})


async def show(request: Request) -> dict[str, Any]:
    return {"backend": shown(request).view(request.services[Backends].get(request.params["backend_id"]))}


async def stats(request: Request) -> Stats:
    return views.stats(request.services[Backends], request.services[Kinds])


# ---- changing ----


def keys_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a configuration in a body: those of ``config``, and those that are not the backend's own."""
    beside = {key: value for key, value in body.items() if key not in NOT_CONFIG}
    if beside.get("model", "") is None:
        del beside["model"]
    return {**(body.get("config") or {}), **beside}


def change_of(request: Request) -> Change:
    body, given = request.body, strict_json.loads(request.raw)
    fields = {name: getattr(body, name) for name in PLAIN if getattr(body, name) is not None}
    if "thinking_effort" in given:
        fields["thinking_effort"] = body.thinking_effort
    return Change(fields=fields, keys=keys_of(given), capabilities=body.capabilities)


async def create(request: Request) -> Saved:
    backend = await request.services[Backends].create(request.body.backend_type, change_of(request))
    return Saved(id=backend.id, message=f"LLM backend '{backend.name}' created")


async def update(request: Request) -> Saved:
    backends, backend_id = request.services[Backends], request.params["backend_id"]
    before = backends.get(backend_id)
    if request.body.backend_type not in (None, before.backend_type):
        raise BadRequest("The type of an LLM backend is fixed; delete it and create another")
    after = await backends.update(backend_id, change_of(request))
    return Saved(id=after.id, message=f"LLM backend '{after.name}' updated")


async def delete(request: Request) -> Said:
    backend = await request.services[Backends].delete(request.params["backend_id"])
    return Said(message=f"LLM backend '{backend.name}' deleted")


async def activate(request: Request) -> Saved:
    backend = await request.services[Backends].activate(request.params["backend_id"])
    return Saved(id=backend.id, message=f"LLM backend '{backend.name}' is the active one")


async def test(request: Request) -> Tested:
    backend_id = request.params["backend_id"]
    return Tested(backend_id=backend_id, result=await request.services[Backends].test(backend_id))


async def override(request: Request) -> Overridden:
    backends, backend_id = request.services[Backends], request.params["backend_id"]
    backends.get(backend_id)
    if "multimodal" not in strict_json.loads(request.raw):
        raise BadRequest("multimodal: the key must be there: true, false, or null to take an override back")
    pinned = request.body.multimodal
    backend = await backends.pin(backend_id, pinned)
    return Overridden(
        id=backend_id,
        supports_multimodal=talents.effective(backend).multimodal,
        multimodal_user_override=pinned,
        multimodal_source=talents.source(backend),
        message="The override was cleared" if pinned is None else "The override was set",
    )


# ---- routes ----


def routes() -> list[Route]:
    return [*of_all(), *of_one(), *of_use(), *type_routes.routes()]


def of_all() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/llm-backends",
            handler=list_backends,
            scope=READ,
            summary="List LLM backends",
            query=ListQuery,
            response=BackendList,
        ),
        Route(
            method="POST",
            path="/llm-backends",
            handler=create,
            scope=WRITE,
            summary="Add an LLM backend",
            description=CREATING,
            body=BackendBody,
            body_required=True,
            response=Saved,
            errors=(*CONFIGURED, *STORING),
        ),
        Route(
            method="GET",
            path="/llm-backends/stats",
            handler=stats,
            scope=READ,
            summary="How many LLM backends there are, and what was asked of them",
            response=Stats,
        ),
    ]


def of_one() -> list[Route]:
    return [
        Route(
            method="GET",
            path=ONE,
            handler=show,
            scope=READ,
            summary="Show an LLM backend, with what its model can do and what was asked of it",
            response=BackendDetail,
            errors=(UNKNOWN,),
        ),
        Route(
            method="PUT",
            path=ONE,
            handler=update,
            scope=WRITE,
            summary="Change an LLM backend",
            description=UPDATING,
            body=BackendChange,
            body_required=True,
            response=Saved,
            errors=(*CONFIGURED, UNKNOWN, "CONFLICT", *STORING),
        ),
        Route(
            method="DELETE",
            path=ONE,
            handler=delete,
            scope=WRITE,
            summary="Delete an LLM backend",
            description="The active one stays: activate another one first.",
            response=Said,
            errors=(UNKNOWN, "CONFLICT", *STORING),
        ),
    ]


def of_use() -> list[Route]:
    return [
        Route(
            method="PATCH",
            path=f"{ONE}/capabilities",
            handler=override,
            scope=WRITE,
            summary="Override whether a model understands images",
            description=PINNING,
            body=OverrideBody,
            body_required=True,
            response=Overridden,
            errors=("BAD_REQUEST", UNKNOWN, *STORING),
        ),
        Route(
            method="POST",
            path=f"{ONE}/activate",
            handler=activate,
            scope=WRITE,
            summary="Make an LLM backend the active one",
            description="There is one at most; it stays the active one over restarts.",
            response=Saved,
            errors=(UNKNOWN, *STORING),
        ),
        Route(
            method="POST",
            path=f"{ONE}/test",
            handler=test,
            scope=WRITE,
            summary="Have the model of an LLM backend say a word",
            description="A backend that does not answer is `success: false` with the reason, not an error.",
            response=Tested,
            errors=(UNKNOWN,),
        ),
    ]
