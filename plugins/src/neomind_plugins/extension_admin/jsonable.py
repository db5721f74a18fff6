"""What plugins hand over goes out as JSON: only what is JSON, or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

MAX_BYTES = 16 * 1024 * 1024


class NotJson(ValueError):
    """The message says why."""


def plain(value: Any) -> Any:
    """A copy of ``value`` of nothing but JSON types; raises ``NotJson``, for a NaN too."""
    try:
        text = json.dumps(value, allow_nan=False)
        if len(text) <= MAX_BYTES:
            copy = orjson.loads(text)
            # The envelope has some levels of its own, and the depth that can be written is limited.
            orjson.dumps([[[[copy]]]])
            return copy
    except (TypeError, ValueError, RecursionError) as error:
        raise NotJson(f"the answer is not JSON: {error}") from error
    except Exception as error:  # a mapping or a key of the plugin's own may raise anything
        raise NotJson(f"the answer cannot be read: {type(error).__name__}: {error}") from error
    raise NotJson(f"the answer is larger than {MAX_BYTES} bytes")


def shown(value: Mapping[str, Any]) -> dict[str, Any]:
    """A schema or a configuration for a list; empty when it is not a JSON object, so that one spoils no list."""
    try:
        copy = plain(dict(value))
    except (NotJson, TypeError, ValueError):
        return {}
    return copy if isinstance(copy, dict) else {}
