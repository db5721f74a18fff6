"""Routes of settings."""

from __future__ import annotations

from typing import Any

from neomind_sdk import BadRequest, Reply, Request, Route

from . import zones
from .models import TimezoneAnswer, TimezoneChange, TimezoneSaved, Zone, ZonesAnswer
from .service import KeptSettings

SECTION = "timezone"
STORAGE_ERRORS = ("SERVICE_UNAVAILABLE", "STORAGE_FULL")
Values = dict[str, Any]


async def show_all(request: Request) -> dict[str, Values]:
    return request.services[KeptSettings].all()


async def show(request: Request) -> Values:
    return request.services[KeptSettings].values(request.params["section"])


async def change(request: Request) -> Values:
    if not isinstance(request.body, dict):
        raise BadRequest("The body must be a JSON object with the settings to change")
    values = await request.services[KeptSettings].change(request.params["section"], request.body)
    return {"success": True, **values}


async def show_timezone(request: Request) -> TimezoneAnswer:
    name = request.services[KeptSettings].values(SECTION)["timezone"]
    return TimezoneAnswer(timezone=name, is_default=name == zones.DEFAULT)


async def change_timezone(request: Request) -> TimezoneSaved:
    name = request.body.timezone
    problem = zones.problem(name)
    if problem:
        raise BadRequest(f"timezone: {problem}")
    await request.services[KeptSettings].change(SECTION, {"timezone": name})
    return TimezoneSaved(timezone=name)


async def list_timezones(request: Request) -> Reply:
    found = [Zone(id=ident, name=name) for ident, name in zones.COMMON.items()]
    return Reply(data=ZonesAnswer(timezones=found), meta={"count": len(found)})


def routes() -> list[Route]:
    return [*section_routes(), *timezone_routes()]


def section_routes() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/settings",
            handler=show_all,
            scope="settings:read",
            summary="Show all settings by section",
            description="Secrets are shown as `***`.",
            response=dict[str, Values],
        ),
        Route(
            method="GET",
            path="/settings/{section}",
            handler=show,
            scope="settings:read",
            summary="Show the settings of one section",
            response=Values,
            errors=("NOT_FOUND",),
        ),
        Route(
            method="PUT",
            path="/settings/{section}",
            handler=change,
            scope="settings:write",
            summary="Change settings of one section",
            description=(
                "What is absent stays, and so does a secret sent as `***`; `null` takes away a limit that may be "
                "absent. The change is kept and wins over the configuration file."
            ),
            body_required=True,
            response=Values,
            errors=("BAD_REQUEST", "NOT_FOUND", "VALIDATION_ERROR", *STORAGE_ERRORS),
        ),
    ]


def timezone_routes() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/settings/timezone",
            handler=show_timezone,
            scope="settings:read",
            summary="Show the time zone of schedules",
            response=TimezoneAnswer,
        ),
        Route(
            method="PUT",
            path="/settings/timezone",
            handler=change_timezone,
            scope="settings:write",
            summary="Choose the time zone of schedules",
            body=TimezoneChange,
            body_required=True,
            response=TimezoneSaved,
            errors=("BAD_REQUEST", *STORAGE_ERRORS),
        ),
        Route(
            method="GET",
            path="/settings/timezones",
            handler=list_timezones,
            scope="settings:read",
            summary="List common time zones",
            response=ZonesAnswer,
        ),
    ]
