"""What JSON has no words for, in plain values."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import attrs


def plain(value: Any) -> Any:
    """The ``default`` of the JSON encoder: never refuses, because an event must not fail over one odd value."""
    if isinstance(value, bytes | bytearray | memoryview):
        return b64encode(value).decode()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    if attrs.has(type(value)):
        return {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}
    return str(value)
