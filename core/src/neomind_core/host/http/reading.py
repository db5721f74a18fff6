"""What a request brings along: its headers, its query, its body, within the limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any, get_origin
from urllib.parse import parse_qsl, quote

import attrs

from ...contracts import JSON, ApiError, BadRequest, Credentials, Route, ValidationFailed, fields
from .deadlines import Expired
from .strict import loads
from .structure import hints_of, parts_of, structure

Receive = Callable[[], Awaitable[Any]]
Within = Callable[[float, Awaitable[Any]], Awaitable[Any]]
QUERY_FIELDS = 200
# Larger bodies are parsed in a thread, so that the others need not wait for it.
IN_THREAD_FROM = 128 * 1024


class ClientGone(Exception):
    """The client went away; nobody is left to answer."""


def path_of(scope: Mapping[str, Any]) -> bytes:
    """The path as it was sent, percent-encoded and without the query."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"], errors="surrogatepass").encode()
    return raw.partition(b"?")[0]


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """Headers with lower-case names; of several of one name the last counts."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def client_of(scope: Mapping[str, Any]) -> str:
    """The peer's address without the port."""
    client = scope.get("client")
    return client[0] if client else ""


# ---- the query ----


def query_pairs(raw: bytes) -> list[tuple[str, str]]:
    """The pairs of a query string; raises ``BadRequest`` when it is not UTF-8."""
    if not raw:
        return []
    try:
        text = raw.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=QUERY_FIELDS)
    except UnicodeDecodeError:
        raise BadRequest("The query string is not UTF-8") from None
    except ValueError:
        raise BadRequest(f"The query string has more than {QUERY_FIELDS} fields") from None


def query_of(route: Route, pairs: list[tuple[str, str]]) -> Any:
    """An instance of ``Route.query``, else a plain mapping; raises ``ValidationFailed``."""
    values: dict[str, Any] = plain(pairs)
    if route.query is None:
        return values
    for name in _lists_of(route.query) & values.keys():
        values[name] = [value for key, value in pairs if key == name]
    return structure(route.query, values, text=True)


def plain(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The last value of each name; raises ``ValidationFailed`` for NUL."""
    if not pairs:
        return {}
    unclean = [(key, value) for key, value in pairs if "\0" in key or "\0" in value]
    if unclean:
        raise ValidationFailed(*((key if fields.clean(key) else "query", "must not hold NUL") for key, _ in unclean))
    return dict(pairs)


@lru_cache(maxsize=1024)
def _lists_of(cls: Any) -> frozenset[str]:
    """The fields of a query that may come several times."""
    hints = hints_of(cls).items()
    return frozenset(name for name, kind in hints if get_origin(parts_of(kind)[0]) in (list, tuple))


# ---- credentials ----


def credentials_of(headers: Mapping[str, str], query: Mapping[str, str], client: str) -> Credentials:
    """What may prove who is calling."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    return Credentials(bearer=bearer or None, headers=headers, query=query, client=client)


# ---- the body ----


async def body_of(receive: Receive, headers: Mapping[str, str], limit: int, idle_s: float, within: Within) -> bytes:
    """The whole body; 413 beyond ``limit`` bytes, 408 when nothing of it comes for ``idle_s`` seconds."""
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) >= 20 or int(length) > limit):
        raise _too_large(limit)
    chunks: bytes | bytearray = b""
    while True:
        try:
            message = await within(idle_s, receive())
        except Expired:
            raise _stalled(idle_s) from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece = message.get("body", b"")
        if len(chunks) + len(piece) > limit:
            raise _too_large(limit)
        if not message.get("more_body"):
            return bytes(chunks + piece) if chunks else bytes(piece)
        chunks = chunks or bytearray()
        chunks += piece


def _stalled(idle_s: float) -> ApiError:
    """408: the client stopped sending in the middle."""
    text = f"Nothing of the body came for {idle_s:g} s"
    return ApiError("REQUEST_TIMEOUT", text, headers={"Connection": "close"})


def _too_large(limit: int) -> ApiError:
    # The connection stays open and the server drops the rest: closed on one who still sends, it would be reset, and
    # the answer lost with it.
    return ApiError("PAYLOAD_TOO_LARGE", f"The body is larger than {limit} bytes")


def check_media_type(route: Route, headers: Mapping[str, str]) -> None:
    """Raise 415 for a body of a type that the route does not take; a body without a type is taken for the first."""
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise ApiError("UNSUPPORTED_MEDIA_TYPE", f"Content-Encoding '{encoding}' is not supported; send it plain")
    given = headers.get("content-type", "").partition(";")[0].strip().lower()
    if given and route.accepts and given not in route.accepts:
        wanted = " or ".join(route.accepts)
        hint = "With curl: -H 'Content-Type: application/json'" if JSON in route.accepts else None
        raise ApiError("UNSUPPORTED_MEDIA_TYPE", f"Content-Type '{given}' is not supported; send {wanted}", hint=hint)


async def parsed(route: Route, raw: bytes) -> Any:
    """``Request.body``: an instance of ``Route.body``, any JSON value, or ``None``."""
    if not raw or raw.isspace():
        if route.body_required:
            raise BadRequest("The body is empty; one is wanted")
        return _empty(route)
    if route.body is bytes:
        return None
    return _read(route, raw) if len(raw) < IN_THREAD_FROM else await asyncio.to_thread(_read, route, raw)


def _read(route: Route, raw: bytes) -> Any:
    value = loads(raw)
    return structure(route.body, value) if route.body is not None else value


def _empty(route: Route) -> Any:
    """A body that may be absent: an instance with its defaults, if it has one for every field."""
    if route.body in (None, bytes) or any(field.default is attrs.NOTHING for field in attrs.fields(route.body)):
        return None
    return structure(route.body, {})
