"""Routes of API keys, for administrators: also the list is, because it shows how keys begin."""

from __future__ import annotations

from neomind_sdk import ADMIN, Clock, Reply, Request, Route

from . import views
from .models import DeletedAnswer, IssuedAnswer, KeyCreateBody, KeysAnswer
from .service import ApiKeys

CALLERS = ("user", "api_key")
MAX_BODY = 64 * 1024
STORING = ("SERVICE_UNAVAILABLE", "STORAGE_FULL")
CREATING = """The key is shown in this answer and never again; send it as `X-API-Key: <key>`.

A permission is `*` (everything), `admin`, `read`, `write`, `<area>:read` or `<area>:write`, such as `devices:read`; one
that writes does not read. Nobody grants what they are not permitted themselves, nor for longer than their own key."""


async def list_keys(request: Request) -> Reply:
    now_ms = request.services[Clock].now_ms()
    items = [views.item(key, now_ms) for key in request.services[ApiKeys].all()]
    return Reply(data=KeysAnswer(keys=items), meta={"count": len(items)})


async def create_key(request: Request) -> IssuedAnswer:
    issued = await request.services[ApiKeys].create(request.body, request.principal)
    now_ms = request.services[Clock].now_ms()
    return IssuedAnswer(api_key=issued.text, info=views.info(issued.key, now_ms))


async def delete_key(request: Request) -> DeletedAnswer:
    key = await request.services[ApiKeys].delete(request.params["id"])
    return DeletedAnswer(message=f"The API key '{key.name}' is deleted")


def routes() -> list[Route]:
    return [
        Route(
            method="GET",
            path="/auth/keys",
            handler=list_keys,
            scope=ADMIN,
            callers=CALLERS,
            summary="All API keys",
            response=KeysAnswer,
        ),
        Route(
            method="POST",
            path="/auth/keys",
            handler=create_key,
            scope=ADMIN,
            callers=CALLERS,
            summary="Make an API key",
            description=CREATING,
            body=KeyCreateBody,
            body_required=True,
            max_body=MAX_BODY,
            response=IssuedAnswer,
            errors=("VALIDATION_ERROR", "INSUFFICIENT_PERMISSIONS", *STORING),
        ),
        Route(
            method="DELETE",
            path="/auth/keys/{id}",
            handler=delete_key,
            scope=ADMIN,
            callers=CALLERS,
            summary="Delete an API key",
            description="It does not hold any more from then on, and streams that were opened with it end.",
            response=DeletedAnswer,
            errors=("API_KEY_NOT_FOUND", *STORING),
        ),
    ]
