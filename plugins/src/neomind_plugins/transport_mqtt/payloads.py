"""What is in a message."""

from __future__ import annotations

from typing import Any

from neomind_sdk import ApiError, fields, strict_json


def decode(payload: bytes) -> Any:
    """The JSON value, else the text, else the bytes as they are."""
    try:
        return strict_json.loads(payload)
    except ApiError:
        pass
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return payload
    return text if fields.clean(text) else payload
