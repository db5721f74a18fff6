"""Routes of the types of backends, and of servers that are not configured yet."""

from __future__ import annotations

from typing import Any

from neomind_sdk import PUBLIC, Reply, Request, Route

from . import views
from .kinds import Kinds
from .models import ModelList, ServerQuery, TypeList, TypeSchema
from .service import Backends

WRITE = "llm:write"
ASKING = ("BAD_REQUEST", "VALIDATION_ERROR", "EGRESS_BLOCKED")
SENDS = "It sends a request to the server: hence the scope. A server that cannot be asked is 400 with the reason."


async def list_types(request: Request) -> Reply:
    kinds = request.services[Kinds]
    rows = [views.type_view(kind, kinds.schema(kind) or {}) for _, kind in kinds.all()]
    return Reply(data=TypeList(types=rows, count=len(rows)), meta={"count": len(rows)})


async def type_schema(request: Request) -> TypeSchema:
    kinds = request.services[Kinds]
    _, kind = kinds.get(request.params["type"])
    return TypeSchema(backend_type=kind.name, schema=views.config_schema(kind, kinds.schema(kind) or {}))


async def models(request: Request) -> Reply:
    query, backends = request.query, request.services[Backends]
    found = await backends.models_of(request.params["type"], query.endpoint, query.api_key)
    return Reply(data=ModelList(models=found, count=len(found)), meta={"count": len(found)})


async def server_info(request: Request) -> dict[str, Any]:
    query = request.query
    return await request.services[Backends].server_info(request.params["type"], query.endpoint, query.api_key)


def routes() -> list[Route]:
    return [*of_types(), *of_servers()]


def of_types() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/llm-backends/types",
            handler=list_types,
            scope=PUBLIC,
            summary="The types of LLM backends that are installed",
            response=TypeList,
        ),
        Route(
            method="GET",
            path="/llm-backends/types/{type}/schema",
            handler=type_schema,
            scope=PUBLIC,
            summary="How LLM backends of a type are configured",
            response=TypeSchema,
            errors=("LLM_BACKEND_TYPE_NOT_FOUND",),
        ),
    ]


def of_servers() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/llm-backends/{type}/models",
            handler=models,
            scope=WRITE,
            summary="The models that a server has, for types that can tell (`ollama`)",
            description=SENDS,
            query=ServerQuery,
            response=ModelList,
            errors=ASKING,
        ),
        Route(
            method="GET",
            path="/llm-backends/{type}/server-info",
            handler=server_info,
            scope=WRITE,
            summary="What a server says of itself, for types that can tell (`llamacpp`)",
            description=SENDS,
            query=ServerQuery,
            errors=ASKING,
        ),
    ]
