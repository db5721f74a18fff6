"""What bodies are made of: JSON, text and images."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from neomind_sdk import MIB, BadRequest, strict_json

MAX_STRING = 2 * MIB
IMAGE_TYPES = frozenset(f"image/{kind}" for kind in ("jpeg", "jpg", "png", "webp", "gif", "bmp"))

Body = tuple[Any, bool]
"""A JSON value, and whether it was JSON on the wire, so that its shape says what it is."""


def json_body(raw: bytes) -> Body:
    value = strict_json.loads(raw)
    if len(raw) > MAX_STRING:
        check_strings(value, "$", lambda text: len(text.encode()) > MAX_STRING, "is longer than 2 MiB")
    if b"\\u0000" in raw:
        check_strings(value, "$", lambda text: "\0" in text, "must not hold NUL")
    return value, True


def text_of(raw: bytes, path: str) -> str:
    """UTF-8 text of at most 2 MiB; raises ``BadRequest`` naming the JSON path it would have."""
    if len(raw) > MAX_STRING:
        raise BadRequest(f"{path} is longer than 2 MiB")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path} is not UTF-8 text") from error
    if "\0" in text:
        raise BadRequest(f"{path} must not hold NUL")
    return text


def data_url(media_type: str, raw: bytes) -> str:
    """An image as text."""
    return f"data:{media_type};base64,{base64.b64encode(raw).decode()}"


def check_strings(value: Any, path: str, wrong: Callable[[str], bool], problem: str) -> None:
    """Raise ``BadRequest`` naming the path of the first string, keys included, that is wrong."""
    if isinstance(value, str) and wrong(value):
        raise BadRequest(f"{path} {problem}")
    if isinstance(value, list):
        for index, item in enumerate(value):
            check_strings(item, f"{path}[{index}]", wrong, problem)
    if isinstance(value, dict):
        for key, item in value.items():
            check_strings(key, f"A key of {path}", wrong, problem)
            check_strings(item, f"{path}.{key}", wrong, problem)
