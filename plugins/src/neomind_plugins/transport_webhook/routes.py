"""Routes of the webhook. They are public: a device has no account, its own token guards it if it has one."""

from __future__ import annotations

from typing import Any

from neomind_sdk import (
    MIB,
    PUBLIC,
    DeviceDirectory,
    NotFound,
    Platform,
    Request,
    Route,
)
from neomind_sdk.addresses import server_url

from .models import HOPS_MAX, Accepted, Call, WebhookUrl
from .service import Webhook
from .urls import webhook_url

MAX_BODY = 8 * MIB
ERRORS = (
    "BAD_REQUEST",
    "UNAUTHORIZED",
    "DEVICE_NOT_FOUND",
    "PAYLOAD_TOO_LARGE",
    "UNSUPPORTED_MEDIA_TYPE",
    "VALIDATION_ERROR",
    "SERVICE_UNAVAILABLE",
    "STORAGE_FULL",
)


async def receive(request: Request) -> dict[str, Any]:
    return await request.services[Webhook].receive(request.params["device_id"], call_of(request))


async def receive_named(request: Request) -> dict[str, Any]:
    return await request.services[Webhook].receive_named(call_of(request))


async def show_url(request: Request) -> WebhookUrl:
    directory, device_id = request.services[DeviceDirectory], request.params["device_id"]
    device = directory.get(device_id)
    if device is None:
        raise NotFound("DEVICE", device_id)
    server = server_url(request.headers, request.services[Platform].server_address())
    return webhook_url(device, directory.type_of(device_id), server)


def call_of(request: Request) -> Call:
    """The request without HTTP."""
    headers = request.headers
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else request.query.get("token")
    return Call(
        content_type=headers.get("content-type", ""),
        body=request.raw,
        token=token,
        client=request.client,
        hops=hops_of(headers.get("x-neomind-hops")),
    )


def hops_of(text: str | None) -> int:
    """How many platforms a push has passed, at most ``HOPS_MAX``; devices do not say, and nonsense says nothing."""
    if text is None or not (text.isascii() and text.isdigit()):
        return 0
    digits = text.lstrip("0")
    return min(int(digits or 0), HOPS_MAX) if len(digits) < 3 else HOPS_MAX


def routes() -> list[Route]:
    return [
        Route(
            method="POST",
            path="/devices/{device_id}/webhook",
            handler=receive,
            scope=PUBLIC,
            summary="Post readings of a device",
            description=(
                'JSON (`{"temperature": 21.5}`, `{"data": {…}, "timestamp"?, "quality"?}` or an array of either), '
                "text, a form, an image, or a multipart body of these. Answered when everything is stored. A platform "
                "that pushes readings on says by `X-NeoMind-Hops` how many they have passed: rings come to an end."
            ),
            body=bytes,
            response=Accepted,
            errors=ERRORS,
            accepts=(),
            max_body=MAX_BODY,
        ),
        Route(
            method="POST",
            path="/devices/webhook",
            handler=receive_named,
            scope=PUBLIC,
            summary="Post readings of the device that the body names by `device_id`",
            body=bytes,
            response=Accepted,
            errors=ERRORS,
            accepts=(),
            max_body=MAX_BODY,
        ),
        Route(
            method="GET",
            path="/devices/{device_id}/webhook-url",
            handler=show_url,
            scope="devices:read",
            summary="Where and how a device posts its readings",
            response=WebhookUrl,
            errors=("DEVICE_NOT_FOUND",),
        ),
    ]
