"""The one shape of every answer: ``{"success", "data", "meta"}`` or ``{"success", "error"}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import attrs
import orjson

from ...contracts import JSON, ApiError, Raw, Reply

Header = tuple[bytes, bytes]
_random = Random()  # of its own: whoever seeds the common one must not make ids repeat
OPTIONS = orjson.OPT_NON_STR_KEYS
COMMON: Mapping[bytes, bytes] = {b"x-content-type-options": b"nosniff"}
# How long a body is, is said by whoever sends it.
FRAMING = frozenset({b"content-length", b"transfer-encoding"})
FIELD_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
FIELD_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")


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
    return Answer(_checked(status if reply.status is None else reply.status), headers(JSON, reply.headers), dumps(body))


def failure(error: ApiError, *, request_id: str) -> Answer:
    """The envelope of an error."""
    shown: dict[str, Any] = {"code": error.code, "message": error.message, "request_id": request_id}
    if error.hint:
        shown["hint"] = error.hint
    if error.details is not None:
        shown["details"] = error.details
    body = dumps({"success": False, "error": shown})
    return Answer(_checked(error.status), headers(JSON, error.headers), body)


def refused(error: ApiError, request_id: str, log: Any) -> Answer:
    """The envelope of an error, even of one that holds what no envelope can."""
    try:
        return failure(error, request_id=request_id)
    except (TypeError, ValueError):
        log.exception("error_is_not_json", code=str(error.code), request_id=request_id)
        return failure(internal(request_id), request_id=request_id)


def internal(request_id: str) -> ApiError:
    """What a client is told of a mistake that is ours; the log says more."""
    return ApiError("INTERNAL_ERROR", f"Something went wrong inside; the log has it under {request_id}")


def outside(raw: Raw) -> Answer:
    """An answer without an envelope."""
    head, status = headers(raw.media_type, raw.headers), _checked(raw.status)
    if isinstance(raw.content, bytes):
        return Answer(status, head, raw.content)
    if not hasattr(raw.content, "__aiter__"):
        raise TypeError(f"Raw.content is a {type(raw.content).__name__}, bytes or an async iterator are wanted")
    return Answer(status, head, stream=raw.content)


def _checked(status: int) -> int:
    """Raise ``ValueError`` for a status that no server could send as an answer."""
    if not 200 <= status <= 599:
        raise ValueError(f"{status!r} is no status of an answer")
    return status


def headers(media_type: str, more: Mapping[str, str]) -> tuple[Header, ...]:
    """Headers as ASGI wants them, each once; raises ``ValueError`` for what would break the message."""
    return _joined(media_type, more) if more else _alone(media_type)


@lru_cache(maxsize=64)
def _alone(media_type: str) -> tuple[Header, ...]:
    return _joined(media_type, {})


def _joined(media_type: str, more: Mapping[str, str]) -> tuple[Header, ...]:
    found = {b"content-type": media_type.encode("latin-1"), **COMMON}
    for name, value in more.items():
        found[name.lower().encode("latin-1")] = value.encode("latin-1")
    for key, text in found.items():
        if not FIELD_NAME.fullmatch(key) or not FIELD_VALUE.fullmatch(text):
            raise ValueError(f"{key!r}: {text!r} is no header")
    return tuple((key, text) for key, text in found.items() if key not in FRAMING)


def timestamp(now_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    seconds, ms = divmod(now_ms, 1000)
    return f"{_second(seconds)}.{ms:03d}+00:00"


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class _Ids:
    """UUIDs of version 4 that share their first half for a while. They name requests and protect nothing."""

    EACH = 1 << 12

    def __init__(self) -> None:
        self._start = self._turn = 0
        self._beginning = ""

    def __call__(self) -> str:
        turn = self._turn
        if not turn:
            digits = f"{_random.getrandbits(128):032x}"
            variant = "89ab"[int(digits[16], 16) & 3]
            self._beginning = f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-"
            self._start = _random.getrandbits(47)
        self._turn = (turn + 1) % self.EACH
        return f"{self._beginning}{self._start + turn:012x}"


new_id = _Ids()


def dumps(value: Any) -> bytes:
    """JSON of plain values, attrs instances, enums, sets and paths; NaN and infinities become ``null``.

    Raises ``TypeError`` for anything else, integers beyond 64 bits and unpaired surrogates among them.
    """
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
