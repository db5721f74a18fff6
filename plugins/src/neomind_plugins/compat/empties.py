"""Well-formed answers about features that this platform does not have: there is nothing of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

from neomind_sdk import AUTHENTICATED, PUBLIC, Clock, Handler, NotFound, Platform, Reply, Request, Route

from .models import SkillsQuery


@attrs.frozen
class Empty:
    """An operation that always answers the same."""

    path: str
    summary: str
    data: Mapping[str, Any]
    scope: str = AUTHENTICATED
    method: str = "GET"

    def route(self) -> Route:
        response = dict[str, Any]
        return Route(
            method=self.method,
            path=self.path,
            handler=_answering(self.data),
            scope=self.scope,
            summary=self.summary,
            response=response,
        )


NOTHING_KEPT = {"memories": [], "total": 0}
EMPTIES = (
    Empty("/instances", "List other instances", {"instances": []}),
    Empty("/im-bridges", "List bridges to messengers", {"bridges": []}),
    Empty(
        "/frontend-components",
        "List dashboard components that were installed by themselves",
        {"components": [], "total": 0, "builtin_types": [], "builtin_count": 0},
    ),
    Empty("/suggestions", "List suggestions for questions", {"suggestions": []}, PUBLIC),
    Empty("/memory", "List memories", NOTHING_KEPT),
    Empty("/memory/{path:path}", "List memories of one kind", NOTHING_KEPT),
    Empty("/memory/search", "Search memories", NOTHING_KEPT, method="POST"),
    Empty("/extensions/market/list", "List extensions of the market", {"extensions": [], "total": 0}, PUBLIC),
    Empty("/device-types/cloud/list", "List device types of the cloud", {"device_types": [], "total": 0}, PUBLIC),
    Empty("/automations", "List automations", {"automations": [], "count": 0}),
    Empty("/automations/templates", "List templates of automations", {"templates": [], "count": 0}),
    Empty("/automations/transforms", "List transforms", {"transforms": [], "count": 0}),
    Empty("/automations/transforms/metrics", "List metrics of transforms", {"metrics": [], "count": 0}),
)


def _answering(data: Mapping[str, Any]) -> Handler:
    async def answer(_request: Request) -> Mapping[str, Any]:
        return data

    return answer


async def skills(request: Request) -> dict[str, Any]:
    query = request.query
    return {"skills": [], "total": 0, "page": query.page, "page_size": query.page_size, "total_pages": 0}


async def export(request: Request) -> dict[str, Any]:
    now = datetime.fromtimestamp(request.services[Clock].now_ms() / 1000, UTC)
    return {"automations": [], "count": 0, "exported_at": now.isoformat(timespec="milliseconds")}


async def logs(request: Request) -> Reply:
    extension(request)
    return Reply(data=[], meta={"count": 0})


async def forget_logs(request: Request) -> dict[str, str]:
    return {"message": f"There are no logs of '{extension(request).name}' of its own"}


async def config(request: Request) -> dict[str, Any]:
    found = extension(request)
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    names = {"extension_id": found.name, "extension_name": found.name}
    return {**names, "config_schema": schema, "current_config": {}}


def extension(request: Request) -> Any:
    """What the platform knows of the extension of a path; raises ``NotFound``."""
    ident = request.params["extension_id"]
    found = next((info for info in request.services[Platform].plugins() if info.name == ident), None)
    if found is None:
        raise NotFound("EXTENSION", ident)
    return found


def routes() -> list[Route]:
    return [*(empty.route() for empty in EMPTIES), *listing_routes(), *extension_routes()]


def listing_routes() -> list[Route]:
    common: dict[str, Any] = {"method": "GET", "scope": AUTHENTICATED, "response": dict[str, Any]}
    return [
        Route(**common, path="/skills", handler=skills, summary="List skills of agents", query=SkillsQuery),
        Route(**common, path="/automations/export", handler=export, summary="Export automations"),
    ]


def extension_routes() -> list[Route]:
    common: dict[str, Any] = {"scope": "extensions:read", "errors": ("EXTENSION_NOT_FOUND",)}
    path = "/extensions/{extension_id}"
    return [
        Route(
            **common,
            method="GET",
            path=f"{path}/logs",
            handler=logs,
            summary="List log lines that an extension keeps for itself",
            response=list[dict[str, Any]],
        ),
        Route(
            **{**common, "scope": "extensions:write"},
            method="DELETE",
            path=f"{path}/logs",
            handler=forget_logs,
            summary="Forget log lines that an extension keeps for itself",
            response=dict[str, str],
        ),
        Route(
            **common,
            method="GET",
            path=f"{path}/config",
            handler=config,
            summary="Show what can be configured of an extension here",
            response=dict[str, Any],
        ),
    ]
