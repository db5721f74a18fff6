"""JSON as the platform reads it from outside: ``loads(raw)`` raises an ``ApiError`` for anything that is not strict."""

from __future__ import annotations

from typing import Any

import orjson

from neomind_core.contracts import BadRequest

__all__ = ["loads"]


def loads(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error}") from error
