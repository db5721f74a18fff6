"""Multipart bodies: a JSON part, images, further fields, all put together into one object."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING, Any

import attrs
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from neomind_sdk import ApiError, BadRequest, strict_json

from .errors import UnsupportedType
from .parts import IMAGE_TYPES, data_url, json_body, text_of

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_PARTS = 63
BASE_NAMES = ("metadata", "meta", "payload")
FIRST_IMAGE_NAMES = ("__webhook_image", "image_data", "frame", "snapshot")
"""Where cameras' types look for the picture, whatever the part was called."""
JSON = "application/json"
_EXTENSIONS = {kind.removeprefix("image/"): kind for kind in IMAGE_TYPES} | {"jpg": "image/jpeg"}
# RFC 2046, section 5.1.1, without the space.
_BOUNDARY = re.compile(rb"[A-Za-z0-9'()+_,./:=?-]{1,70}")


@attrs.define(eq=False)
class Part:
    """One part; ``name`` is empty when it has none."""

    headers: dict[str, bytes] = attrs.field(factory=dict)
    content: bytearray = attrs.field(factory=bytearray)
    name: str = ""
    media_type: str = ""

    def read_headers(self) -> None:
        """Find name and type; a file that does not say its type is known by its extension."""
        _, options = parse_options_header(self.headers.get("content-disposition", b""))
        self.name = options.get(b"name", b"").decode(errors="replace").replace("\0", "")
        kind, _ = parse_options_header(self.headers.get("content-type", b""))
        self.media_type = kind.decode(errors="replace")
        if self.media_type in ("", "application/octet-stream"):
            extension = options.get(b"filename", b"").decode(errors="replace").rpartition(".")[2].lower()
            self.media_type = _EXTENSIONS.get(extension, self.media_type)


def read_multipart(content_type: str, raw: bytes) -> dict[str, Any]:
    """All parts as one object; raises ``BadRequest`` and ``UnsupportedType``."""
    parts = split_parts(boundary_of(content_type), raw)
    base = base_part(parts)
    result: dict[str, Any] = json_body(bytes(base.content))[0] if base else {}
    images = [part for part in parts if part.media_type in IMAGE_TYPES]
    for part in parts:
        if part is not base and part not in images:
            add(result, part)
    add_images(result, images)
    return result


def boundary_of(content_type: str) -> bytes:
    """The boundary of the header; raises ``BadRequest`` unless it has 1 to 70 safe characters."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not _BOUNDARY.fullmatch(boundary):
        raise BadRequest("The multipart boundary must have 1 to 70 safe characters")
    return boundary


def split_parts(boundary: bytes, raw: bytes) -> list[Part]:
    """The parts in order; raises ``BadRequest`` for a malformed or incomplete body, and for too many parts."""
    collector = Collector()
    try:
        MultipartParser(boundary, collector.callbacks()).write(raw)
    except FormParserError as error:
        raise BadRequest(f"The multipart body is malformed: {error}") from error
    if not collector.complete:
        raise BadRequest("The multipart body ends before its last boundary")
    return collector.parts


@attrs.define
class Collector:
    """Gathers what the parser finds."""

    parts: list[Part] = attrs.field(factory=list)
    complete: bool = False
    _field: bytearray = attrs.field(factory=bytearray)
    _value: bytearray = attrs.field(factory=bytearray)

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self.begin,
            "on_part_data": lambda data, start, end: self.parts[-1].content.extend(data[start:end]),
            "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self.header_end,
            "on_headers_finished": self.headers_finished,
            "on_end": self.end,
        }

    def begin(self) -> None:
        if len(self.parts) == MAX_PARTS:
            raise BadRequest(f"A multipart body may have at most {MAX_PARTS} parts")
        self.parts.append(Part())

    def header_end(self) -> None:
        self.parts[-1].headers[bytes(self._field).decode("latin-1").lower()] = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def headers_finished(self) -> None:
        self.parts[-1].read_headers()

    def end(self) -> None:
        self.complete = True


def base_part(parts: list[Part]) -> Part | None:
    """The part whose object the others are added to: one named for it, else the first JSON part."""
    named = [part for name in BASE_NAMES for part in parts if part.name == name]
    for part in (*named, *(part for part in parts if part.media_type == JSON)):
        if part.media_type in ("", "text/plain", JSON) and isinstance(quiet_json(part), dict):
            return part
    return None


def quiet_json(part: Part) -> Any:
    """The JSON value of a part; ``None`` when it is not JSON."""
    try:
        return strict_json.loads(bytes(part.content))
    except ApiError:
        return None


def add(result: dict[str, Any], part: Part) -> None:
    """Add a part that is no image; what is there already wins."""
    if part.media_type == JSON:
        value, _ = json_body(bytes(part.content))
        for key, item in value.items() if isinstance(value, dict) else ((part.name or "json", value),):
            result.setdefault(key, item)
    elif part.media_type == "" or part.media_type.startswith("text/"):
        name = part.name or "text"
        result.setdefault(name, text_of(bytes(part.content), f"$.{name}"))
    else:
        raise UnsupportedType(part.media_type, f"Part '{part.name}'")


def add_images(result: dict[str, Any], images: list[Part]) -> None:
    """Add images under their names; the first one also under the names that cameras' types look for."""
    pictures = [data_url(part.media_type, bytes(part.content)) for part in images]
    for part, picture in zip(images, pictures, strict=True):
        result[free_name(result, part.name or "image")] = picture
    for alias in FIRST_IMAGE_NAMES if pictures else ():
        result.setdefault(alias, pictures[0])


def free_name(taken: dict[str, Any], name: str) -> str:
    """``name``, or ``name_2``, ``name_3`` … when that is taken."""
    if name not in taken:
        return name
    return next(other for number in count(2) if (other := f"{name}_{number}") not in taken)
