"""Routes of share links: for owners, and, public, for whoever has a link."""

from __future__ import annotations

from typing import Any

from neomind_sdk import PUBLIC, Clock, RateLimit, Raw, Reply, Request, Route
from neomind_sdk.units import seconds

from . import shown, views, windows
from .acting import Actor
from .mirror import Viewer
from .proxy import Proxy
from .reading import Asked, Reader
from .share_models import (
    CommandAnswer,
    CommandBody,
    DataAnswer,
    DataBody,
    DataQuery,
    NewShare,
    RevokedAnswer,
    SharedDashboard,
    ShareItem,
    ShareLink,
)
from .shares import Shares

STORED = ("SERVICE_UNAVAILABLE",)
STORAGE_ERRORS = (*STORED, "STORAGE_FULL")
NO_LINK = ("SHARE_NOT_FOUND", "DASHBOARD_NOT_FOUND", "GONE")
READ = ("BAD_REQUEST", "FORBIDDEN", *NO_LINK, *STORED)
ACT = ("COMMAND_NOT_FOUND", "DEVICE_NOT_FOUND", "EXTENSION_NOT_FOUND", "CONFLICT", "VALIDATION_ERROR")
FAILED = ("EXTENSION_FAILED", "EXTENSION_TIMEOUT", "STORAGE_FULL")
BODY_MAX = 64 * 1024
# A page with many components asks many times a minute, and several viewers may share an address.
LOOKS, READS, ACTS = RateLimit(hits=120), RateLimit(hits=1200), RateLimit(hits=60)
PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}

PROXY = (
    "A few read paths of the API (`devices/{id}`, its `current`, `history` and `telemetry`, `telemetry`, "
    "`devices/current-batch`, `stats/system`, `agents/{id}/executions`, components of extensions), in their own "
    "shapes, of what the dashboard shows; and commands, where the link allows interaction. Anything else is 403."
)


# ---- owners ----


async def share(request: Request) -> ShareLink:
    body = request.body or NewShare()
    interactive = body.permissions is not None and body.permissions.allow_interactive
    issued = await request.services[Shares].create(
        request.params["dashboard_id"], allow_interactive=interactive, hours=body.expires_in_hours
    )
    return views.link(issued.share, issued.token)


async def list_shares(request: Request) -> Reply:
    found = await request.services[Shares].live(request.params["dashboard_id"])
    return Reply(data=[views.item(one) for one in found], meta={"count": len(found)})


async def revoke(request: Request) -> RevokedAnswer:
    token = request.params["token"]
    await request.services[Shares].revoke(request.params["dashboard_id"], token)
    return RevokedAnswer(token=token)


# ---- viewers ----


async def viewer_of(request: Request) -> Viewer:
    """Whom the token lets in; raises what ``Shares.open`` does."""
    opened = await request.services[Shares].open(request.params["token"])
    return Viewer(opened, shown.shown(opened.dashboard))


async def show_shared(request: Request) -> Reply:
    opened = await request.services[Shares].open(request.params["token"])
    return Reply(data=views.shared(opened), headers=PRIVATE)


async def show_data(request: Request) -> Reply:
    query = request.query
    start, end = windows.number("start", query.start), windows.number("end", query.end)
    return await read_data(request, query.source, query, start, end)


async def show_data_of(request: Request) -> Reply:
    body = request.body or DataBody()
    return await read_data(request, body.sources, body, body.start, body.end)


async def read_data(
    request: Request, source_ids: list[str], query: DataQuery | DataBody, start: float | None, end: float | None
) -> Reply:
    viewer = await viewer_of(request)
    now_ms = request.services[Clock].now_ms()
    window = windows.asked(query.time_range, start, end, now_ms)
    asked = Asked(source_ids=source_ids, window=window, limit=query.limit, aggregate=query.aggregate)
    found = await request.services[Reader].read(viewer.shown, asked)
    answer = {"timestamp": seconds(now_ms), "sources": found, "count": len(found)}
    dashboard_id = viewer.opened.dashboard.id
    return Reply(data={"dashboard_id": dashboard_id, **answer}, meta={"count": len(found)}, headers=PRIVATE)


async def act(request: Request) -> Reply:
    viewer, body = await viewer_of(request), request.body
    actor = request.services[Actor]
    answer = await actor.act(viewer.opened, viewer.shown, body.source, body.params or {})
    return Reply(data=answer, headers=PRIVATE)


async def proxy(request: Request) -> Reply | Raw:
    viewer, path = await viewer_of(request), request.params["path"]
    data = await request.services[Proxy].answer(viewer, request.method, path, request.query, request.body)
    return data if isinstance(data, Raw) else Reply(data=data, headers=PRIVATE)


def routes() -> list[Route]:
    return [*for_owners(), *for_viewers(), *proxied()]


def for_owners() -> list[Route]:
    return [
        Route(
            method="POST",
            path="/dashboards/{dashboard_id}/share",
            handler=share,
            scope="dashboards:write",
            summary="Make a share link",
            description="The token is answered this once: what is kept of it is a hash.",
            body=NewShare,
            response=ShareLink,
            errors=("BAD_REQUEST", "DASHBOARD_NOT_FOUND", "CONFLICT", *STORAGE_ERRORS),
        ),
        Route(
            method="GET",
            path="/dashboards/{dashboard_id}/share",
            handler=list_shares,
            scope="dashboards:read",
            summary="List the share links of a dashboard that are not expired",
            response=list[ShareItem],
            errors=STORED,
        ),
        Route(
            method="DELETE",
            path="/dashboards/{dashboard_id}/share/{token}",
            handler=revoke,
            scope="dashboards:write",
            summary="Revoke a share link, by its id or its token",
            response=RevokedAnswer,
            errors=("SHARE_NOT_FOUND", *STORAGE_ERRORS),
        ),
    ]


def for_viewers() -> list[Route]:
    common: dict[str, Any] = {"scope": PUBLIC, "limit": READS, "max_body": BODY_MAX}
    data = {**common, "path": "/dashboards/shared/{token}/data", "response": DataAnswer, "errors": READ}
    only = "Values and histories of what the dashboard shows, and of nothing else."
    return [
        Route(
            method="GET",
            path="/dashboards/shared/{token}",
            handler=show_shared,
            scope=PUBLIC,
            summary="Show a shared dashboard",
            response=SharedDashboard,
            errors=(*NO_LINK, *STORED),
            limit=LOOKS,
        ),
        Route(**data, method="GET", handler=show_data, summary=only[:-1], description=only, query=DataQuery),
        Route(**data, method="POST", handler=show_data_of, summary=f"{only[:-1]}, by ids", body=DataBody),
        Route(
            **{**common, "limit": ACTS},
            method="POST",
            path="/dashboards/shared/{token}/commands",
            handler=act,
            summary="Give a command that the dashboard has a control for",
            description="The link must allow interaction. Parameters that the control fixes cannot be chosen.",
            body=CommandBody,
            body_required=True,
            response=CommandAnswer,
            errors=(*READ, *ACT, *FAILED),
        ),
    ]


def proxied() -> list[Route]:
    common: dict[str, Any] = {
        "path": "/dashboards/shared/{token}/proxy/{path:path}",
        "handler": proxy,
        "scope": PUBLIC,
        "max_body": BODY_MAX,
        "limit": READS,
        "description": PROXY,
    }
    refused = ("METHOD_NOT_ALLOWED", *READ)
    return [
        Route(**common, method="GET", summary="Read as the API, as a viewer", errors=refused),
        Route(
            **common,
            method="POST",
            summary="Read or give a command as the API, as a viewer",
            errors=(*refused, *ACT, *FAILED),
        ),
    ]
