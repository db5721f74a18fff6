"""Multipart bodies."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.transport_webhook.bodies import read_body
from neomind_plugins.transport_webhook.errors import UnsupportedType
from neomind_plugins.transport_webhook.multipart import FIRST_IMAGE_NAMES, MAX_PARTS
from neomind_plugins.transport_webhook.parts import data_url
from neomind_sdk import ApiError, BadRequest

BOUNDARY = "b0undary"
CONTENT_TYPE = f'Multipart/Form-Data; boundary="{BOUNDARY}"'
PICTURE = b"\xff\xd8\xff\r\n--almost\x00"
URL = data_url("image/jpeg", PICTURE)
ALIASES = dict.fromkeys(FIRST_IMAGE_NAMES, URL)


def part(content: bytes | str, name: str | None = None, kind: str | None = None, file: str | None = None) -> bytes:
    disposition = "form-data" + (f'; name="{name}"' if name is not None else "")
    disposition += f'; filename="{file}"' if file is not None else ""
    head = f"Content-Disposition: {disposition}\r\n" + (f"Content-Type: {kind}\r\n" if kind else "")
    return head.encode() + b"\r\n" + (content if isinstance(content, bytes) else content.encode())


def body(*parts: bytes, end: str = "--\r\n") -> bytes:
    lines = b"".join(f"--{BOUNDARY}\r\n".encode() + one + b"\r\n" for one in parts)
    return lines + f"--{BOUNDARY}{end}".encode()


def read(*parts: bytes) -> Any:
    value, shaped = read_body(CONTENT_TYPE, body(*parts))
    assert not shaped
    return value


def as_json(value: Any, name: str | None = None, kind: str | None = "application/json") -> bytes:
    return part(json.dumps(value), name, kind)


@pytest.mark.parametrize("name", ["metadata", "meta", "payload"])
def test_the_named_json_part_is_the_base(name: str) -> None:
    assert read(as_json({"a": 1, "b": 1}, "first"), as_json({"a": 2}, name, None)) == {"a": 2, "b": 1}


def test_else_the_first_json_part_is_the_base_and_what_is_there_wins() -> None:
    assert read(as_json({"a": 1}), as_json({"a": 2, "b": 3}, "x"), part("9", "a")) == {"a": 1, "b": 3}


def test_json_that_is_no_object_is_kept_under_its_name() -> None:
    assert read(as_json([1], "list"), as_json(5)) == {"list": [1], "json": 5}


def test_texts_are_kept_under_their_name() -> None:
    assert read(part("25.5", "t"), part("free", None, "text/plain"), part("{", "meta")) == {
        "t": "25.5",
        "text": "free",
        "meta": "{",
    }


def test_the_first_image_is_also_where_cameras_types_look() -> None:
    assert read(part(PICTURE, "shot", "image/jpeg")) == {"shot": URL, **ALIASES}


def test_names_that_are_taken_are_left_alone() -> None:
    found = read(as_json({"frame": 25, "snapshot": None}), part(PICTURE, "shot", "image/jpeg"))
    assert found == {**ALIASES, "shot": URL, "frame": 25, "snapshot": None}


def test_images_without_a_name_are_numbered() -> None:
    other = data_url("image/png", b"2")
    found = read(*(part(content, None, kind) for content, kind in ((PICTURE, "image/jpeg"), (b"2", "image/png"))))
    assert found == {"image": URL, "image_2": other, **ALIASES}
    assert set(read(*[part(b"x", "shot", "image/gif")] * 3)) == {"shot", "shot_2", "shot_3", *ALIASES}


@pytest.mark.parametrize("kind", [None, "application/octet-stream"])
def test_files_are_known_by_their_extension(kind: str | None) -> None:
    assert read(part(PICTURE, "shot", kind, "a.b.JPG"))["shot"] == URL


@pytest.mark.parametrize(
    ("content_type", "raw", "status", "words"),
    [
        ("multipart/form-data", body(), 400, "boundary"),
        ("multipart/form-data; boundary=", body(), 400, "boundary"),
        (f"multipart/form-data; boundary={'x' * 71}", body(), 400, "boundary"),
        ('multipart/form-data; boundary="a b"', body(), 400, "boundary"),
        (CONTENT_TYPE, b"no parts at all", 400, "malformed"),
        (CONTENT_TYPE, body(part("1", "a"), end="")[:-2], 400, "ends before its last boundary"),
        (CONTENT_TYPE, body(part("1", "a"), end=""), 400, "ends before its last boundary"),
        (CONTENT_TYPE, body(b"Bad Header\r\n\r\n1"), 400, "malformed"),
        (CONTENT_TYPE, body(*[part("1", "a")] * (MAX_PARTS + 1)), 400, "at most 63 parts"),
        (CONTENT_TYPE, body(part("{", "a", "application/json")), 400, "JSON"),
        (CONTENT_TYPE, body(part(b"\xff", "a")), 400, r"\$\.a is not UTF-8"),
        (CONTENT_TYPE, body(part(b"x" * (2 * 2**20 + 1), "a")), 400, r"\$\.a is longer than 2 MiB"),
        (CONTENT_TYPE, body(part(b"x", "clip", "video/mp4")), 415, "Part 'clip' of type 'video/mp4'"),
    ],
)
def test_bodies_that_cannot_be_read(content_type: str, raw: bytes, status: int, words: str) -> None:
    with pytest.raises(ApiError, match=words) as caught:
        read_body(content_type, raw)
    assert caught.value.status == status


def test_as_many_parts_as_are_allowed() -> None:
    assert len(read(*(part("1", f"n{number}") for number in range(MAX_PARTS)))) == MAX_PARTS


def test_a_body_without_parts_is_empty() -> None:
    assert read_body(CONTENT_TYPE, f"--{BOUNDARY}--\r\n".encode()) == ({}, False)


@given(st.binary(max_size=300), st.lists(st.binary(max_size=60), max_size=4))
def test_anything_is_a_value_or_an_error_for_the_client(raw: bytes, parts: list[bytes]) -> None:
    for content in (raw, body(*parts), body(raw, *parts)[:-3]):
        with contextlib.suppress(BadRequest, UnsupportedType):
            read_body(CONTENT_TYPE, content)
