"""The one shape of every answer: ``{"success", "data", "meta"}`` or ``{"success", "error"}``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import attrs
import orjson

from ...contracts import JSON, ApiError, Reply

Header = tuple[bytes, bytes]
OPTIONS = orjson.OPT_NON_STR_KEYS
COMMON: tuple[Header, ...] = ((b"x-content-type-options", b"nosniff"),)


@attrs.frozen
class Answer:
    """An answer that is ready to be sent. ``stream`` instead of ``body``: an async iterator of bytes."""

    status: int
    headers: tuple[Header, ...]
    body: bytes = b""
    stream: Any = None


def success(reply: Reply, status: int, *, request_id: str, now_ms: int, mirrored: bool = False) -> Answer:
    """The envelope around the data of a reply. Absent data are left out, never ``null``."""
    body: dict[str, Any] = {"success": True}
    if reply.data is not None:
        body["data"] = reply.data
    if mirrored:
        body = {**_members(reply.data), **body}
    body["meta"] = {"timestamp": timestamp(now_ms), "request_id": request_id, **reply.meta}
    return Answer(reply.status or status, headers(JSON, reply.headers), dumps(body))


def failure(error: ApiError, *, request_id: str) -> Answer:
    """The envelope of an error."""
    shown: dict[str, Any] = {"code": error.code, "message": error.message, "request_id": request_id}
    if error.hint:
        shown["hint"] = error.hint
    if error.details is not None:
        shown["details"] = error.details
    return Answer(error.status, headers(JSON, error.headers), dumps({"success": False, "error": shown}))


def headers(media_type: str, more: Mapping[str, str]) -> tuple[Header, ...]:
    """Headers as ASGI wants them."""
    return ((b"content-type", media_type.encode("latin-1")), *COMMON, *encoded(more.items()))


def encoded(items: Iterable[tuple[str, str]]) -> list[Header]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in items]


def timestamp(now_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")


def dumps(value: Any) -> bytes:
    """JSON of plain values, attrs instances, enums, sets and paths."""
    return orjson.dumps(value, default=_plain, option=OPTIONS)


def _plain(value: Any) -> Any:
    cls = type(value)
    if attrs.has(cls):
        return {field.name: getattr(value, field.name) for field in attrs.fields(cls)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{cls.__name__} is not JSON")


def _members(data: Any) -> dict[str, Any]:
    plain = _plain(data) if attrs.has(type(data)) else data
    return dict(plain) if isinstance(plain, Mapping) else {}
