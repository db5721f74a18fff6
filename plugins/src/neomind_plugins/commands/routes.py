"""Routes of commands."""

from __future__ import annotations

from neomind_sdk import Reply, Request, Route

from . import views
from .models import BODY_MAX, CommandView, ControlAnswer, ControlBody, History, HistoryQuery
from .service import Commands, source_of

STORAGE_ERRORS = ("SERVICE_UNAVAILABLE", "STORAGE_FULL")
CONTROL = (
    "The command is checked against the device's type, kept, and handed to the device's transport; while that is away "
    "it waits, and expires. What becomes of it is in the device's history of commands. A header `Idempotency-Key` "
    "makes repeating safe: with the same key the same command is answered, and nothing is sent twice."
)


async def control(request: Request) -> ControlAnswer:
    command = await request.services[Commands].give(
        request.params["device_id"],
        request.body.command,
        request.body.params or {},
        source=source_of(request.principal),
        key=request.headers.get("idempotency-key"),
    )
    return views.answer(command)


async def history(request: Request) -> Reply:
    device_id = request.params["device_id"]
    commands = await request.services[Commands].newest(device_id, request.query.limit)
    rows = [views.view(command) for command in commands]
    return Reply(data=History(device_id=device_id, commands=rows, count=len(rows)), meta={"count": len(rows)})


async def show(request: Request) -> CommandView:
    params = request.params
    return views.view(await request.services[Commands].get(params["device_id"], params["command_id"]))


def routes() -> list[Route]:
    return [
        Route(
            method="POST",
            path="/devices/{device_id}/control",
            handler=control,
            scope="devices:write",
            summary="Give a command to a device",
            description=CONTROL,
            body=ControlBody,
            body_required=True,
            max_body=BODY_MAX,
            response=ControlAnswer,
            errors=("BAD_REQUEST", "DEVICE_NOT_FOUND", "CONFLICT", *STORAGE_ERRORS),
        ),
        Route(
            method="GET",
            path="/devices/{device_id}/commands",
            handler=history,
            scope="devices:read",
            summary="List the commands that were given to a device, newest first",
            query=HistoryQuery,
            response=History,
            errors=("DEVICE_NOT_FOUND", "SERVICE_UNAVAILABLE"),
        ),
        Route(
            method="GET",
            path="/devices/{device_id}/commands/{command_id}",
            handler=show,
            scope="devices:read",
            summary="Show a command and what became of it",
            response=CommandView,
            errors=("DEVICE_NOT_FOUND", "COMMAND_NOT_FOUND", "SERVICE_UNAVAILABLE"),
        ),
    ]
