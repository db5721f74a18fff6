"""Bodies of webhooks as JSON values, by their content type."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

from neomind_sdk import ApiError, BadRequest, strict_json

from .errors import UnsupportedType
from .parts import IMAGE_TYPES, Body, data_url, json_body, text_of

MAX_FIELDS = 1000


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
