"""How a WebSocket says for whom it is: by the request that opens it, or by its first frame."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

import orjson

from neomind_sdk import Authenticator, Credentials, Request, Unauthorized

from .streams import Caller

KINDS = ("user", "api_key", "plugin", "agent")
"""Who may have a stream at all; shares and devices may not."""
LOGIN_S = 10.0
BAD_TOKEN = "Invalid or expired token"  # noqa: S105 - words of the contract
BAD_KEY = "Invalid API key"
NOTHING = "Authentication required"


async def by_request(authenticator: Authenticator, request: Request, query: Mapping[str, str]) -> Caller | None:
    """The caller by headers, ``?token=`` or ``?api_key=``; ``None`` when they prove nothing."""
    return await _identified(authenticator, credentials(request, query))


def credentials(request: Request, query: Mapping[str, str]) -> Credentials:
    """What a request brought along that may prove who it is from."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    return Credentials(bearer=bearer or None, headers=request.headers, query=query, client=request.client)


async def by_frame(authenticator: Authenticator, frame: str | None, client: str) -> Caller | str:
    """The caller by the first frame, or what to tell the client."""
    body = _auth(frame)
    token, key = _text(body.get("token")), _text(body.get("api_key"))
    if not token and not key:
        return NOTHING
    headers = {"x-api-key": key} if key else {}
    found = await _identified(authenticator, Credentials(bearer=token or None, headers=headers, client=client))
    return found or (BAD_TOKEN if token else BAD_KEY)


async def _identified(authenticator: Authenticator, shown: Credentials) -> Caller | None:
    try:
        principal = await authenticator.identify(shown)
    except Unauthorized:
        return None
    return Caller(principal, shown) if principal.kind in KINDS else None


def _auth(frame: str | None) -> Mapping[str, Any]:
    body = loads(frame or "")
    return body if isinstance(body, dict) and body.get("type") == "Auth" else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) and value.isprintable() else ""


def loads(frame: str) -> Any:
    """The value of a frame; ``None`` when it is not JSON."""
    try:
        return orjson.loads(frame)
    except orjson.JSONDecodeError:
        return None


async def race(*work: Coroutine[Any, Any, Any]) -> Any:
    """Run these until the first ends and cancel the others; gives, or raises, what the first one did."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task for task in tasks if task.done()).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
