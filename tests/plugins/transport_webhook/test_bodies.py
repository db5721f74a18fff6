"""Bodies by their content type."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.transport_webhook.bodies import MAX_FIELDS, read_body
from neomind_plugins.transport_webhook.errors import UnsupportedType
from neomind_plugins.transport_webhook.parts import IMAGE_TYPES, MAX_STRING
from neomind_sdk import ApiError, BadRequest
from neomind_sdk.testing.strategies import TEXT, json_values

TYPES = [
    "",
    "application/json",
    "application/json; charset=utf-8",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "text/plain",
    "text/csv",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "image/jpeg",
    "image/svg+xml",
    "video/mp4",
    ";",
]


@given(json_values())
def test_json_is_read_as_it_is(value: Any) -> None:
    raw = json.dumps(value).encode()
    for content_type in ("application/json", "Application/JSON; charset=utf-8"):
        assert read_body(content_type, raw) == (value, True)


@pytest.mark.parametrize("content_type", ["", "application/octet-stream", "text/csv", "text/json"])
@pytest.mark.parametrize(
    ("raw", "expected"), [(b'{"t": 1}', ({"t": 1}, True)), (b"7", (7, True)), (b"{t=1}", ({"text": "{t=1}"}, False))]
)
def test_other_types_are_json_where_they_parse(content_type: str, raw: bytes, expected: Any) -> None:
    assert read_body(content_type, raw) == expected


def test_plain_text_is_text() -> None:
    assert read_body("text/plain; charset=utf-8", "25.5 °C".encode()) == ({"text": "25.5 °C"}, False)
    assert read_body("text/plain", b'{"t": 1}') == ({"text": '{"t": 1}'}, False)


@given(st.dictionaries(TEXT, TEXT, max_size=5))
def test_forms_are_objects_of_text(fields: dict[str, str]) -> None:
    assert read_body("application/x-www-form-urlencoded", urlencode(fields).encode()) == (fields, False)


@pytest.mark.parametrize("media_type", sorted(IMAGE_TYPES))
def test_images_are_data_urls(media_type: str) -> None:
    value, shaped = read_body(media_type.upper(), b"\x00\xff")
    assert (value, shaped) == ({"image": f"data:{media_type};base64,AP8="}, False)


def test_large_images_are_no_strings_of_the_body() -> None:
    content = bytes(MAX_STRING + 1)
    value, _ = read_body("image/png", content)
    assert base64.b64decode(value["image"].partition(",")[2]) == content


@pytest.mark.parametrize("content_type", ["video/mp4", "application/xml", "image/svg+xml", "nonsense"])
def test_other_types_are_refused_by_name(content_type: str) -> None:
    with pytest.raises(UnsupportedType, match=f"'{content_type.replace('+', '.')}' is not accepted") as caught:
        read_body(content_type, b"x")
    assert caught.value.status == 415
    assert "application/json" in str(caught.value.hint)


@pytest.mark.parametrize("raw", [b"{", b"{t:1}", b"[1,]", b"\xff", b"nul"])
def test_json_that_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        read_body("application/json", raw)
    assert caught.value.status == 400


LONG = "x" * (MAX_STRING + 1)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"a": [{"b": LONG}]}, r"\$\.a\[0\]\.b is longer than 2 MiB"),
        (LONG, r"\$ is longer"),
        ({LONG: 1}, r"A key of \$ is longer"),
        ({"a": "ä" * (MAX_STRING // 2 + 1)}, r"\$\.a is longer"),
        ({"a": {"b": "x\0"}}, r"\$\.a\.b must not hold NUL"),
    ],
)
def test_strings_that_are_too_much_are_named_by_their_path(value: Any, path: str) -> None:
    with pytest.raises(BadRequest, match=path):
        read_body("application/json", json.dumps(value).encode())


def test_long_bodies_of_short_strings_are_fine() -> None:
    value = {str(number): "x" * 1000 for number in range(3000)} | {"most": "x" * MAX_STRING}
    assert read_body("application/json", json.dumps(value).encode()) == (value, True)


@pytest.mark.parametrize(
    ("content_type", "raw", "words"),
    [
        ("text/plain", LONG.encode(), r"\$\.text is longer than 2 MiB"),
        ("text/plain", b"\xff", r"\$\.text is not UTF-8 text"),
        ("text/plain", b"a\0", r"\$\.text must not hold NUL"),
        ("", b"\x89PNG\xff", r"\$\.text is not UTF-8 text"),
        ("application/x-www-form-urlencoded", f"a={LONG}".encode(), r"\$\.a is longer than 2 MiB"),
        ("application/x-www-form-urlencoded", b"a=%00", r"\$\.a must not hold NUL"),
        ("application/x-www-form-urlencoded", b"a=%ff", "The form cannot be read"),
        ("application/x-www-form-urlencoded", "ä=1".encode(), "The form cannot be read"),
        ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * (MAX_FIELDS + 1)), "The form cannot be read"),
    ],
)
def test_texts_and_forms_that_cannot_be_read(content_type: str, raw: bytes, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        read_body(content_type, raw)


@given(st.sampled_from(TYPES) | TEXT, st.binary(min_size=1, max_size=200))
def test_anything_is_a_value_or_an_error_for_the_client(content_type: str, raw: bytes) -> None:
    with contextlib.suppress(BadRequest, UnsupportedType):
        read_body(content_type, raw)
