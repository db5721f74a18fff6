"""From plain values to attrs classes: every problem is named by its path, and nothing is guessed."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Optional, Union

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_core.host.http.structure import prepare, structure, unstructure
from neomind_sdk import ValidationFailed, fields
from neomind_sdk.testing.strategies import json_values

BAD = object()


class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"


class Number(enum.IntEnum):
    ONE = 1
    TWO = 2


class Word(enum.StrEnum):
    LOW = "low"


@attrs.frozen
class Inner:
    name: str = fields.text(min=1)
    unit: str | None = None


@attrs.frozen(kw_only=True)
class Outer:
    id: str
    metrics: list[Inner] = attrs.field(factory=list)
    by_name: dict[str, Inner] = attrs.field(factory=dict)
    best: Inner | None = None
    port: int = fields.number(ge=1, le=65535, default=80)


@attrs.frozen
class Tree:
    value: int
    children: list[Tree] = attrs.field(factory=list)
    left: Tree | None = None


def holder(kind):
    return attrs.make_class("Holder", {"field": attrs.field(type=kind)}, frozen=True)


def read(kind, value, *, text=False):
    try:
        return structure(holder(kind), {"field": value}, text=text).field
    except ValidationFailed:
        return BAD


def problems(cls, values, **more):
    with pytest.raises(ValidationFailed) as caught:
        structure(cls, values, **more)
    assert caught.value.status == 422
    return {detail["field"]: detail["message"] for detail in caught.value.details}


# ---- types ----

VALUES = (None, True, False, 0, 1, 2, -(2**63), 2**63, 10**400, 1.0, 1.5, float("inf"), float("nan"), "", "1", "low")
VALUES += ([], ["a"], [1], {}, {"a": 1}, {"a": "x"})

GOOD = {
    int: [0, 1, 2, -(2**63), 1.0],
    float: [0, 1, 2, -(2**63), 1.0, 1.5],
    str: ["", "1", "low"],
    bool: [True, False],
    type(None): [None],
    Path: ["", "1", "low"],
    Any: VALUES,
    Level: ["low"],
    Number: [1, 2],
    Literal["low", 1]: [1, "low"],
    list: [[], ["a"], [1]],
    tuple: [[], ["a"], [1]],
    list[int]: [[], [1]],
    list[Any]: [[], ["a"], [1]],
    tuple[str, ...]: [[], ["a"]],
    Sequence[str]: [[], ["a"]],
    dict: [{}, {"a": 1}, {"a": "x"}],
    dict[str, int]: [{}, {"a": 1}],
    dict[str, Any]: [{}, {"a": 1}, {"a": "x"}],
    Mapping[str, str]: [{}, {"a": "x"}],
    int | None: [None, 0, 1, 2, -(2**63), 1.0],
    Optional[str]: [None, "", "1", "low"],  # noqa: UP045 - as authors of older code write it
    Union[int, str]: [0, 1, 2, -(2**63), 1.0, "", "1", "low"],  # noqa: UP007
    int | list[int] | None: [None, 0, 1, 2, -(2**63), 1.0, [], [1]],
    bool | dict[str, Any]: [True, False, {}, {"a": 1}, {"a": "x"}],
}


@pytest.mark.parametrize("kind", GOOD, ids=str)
def test_types(kind):
    found = [value for value in VALUES if read(kind, value) is not BAD]
    assert [(type(value), repr(value)) for value in found] == [(type(value), repr(value)) for value in GOOD[kind]]


@pytest.mark.parametrize(
    ("kind", "value", "result"),
    [
        (int, 5.0, 5),
        (tuple[str, ...], ["a"], ("a",)),
        (tuple, ["a"], ("a",)),
        (Sequence[str], ("a",), ["a"]),
        (Path, "a/b", Path("a/b")),
        (Path, Path("a/b"), Path("a/b")),
        (Level, "high", Level.HIGH),
        (Level, Level.HIGH, Level.HIGH),
        (Number, 2, Number.TWO),
        (Word, "low", Word.LOW),
        (Inner, Inner(name="x"), Inner(name="x")),
    ],
)
def test_results(kind, value, result):
    found = read(kind, value)
    assert (type(found), found) == (type(result), result)


@pytest.mark.parametrize("kind", [int, float, Literal[1], Number, int | float, list[int]])
def test_a_boolean_is_no_number(kind):
    assert read(kind, [True] if kind == list[int] else True) is BAD
    assert read(kind, "true", text=True) is BAD


@given(json_values())
def test_anything_stays_what_it_is(value):
    assert read(Any, value) is value


# ---- paths ----


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, {"id": "is required"}),
        ({"id": 5}, {"id": "must be text"}),
        ({"id": "x", "metrics": {}}, {"metrics": "must be an array"}),
        ({"id": "x", "metrics": "ab"}, {"metrics": "must be an array"}),
        ({"id": "x", "metrics": [{}]}, {"metrics[0].name": "is required"}),
        ({"id": "x", "metrics": [{"name": "a"}, {"name": " "}]}, {"metrics[1].name": "must not be blank"}),
        ({"id": "x", "metrics": [None]}, {"metrics[0]": "must be an object"}),
        ({"id": "x", "by_name": {"a.b": {"name": 1}}}, {"by_name.a.b.name": "must be text"}),
        ({"id": "x", "best": {"unit": 1}}, {"best.name": "is required", "best.unit": "must be text"}),
        ({"id": "x", "port": 0}, {"port": "must be at least 1"}),
        ({"id": "x", "port": 65536}, {"port": "must be at most 65535"}),
        ({"id": 1, "port": "a", "metrics": [{}]}, {"id": ..., "port": ..., "metrics[0].name": ...}),
        ([], {"body": "must be an object"}),
        (None, {"body": "must be an object"}),
        ("text", {"body": "must be an object"}),
    ],
)
def test_every_field_at_fault_is_named(values, found):
    told = problems(Outer, values)
    assert set(told) == set(found)
    assert all(text in (told[path], ...) for path, text in found.items())


def test_a_body_full_of_mistakes_is_answered_in_short():
    assert list(problems(Outer, {"id": "x", "metrics": [None] * 100_000})) == [f"metrics[{at}]" for at in range(100)]


def test_a_mistake_far_inside_is_found_at_once():
    value = {"value": "x"}
    for _ in range(200):
        value = {"value": 1, "children": [value], "left": None}
    assert list(problems(Tree, value)) == ["children[0]." * 200 + "value"]


def test_validators_of_several_fields():
    @attrs.frozen
    class Both:
        a: int = fields.number(ge=1)
        b: str = fields.text(max=2)

    assert set(problems(Both, {"a": 0, "b": "long"})) == {"a", "b"}


def test_checks_across_fields_are_about_the_whole():
    @attrs.frozen
    class Window:
        start: int
        end: int

        def __attrs_post_init__(self):
            if self.end < self.start:
                raise ValueError("end is before start")

    assert problems(Window, {"start": 2, "end": 1}) == {"body": "end is before start"}
    assert problems(Window, {"start": "2", "end": "1"}, text=True) == {"query": "end is before start"}


def test_validators_of_attrs_itself():
    @attrs.frozen
    class Old:
        a: Any = attrs.field(validator=attrs.validators.instance_of(int))
        b: Any = attrs.field(default=1, validator=attrs.validators.ge(1))

    found = problems(Old, {"a": "x", "b": 0})
    assert set(found) == {"a", "b"}
    assert found["a"].startswith("'a' must be <class 'int'>")


def test_unknown_keys_are_ignored_and_defaults_apply():
    assert structure(Outer, {"id": "x", "zzz": 1}) == Outer(id="x")
    assert structure(Outer, {"id": "x", "best": None}).best is None


def test_fields_that_are_not_for_the_outside():
    @attrs.frozen
    class Made:
        a: int
        b: int = attrs.field(init=False, default=7)

    assert structure(Made, {"a": 1, "b": 2}) == Made(1)


def test_a_class_that_contains_itself():
    prepare(Tree)
    found = structure(Tree, {"value": 1, "children": [{"value": 2, "children": [{"value": 3}]}], "left": {"value": 4}})
    assert found == Tree(1, [Tree(2, [Tree(3)])], Tree(4))
    values = {"value": 1, "children": [{"value": 2, "left": {"value": "x"}}]}
    assert problems(Tree, values) == {"children[0].left.value": "must be an integer"}


def test_types_that_cannot_be_read_are_found_early():
    broken = attrs.make_class("Broken", {"a": attrs.field(type="NoSuchType")})
    for _ in range(2):
        with pytest.raises(NameError):
            prepare(broken)


# ---- text ----


@pytest.mark.parametrize(
    ("kind", "value", "result"),
    [
        (int, "5", 5),
        (int, " -5 ", -5),
        (int, "9223372036854775807", 2**63 - 1),
        (int, "9223372036854775808", BAD),
        (int, "9" * 5000, BAD),
        (int, "5.5", BAD),
        (int, "1_000", BAD),
        (int, "٣", BAD),
        (int, "0x10", BAD),
        (int, "", BAD),
        (int, "null", BAD),
        (float, "1.5", 1.5),
        (float, "1e3", 1000.0),
        (float, "1e400", BAD),
        (float, "nan", BAD),
        (float, "Infinity", BAD),
        (float, "1_0.0", BAD),
        (bool, "true", True),
        (bool, "ON", True),
        (bool, "0", False),
        (bool, "no", False),
        (bool, "", BAD),
        (bool, "2", BAD),
        (bool, True, True),
        (str, "5", "5"),
        (str, " x ", " x "),
        (int | None, "5", 5),
        (int | None, None, None),
        (int | str, "5", 5),
        (int | str, "five", "five"),
        (list[int], ["1", "2"], [1, 2]),
        (list[int], ["1", "x"], BAD),
        (Literal[1, 2], "2", 2),
        (Literal["a"], "a", "a"),
        (Number, "2", Number.TWO),
        (Level, "low", Level.LOW),
        (Level, "LOW", BAD),
    ],
)
def test_texts(kind, value, result):
    found = read(kind, value, text=True)
    assert found is BAD if result is BAD else (type(found), found) == (type(result), result)


@given(st.text())
def test_any_text_is_read_or_refused(text):
    for kind in (int, float, bool, int | None, list[int], Level, Literal[1], Tree):
        read(kind, text, text=True)


def test_text_is_no_number_in_a_body():
    assert read(int, "5") is BAD
    assert read(bool, "true") is BAD
    assert read(float, "1.5") is BAD


# ---- and back ----


def test_unstructure():
    value = Outer(id="x", metrics=[Inner(name="a")], by_name={"b": Inner(name="b", unit="C")})
    inner = {"name": "a", "unit": None}
    plain = {"id": "x", "metrics": [inner], "by_name": {"b": {"name": "b", "unit": "C"}}, "best": None, "port": 80}
    assert unstructure(value) == plain
    assert structure(Outer, plain) == value
    assert unstructure({"a": (Level.LOW, {1}), "b": Path("x")}) == {"a": ["low", [1]], "b": Path("x")}
