"""Routes of device types."""

from __future__ import annotations

from neomind_sdk import Reply, Request, Route

from . import views
from .forms import read_type
from .mdl import draft_type
from .routes import STORAGE_ERRORS
from .service import Directory
from .type_models import (
    MdlAnswer,
    MdlBody,
    NewTypeBody,
    TypeBody,
    TypeDeletedAnswer,
    TypeList,
    TypeRegisteredAnswer,
    TypeView,
)


async def list_types(request: Request) -> Reply:
    rows = [views.listed_type(device_type) for device_type in request.services[Directory].types()]
    return Reply(data=TypeList(device_types=rows, count=len(rows)), meta={"count": len(rows)})


async def register_type(request: Request) -> TypeRegisteredAnswer:
    device_type = read_type(request.body.device_type, request.body)
    await request.services[Directory].register_type(device_type)
    return TypeRegisteredAnswer(device_type=device_type.device_type, name=device_type.name)


async def show_type(request: Request) -> TypeView:
    return views.type_view(request.services[Directory].require_type(request.params["device_type"]))


async def replace_type(request: Request) -> TypeRegisteredAnswer:
    directory, name = request.services[Directory], request.params["device_type"]
    directory.require_type(name)
    device_type = read_type(name, request.body)
    await directory.replace_type(device_type)
    return TypeRegisteredAnswer(device_type=name, name=device_type.name)


async def delete_type(request: Request) -> TypeDeletedAnswer:
    name = request.params["device_type"]
    await request.services[Directory].remove_type(name)
    return TypeDeletedAnswer(device_type=name)


async def generate_mdl(request: Request) -> MdlAnswer:
    body = request.body
    return views.mdl(draft_type(body.device_name, body.description, body.uplink_example, body.downlink_example))


def type_routes() -> list[Route]:
    return [*reading(), *writing()]


def reading() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/devices/types",
            handler=list_types,
            scope="devices:read",
            summary="List device types",
            response=TypeList,
        ),
        Route(
            method="GET",
            path="/devices/types/{device_type}",
            handler=show_type,
            scope="devices:read",
            summary="Show a device type",
            response=TypeView,
            errors=("DEVICE_TYPE_NOT_FOUND",),
        ),
        Route(
            method="POST",
            path="/devices/generate-mdl",
            handler=generate_mdl,
            scope="devices:read",
            summary="Draft a device type from examples of its messages",
            description="Nothing is stored. Examples are JSON: an object, an array, or objects one after another.",
            body=MdlBody,
            body_required=True,
            response=MdlAnswer,
            errors=("BAD_REQUEST",),
        ),
    ]


def writing() -> list[Route]:
    return [
        Route(
            method="POST",
            path="/devices/types",
            handler=register_type,
            scope="devices:write",
            summary="Register a device type, or replace the one of the same id",
            description=(
                "Metric names are paths into the messages of devices. Data types may be written in any case, default "
                "values plain or tagged, metrics and commands also inside `uplink` and `downlink`."
            ),
            body=NewTypeBody,
            body_required=True,
            response=TypeRegisteredAnswer,
            errors=("BAD_REQUEST", *STORAGE_ERRORS),
        ),
        Route(
            method="PUT",
            path="/devices/types/{device_type}",
            handler=replace_type,
            scope="devices:write",
            summary="Replace a device type",
            body=TypeBody,
            body_required=True,
            response=TypeRegisteredAnswer,
            errors=("BAD_REQUEST", "DEVICE_TYPE_NOT_FOUND", *STORAGE_ERRORS),
        ),
        Route(
            method="DELETE",
            path="/devices/types/{device_type}",
            handler=delete_type,
            scope="devices:write",
            summary="Delete a device type that no device is of",
            response=TypeDeletedAnswer,
            errors=("DEVICE_TYPE_NOT_FOUND", "CONFLICT", *STORAGE_ERRORS),
        ),
    ]
