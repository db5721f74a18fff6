"""Routes whose bodies or answers differ from those of the page, so that a second path is not enough."""

from __future__ import annotations

from typing import Any, TypeVar

from neomind_sdk import (
    AUTHENTICATED,
    MIB,
    PUBLIC,
    Clock,
    DeviceCommands,
    DeviceDirectory,
    ExtensionCommands,
    LanguageModels,
    Request,
    Route,
    SocketRoute,
)

from . import chat, service
from .errors import Absent
from .models import (
    CommandBody,
    DeviceCommandAnswer,
    DeviceCommandBody,
    Dismissed,
    InvokeAnswer,
    OnboardingAnswer,
    TypeCheck,
)

T = TypeVar("T")
QUEUED = "queued"
EXTENSION_ERRORS = (
    "EXTENSION_NOT_FOUND",
    "COMMAND_NOT_FOUND",
    "CONFLICT",
    "VALIDATION_ERROR",
    "EXTENSION_FAILED",
    "EXTENSION_TIMEOUT",
)


def there(request: Request, key: type[T], plugin: str) -> T:
    """A service, or 404."""
    found = request.services.find(key)
    if found is None:
        raise Absent(request.path, plugin)
    return found


# ---- commands --------------------------------------------------------------------------------------------------------


async def run_command(request: Request) -> Any:
    runner = there(request, ExtensionCommands, "extension_admin")
    body = request.body
    return await runner.run(request.params["extension_id"], body.command, body.arguments, principal=request.principal)


async def invoke(request: Request) -> InvokeAnswer:
    result = await run_command(request)
    now_ms = request.services[Clock].now_ms()
    ident, command = request.params["extension_id"], request.body.command
    return InvokeAnswer(extension_id=ident, command=command, result=result, timestamp=now_ms // 1000)


async def command_device(request: Request) -> DeviceCommandAnswer:
    commands = there(request, DeviceCommands, "commands")
    device_id, command = request.params["device_id"], request.params["command"]
    params = (request.body.params if request.body else None) or {}
    record = await commands.send(device_id, command, params, principal=request.principal)
    return DeviceCommandAnswer(
        device_id=device_id,
        command=command,
        command_id=record.command_id,
        sent=record.state != QUEUED,
        state=record.state,
        detail=record.error,
    )


# ---- the rest --------------------------------------------------------------------------------------------------------


async def check_type(request: Request) -> TypeCheck:
    return service.check_type(request.body)


async def onboarding(request: Request) -> OnboardingAnswer:
    may = request.principal.may
    directory = request.services.find(DeviceDirectory) if may("devices:read") else None
    models = request.services.find(LanguageModels) if may("llm:read") else None
    return request.services[service.Onboarding].status(directory, models)


async def dismiss(request: Request) -> Dismissed:
    request.services[service.Onboarding].dismissed = True
    return Dismissed(dismissed=True)


async def reset(request: Request) -> Dismissed:
    request.services[service.Onboarding].dismissed = False
    return Dismissed(dismissed=False)


def routes() -> list[Route | SocketRoute]:
    return [*extension_routes(), *device_routes(), *onboarding_routes(), chat_route()]


def extension_routes() -> list[Route]:
    common: dict[str, Any] = {
        "method": "POST",
        "scope": "extension_commands:write",
        "body": CommandBody,
        "body_required": True,
        "errors": EXTENSION_ERRORS,
        "max_body": MIB,
        "deadline_s": None,  # the command's own limit holds
    }
    return [
        Route(
            **common,
            path="/extensions/{extension_id}/command",
            handler=run_command,
            summary="Run a command of an extension; `data` is what it answers",
        ),
        Route(
            **common,
            path="/extensions/{extension_id}/invoke",
            handler=invoke,
            summary="Run a command of an extension; what it answers is `data.result`",
            response=InvokeAnswer,
        ),
    ]


def device_routes() -> list[Route]:
    return [
        Route(
            method="POST",
            path="/devices/{device_id}/command/{command}",
            handler=command_device,
            scope="devices:write",
            summary="Give a command to a device",
            body=DeviceCommandBody,
            response=DeviceCommandAnswer,
            errors=("BAD_REQUEST", "DEVICE_NOT_FOUND", "CONFLICT", "STORAGE_FULL"),
        ),
        Route(
            method="PUT",
            path="/device-types",
            handler=check_type,
            scope="devices:read",
            summary="Check a device type without registering it",
            body_required=True,
            response=TypeCheck,
        ),
    ]


def onboarding_routes() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/onboarding/status",
            handler=onboarding,
            scope=PUBLIC,
            identify=True,
            summary="Show which first steps were taken",
            response=OnboardingAnswer,
        ),
        Route(
            method="POST",
            path="/onboarding/dismiss",
            handler=dismiss,
            scope=AUTHENTICATED,
            summary="Hide the hints about first steps",
            response=Dismissed,
        ),
        Route(
            method="POST",
            path="/onboarding/reset",
            handler=reset,
            scope=AUTHENTICATED,
            summary="Show the hints about first steps again",
            response=Dismissed,
        ),
    ]


def chat_route() -> SocketRoute:
    return SocketRoute(
        path="/chat",
        handler=chat.serve,
        scope=AUTHENTICATED,
        summary="Hold a connection for chats; 4001 closes it when the caller may not have one",
    )
