"""Bodies of webhooks as JSON values, by their content type."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from neomind_sdk import MIB, ApiError, BadRequest, strict_json

from .errors import UnsupportedType

MAX_STRING = 2 * MIB
MAX_FIELDS = 1000
IMAGE_TYPES = frozenset(f"image/{kind}" for kind in ("jpeg", "jpg", "png", "webp", "gif", "bmp"))

Body = tuple[Any, bool]
"""A JSON value, and whether it was JSON on the wire, so that its shape says what it is."""


def read_body(content_type: str, raw: bytes) -> Body:
    """A body that is not empty; ``content_type`` is the whole header.

    Raises ``BadRequest`` for what does not fit its type, and ``UnsupportedType``.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    reader = READERS.get(media_type)
    if reader is not None:
        return reader(raw)
    if media_type == "multipart/form-data":
        from .multipart import read_multipart

        return read_multipart(content_type, raw), False
    if media_type in IMAGE_TYPES:
        return {"image": data_url(media_type, raw)}, False
    if media_type.startswith("text/"):
        return json_or_text(raw)
    raise UnsupportedType(media_type)


def json_body(raw: bytes) -> Body:
    value = strict_json.loads(raw)
    if len(raw) > MAX_STRING:
        check_strings(value, "$", lambda text: len(text.encode()) > MAX_STRING, "is longer than 2 MiB")
    if b"\\u0000" in raw:
        check_strings(value, "$", lambda text: "\0" in text, "must not hold NUL")
    return value, True


def json_or_text(raw: bytes) -> Body:
    try:
        strict_json.loads(raw)
    except ApiError:
        return text_body(raw)
    return json_body(raw)


def text_body(raw: bytes) -> Body:
    return {"text": text_of(raw, "$.text")}, False


def form_body(raw: bytes) -> Body:
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise BadRequest(f"The form cannot be read: {error}") from error
    return {key: text_of(value.encode(), f"$.{key}") for key, value in pairs}, False


READERS: dict[str, Callable[[bytes], Body]] = {
    "": json_or_text,
    "application/json": json_body,
    "application/octet-stream": json_or_text,
    "application/x-www-form-urlencoded": form_body,
    "text/plain": text_body,
}


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
