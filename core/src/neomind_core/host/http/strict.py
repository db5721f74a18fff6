"""JSON as it is read from outside, strictly: what one reader takes one way, no other may take another way.

UTF-8, no NaN or Infinity, no duplicate keys, integers of 64 bits, at most ``MAX_DEPTH`` levels.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from ...contracts import BadRequest

MAX_DEPTH = 32
INT64 = 2**63


def loads(raw: bytes) -> Any:
    """The value of a JSON text; raises ``BadRequest`` for anything that is not strict JSON."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not valid JSON: {error}") from None
    keys, suspicious = _walk(value)
    # Each key has a colon behind it, so a text with as many colons as keys left has no duplicate among them.
    if suspicious or raw.count(b":") != keys:
        _check_closely(raw)
    return value


def _walk(value: Any) -> tuple[int, bool]:
    """How many keys there are, and whether a number may be an integer beyond 64 bits."""
    keys, suspicious, level, depth = 0, False, [value], 0
    while level:
        depth += 1
        inner: list[Any] = []
        for item in level:
            kind = type(item)
            if kind is dict:
                keys += len(item)
                inner += item.values()
            elif kind is list:
                inner += item
            elif kind is int or kind is float:
                # Integers beyond 64 bits arrive as floats; the first of them below rounds to -2**63 itself.
                suspicious = suspicious or not -INT64 < item < INT64
        if depth > MAX_DEPTH and any(type(item) in (dict, list) for item in level):
            raise BadRequest(f"The body is nested deeper than {MAX_DEPTH} levels")
        level = inner
    return keys, suspicious


def _check_closely(raw: bytes) -> None:
    json.loads(raw.decode(), object_pairs_hook=_no_duplicates, parse_int=_int64)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise BadRequest(f"The body is not strict JSON: the key {json.dumps(key)} stands twice in one object")
        seen.add(key)


def _int64(text: str) -> int:
    # Longer ones would take quadratic time to read.
    if len(text) > 20 or not -INT64 <= int(text) < INT64:
        raise BadRequest("The body is not strict JSON: an integer does not fit into 64 bits")
    return int(text)
