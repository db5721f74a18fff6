"""Strict JSON: what is read is exactly what any other reader would read."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from neomind_core.host.http.strict import MAX_DEPTH, loads
from neomind_sdk import BadRequest, strict_json
from neomind_sdk.testing.strategies import TEXT, json_values


def same(left, right):
    """Equal, and of the same types all the way down."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def nested(depth, opening="[", closing="]"):
    return (opening * depth + closing * depth).encode()


def refused(raw):
    with pytest.raises(BadRequest) as caught:
        loads(raw)
    assert (caught.value.status, caught.value.code) == (400, "BAD_REQUEST")
    return caught.value.message


@given(json_values(), st.booleans(), st.sampled_from([None, 2]))
@example({":": ":", "a": "::"}, True, None)
@example(-(2**63), True, None)
@example(2**63 - 1, True, None)
@example([1e300, -1e300, float(2**63), -float(2**63), 5e-324], True, None)
def test_what_can_be_said_is_read(value, ascii_only, indent):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert same(loads(text.encode()), json.loads(text))


@given(json_values(8), json_values(8), TEXT, st.integers(0, 6))
def test_a_key_twice_is_refused_at_any_depth(first, second, key, depth):
    name = json.dumps(key)
    text = f"{{{name}: {json.dumps(first)}, {name}: {json.dumps(second)}}}"
    for level in range(depth):
        text = f"[0, {text}]" if level % 2 else f'{{"a": {text}}}'
    assert "stands twice" in refused(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        r'{"a": 1, "\u0061": 2}',
        r'{"/": 1, "\/": 2}',
        '{"\N{LATIN SMALL LETTER E WITH ACUTE}": 1, "\\u00e9": 2}',
        r'{"\ud83d\ude00": 1, "😀": 2}',
        '{"": 1, "": 1}',
        '{"a": {"b": 1}, "c": {"b": 1, "b": 1}}',
        '{"a": {"b": 1}, "a": {"c": 1}}',
        '{"a": 1, "a": 1, "x": ":"}',
    ],
)
def test_a_key_twice_however_it_is_written(text):
    assert "stands twice" in refused(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "b": {"a": 1}}',
        '[{"a": 1}, {"a": 1}]',
        '{"a:b": "c:d", "e": ":::"}',
        '{"a": "\\":\\""}',
        '{"e\N{COMBINING ACUTE ACCENT}": 1, "\N{LATIN SMALL LETTER E WITH ACUTE}": 2}',
        '{"a": 1, "A": 2}',
    ],
)
def test_keys_that_are_not_the_same(text):
    assert loads(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    "number", [2**63, 2**64 - 1, 2**64, -(2**63) - 1, -(2**63) - 1000, 10**30, 10**400, -(10**400)]
)
@pytest.mark.parametrize("frame", ["%s", "[%s]", '{"a": [1, {"b": %s}]}'])
def test_integers_beyond_64_bits(number, frame):
    refused((frame % number).encode())


@given(st.integers(-(2**70), 2**70))
def test_integers_are_read_exactly_or_not_at_all(number):
    raw = str(number).encode()
    if -(2**63) <= number < 2**63:
        assert same(loads(raw), number)
    else:
        refused(raw)


@pytest.mark.parametrize(
    "text", ["1e30", "-1e30", "9223372036854775808.0", "1E+19", "-9223372036854775808.0", "1e-400"]
)
def test_large_numbers_that_are_no_integers(text):
    assert same(loads(text.encode()), json.loads(text))


@pytest.mark.parametrize(
    "raw",
    [
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"[1e400]",
        b"-1e400",
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'{"\\ud800": 1}',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\xc0\xaf"',
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        '{"a": 1}'.encode("utf-16-le"),
        b"{} x",
        b"{}{}",
        b"[1] ]",
        b"{}\x00",
        b"",
        b"   ",
        b"{",
        b"[1,]",
        b'{"a":1,}',
        b"{'a': 1}",
        b"{a: 1}",
        b"01",
        b"+1",
        b".5",
        b"1.",
        b"0x10",
        b"tru",
        b"// x\n1",
        b'"a\nb"',
        b'"\x00"',
        b'"\\x41"',
        b"'a'",
    ],
)
def test_what_is_no_strict_json(raw):
    refused(raw)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":[', "]}")])
def test_depth(opening, closing):
    levels = opening.count("[") + opening.count("{")
    loads(nested(MAX_DEPTH // levels, opening, closing))
    assert "deeper than 32" in refused(nested(MAX_DEPTH // levels + 1, opening, closing))


def test_scalars_at_the_last_level():
    loads(b"[" * 32 + b'1, "x"' + b"]" * 32)


@pytest.mark.parametrize("depth", [33, 900, 5000, 1_000_000])
def test_any_depth_is_refused_rather_than_fatal(depth):
    refused(nested(depth))
    refused(b"[" * depth)


def test_long_numbers_are_refused_quickly():
    refused(b"[" + b"1" * 1_000_000 + b"]")
    refused(b"[9223372036854775808, " + b"1" * 300 + b"]")


@given(st.binary(max_size=40))
def test_anything_is_read_or_refused(raw):
    try:
        value = loads(raw)
    except BadRequest:
        return
    assert same(value, json.loads(raw.decode()))


def test_authors_use_the_same_reader():
    assert strict_json.loads is loads
