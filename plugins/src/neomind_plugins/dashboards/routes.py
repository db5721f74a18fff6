"""Routes of dashboards, for those who are logged in."""

from __future__ import annotations

from typing import Any

from neomind_sdk import NotFound, Reply, Request, Route

from . import templates, views
from .models import (
    AddedComponents,
    DashboardChange,
    DashboardPage,
    DashboardView,
    DefaultAnswer,
    DeletedAnswer,
    NewDashboard,
    Order,
    OrderAnswer,
    PageQuery,
    RemovedAnswer,
    RemovedComponents,
    Template,
)
from .service import Dashboards

STORED = ("SERVICE_UNAVAILABLE",)
STORAGE_ERRORS = (*STORED, "STORAGE_FULL")
COMPONENT_ERRORS = ("BAD_REQUEST", "PAYLOAD_TOO_LARGE")
UNTOUCHED = (
    "What is inside `data_source`, `display`, `config` and `actions` is kept exactly as it is sent, in its own "
    "spelling of names; a `type` that nobody knows is accepted."
)


async def list_dashboards(request: Request) -> Reply:
    query = request.query
    found, total = await request.services[Dashboards].page(query.limit, query.offset)
    rows = [views.dashboard(one) for one in found]
    data = {"dashboards": rows, "count": len(rows), "total": total, "limit": query.limit, "offset": query.offset}
    return Reply(data=data, meta={"count": len(rows)})


async def add_dashboard(request: Request) -> dict[str, Any]:
    return views.dashboard(await request.services[Dashboards].create(request.body))


async def show_dashboard(request: Request) -> dict[str, Any]:
    return views.dashboard(await request.services[Dashboards].get(request.params["dashboard_id"]))


async def change_dashboard(request: Request) -> dict[str, Any]:
    return views.dashboard(await request.services[Dashboards].update(request.params["dashboard_id"], request.body))


async def delete_dashboard(request: Request) -> DeletedAnswer:
    dashboard_id = request.params["dashboard_id"]
    await request.services[Dashboards].delete(dashboard_id)
    return DeletedAnswer(id=dashboard_id)


async def add_components(request: Request) -> dict[str, Any]:
    dashboards, dashboard_id = request.services[Dashboards], request.params["dashboard_id"]
    return views.dashboard(await dashboards.add_components(dashboard_id, request.body.components))


async def remove_components(request: Request) -> RemovedAnswer:
    dashboards, dashboard_id = request.services[Dashboards], request.params["dashboard_id"]
    removed, remaining = await dashboards.remove_components(dashboard_id, request.body.ids)
    return RemovedAnswer(removed=removed, remaining=remaining)


async def reorder(request: Request) -> OrderAnswer:
    ids = request.body.dashboard_ids
    await request.services[Dashboards].reorder(ids)
    return OrderAnswer(count=len(ids))


async def make_default(request: Request) -> DefaultAnswer:
    dashboard_id = request.params["dashboard_id"]
    await request.services[Dashboards].set_default(dashboard_id)
    return DefaultAnswer(id=dashboard_id)


async def duplicate(request: Request) -> dict[str, Any]:
    return views.dashboard(await request.services[Dashboards].duplicate(request.params["dashboard_id"]))


async def list_templates(_request: Request) -> Reply:
    return Reply(data=list(templates.TEMPLATES), meta={"count": len(templates.TEMPLATES)})


async def show_template(request: Request) -> Template:
    template_id = request.params["template_id"]
    found = templates.BY_ID.get(template_id)
    if found is None:
        raise NotFound("TEMPLATE", template_id)
    return found


def routes() -> list[Route]:
    return [*reading(), *writing(), *of_components(), *arranging()]


def reading() -> list[Route]:
    common: dict[str, Any] = {"method": "GET", "scope": "dashboards:read"}
    return [
        Route(
            **common,
            path="/dashboards",
            handler=list_dashboards,
            summary="List dashboards in their order",
            query=PageQuery,
            response=DashboardPage,
            errors=STORED,
        ),
        Route(
            **common,
            path="/dashboards/{dashboard_id}",
            handler=show_dashboard,
            summary="Show a dashboard",
            description="`overview` and `blank` are answered from the templates, without being kept.",
            response=DashboardView,
            errors=("DASHBOARD_NOT_FOUND", *STORED),
        ),
        Route(
            **common,
            path="/dashboards/templates",
            handler=list_templates,
            summary="List templates",
            response=list[Template],
        ),
        Route(
            **common,
            path="/dashboards/templates/{template_id}",
            handler=show_template,
            summary="Show a template",
            response=Template,
            errors=("TEMPLATE_NOT_FOUND",),
        ),
    ]


def writing() -> list[Route]:
    common: dict[str, Any] = {"scope": "dashboards:write"}
    return [
        Route(
            **common,
            method="POST",
            path="/dashboards",
            handler=add_dashboard,
            summary="Make a dashboard",
            description=f"It is put behind all others. {UNTOUCHED}",
            body=NewDashboard,
            body_required=True,
            response=DashboardView,
            errors=("VALIDATION_ERROR", "PAYLOAD_TOO_LARGE", *STORAGE_ERRORS),
        ),
        Route(
            **common,
            method="PUT",
            path="/dashboards/{dashboard_id}",
            handler=change_dashboard,
            summary="Change a dashboard",
            description=f"What is absent stays; its place and whether it is the default always do. {UNTOUCHED}",
            body=DashboardChange,
            body_required=True,
            response=DashboardView,
            errors=("DASHBOARD_NOT_FOUND", *COMPONENT_ERRORS, *STORAGE_ERRORS),
        ),
        Route(
            **common,
            method="DELETE",
            path="/dashboards/{dashboard_id}",
            handler=delete_dashboard,
            summary="Delete a dashboard and its share links",
            response=DeletedAnswer,
            errors=("DASHBOARD_NOT_FOUND", *STORAGE_ERRORS),
        ),
    ]


def of_components() -> list[Route]:
    common: dict[str, Any] = {"path": "/dashboards/{dashboard_id}/components", "scope": "dashboards:write"}
    return [
        Route(
            **common,
            method="POST",
            handler=add_components,
            summary="Append components to a dashboard",
            description=UNTOUCHED,
            body=AddedComponents,
            body_required=True,
            response=DashboardView,
            errors=("DASHBOARD_NOT_FOUND", *COMPONENT_ERRORS, *STORAGE_ERRORS),
        ),
        Route(
            **common,
            method="DELETE",
            handler=remove_components,
            summary="Remove components from a dashboard",
            body=RemovedComponents,
            body_required=True,
            response=RemovedAnswer,
            errors=("DASHBOARD_NOT_FOUND", *STORAGE_ERRORS),
        ),
    ]


def arranging() -> list[Route]:
    common: dict[str, Any] = {"scope": "dashboards:write"}
    return [
        Route(
            **common,
            method="PUT",
            path="/dashboards/reorder",
            handler=reorder,
            summary="Put dashboards in order",
            description="Those that are not named follow in the order they have. An unknown id changes nothing.",
            body=Order,
            body_required=True,
            response=OrderAnswer,
            errors=("BAD_REQUEST", *STORAGE_ERRORS),
        ),
        Route(
            **common,
            method="POST",
            path="/dashboards/{dashboard_id}/default",
            handler=make_default,
            summary="Make a dashboard the default",
            response=DefaultAnswer,
            errors=("DASHBOARD_NOT_FOUND", *STORAGE_ERRORS),
        ),
        Route(
            **common,
            method="POST",
            path="/dashboards/{dashboard_id}/duplicate",
            handler=duplicate,
            summary="Copy a dashboard",
            response=DashboardView,
            errors=("DASHBOARD_NOT_FOUND", *STORAGE_ERRORS),
        ),
    ]
