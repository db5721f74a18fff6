"""From what people write to what a parameter is declared to be."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.commands.coercion import Unfit, coerce
from neomind_sdk import DATA_TYPES, ParamDef
from neomind_sdk.testing.strategies import FINITE, INT64, TEXT, json_values

NAN, INFINITY = float("nan"), float("inf")


def as_type(data_type: str, value: Any, **more: Any) -> Any:
    return coerce(ParamDef(name="p", data_type=data_type, **more), value)


@pytest.mark.parametrize(
    ("data_type", "value", "expected"),
    [
        ("integer", 5, 5),
        ("integer", 5.0, 5),
        ("integer", " -7 ", -7),
        ("integer", "+7", 7),
        ("integer", -(2**63), -(2**63)),
        ("float", 5, 5.0),
        ("float", "2.5", 2.5),
        ("float", " 1e3 ", 1000.0),
        ("float", ".5", 0.5),
        ("boolean", True, True),
        ("boolean", "Yes", True),
        ("boolean", " on ", True),
        ("boolean", "1", True),
        ("boolean", "OFF", False),
        ("boolean", "0", False),
        ("boolean", "no", False),
        ("string", "x", "x"),
        ("string", 5, "5"),
        ("string", True, "true"),
        ("string", 2.5, "2.5"),
        ("string", [1, {"a": None}], '[1,{"a":null}]'),
        ("enum", 1, "1"),
        ("binary", "AAEC", "AAEC"),
        ("array", [1, "a", None], [1, "a", None]),
        ("array", (), []),
    ],
)
def test_what_is_taken(data_type: str, value: Any, expected: Any) -> None:
    found = as_type(data_type, value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("data_type", "value"),
    [
        ("integer", 5.5),
        ("integer", "5.0"),
        ("integer", "five"),
        ("integer", ""),
        ("integer", "1_000"),
        ("integer", "٣"),
        ("integer", True),
        ("integer", [5]),
        ("integer", 2**63),
        ("integer", "9" * 19),
        ("integer", "9" * 5000),
        ("integer", NAN),
        ("integer", INFINITY),
        ("float", "nan"),
        ("float", "inf"),
        ("float", "1e999"),
        ("float", "1_0"),
        ("float", NAN),
        ("float", -INFINITY),
        ("float", False),
        ("float", {}),
        ("float", "9" * 100_000),
        ("boolean", 1),
        ("boolean", 0),
        ("boolean", "maybe"),
        ("boolean", []),
        ("array", "[1]"),
        ("array", {"a": 1}),
        ("string", NAN),
    ],
)
def test_what_is_refused(data_type: str, value: Any) -> None:
    with pytest.raises(Unfit, match="must"):
        as_type(data_type, value)


@pytest.mark.parametrize("data_type", DATA_TYPES)
def test_null_is_refused_unless_it_is_allowed(data_type: str) -> None:
    with pytest.raises(Unfit, match="null"):
        as_type(data_type, None)
    assert as_type(data_type, None, allowed_values=(None,)) is None


def test_elements_of_arrays() -> None:
    assert as_type("array", ["1", 2.0], element_type="integer") == [1, 2]
    assert as_type("array", [[1], []], element_type="array") == [[1], []]
    with pytest.raises(Unfit, match="element 1: must be an integer"):
        as_type("array", [1, "x"], element_type="integer")
    with pytest.raises(Unfit, match="element 0"):
        as_type("array", [None], element_type="string")


@given(st.sampled_from(DATA_TYPES), st.none() | st.sampled_from(DATA_TYPES[:4]), json_values())
def test_what_was_coerced_stays_what_it_is(data_type: str, element_type: str | None, value: Any) -> None:
    """And it is of the type, and goes through JSON unharmed; whatever comes in is taken or refused."""
    kinds = {"integer": int, "float": float, "boolean": bool, "array": list}
    try:
        first = as_type(data_type, value, element_type=element_type)
    except Unfit:
        return
    assert type(first) is kinds.get(data_type, str)
    for again in (as_type(data_type, first, element_type=element_type), orjson.loads(orjson.dumps(first))):
        assert again == first
        assert type(again) is type(first)


@given(INT64)
def test_integers_as_text(number: int) -> None:
    assert as_type("integer", str(number)) == number


@given(FINITE)
def test_numbers_as_text(number: float) -> None:
    assert as_type("float", repr(number)) == number


@given(TEXT)
def test_texts_are_what_they_are(text: str) -> None:
    assert as_type("string", text) == text
