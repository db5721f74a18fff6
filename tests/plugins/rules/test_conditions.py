"""Conditions: operators, what they make of values, closures against a naive interpreter, JSON there and back."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.rules import conditions, operators
from neomind_plugins.rules.compiling import compiled
from neomind_plugins.rules.unfit import Unfit
from neomind_sdk.testing import strategies

from .conftest import leaf, logic

WORDS = [
    (">", ["greater_than", "gt", ">", "GREATER_THAN", " Gt "]),
    ("<", ["less_than", "lt", "<"]),
    (">=", ["greater_equal", "gte", "greater_than_or_equal", ">="]),
    ("<=", ["less_equal", "lte", "less_than_or_equal", "<="]),
    ("==", ["equal", "eq", "=="]),
    ("!=", ["not_equal", "ne", "!="]),
    ("contains", ["contains", "Contains"]),
    ("starts_with", ["starts_with", "startswith"]),
    ("ends_with", ["ends_with", "endswith"]),
    ("regex", ["regex", "matches", "REGEX"]),
]


@pytest.mark.parametrize(("symbol", "word"), [(symbol, word) for symbol, words in WORDS for word in words])
def test_operators_are_symbols_inside(symbol: str, word: str) -> None:
    condition = conditions.read(leaf(operator=word))
    assert isinstance(condition, conditions.Comparison)
    assert condition.operator == symbol
    assert conditions.shown(condition)["operator"] == symbol


# value, operator, threshold, threshold_value, whether it holds
TABLE: list[tuple[Any, str, Any, str | None, bool]] = [
    (31, ">", 30, None, True),
    (30, ">", 30, None, False),
    (30, ">=", 30, None, True),
    (29.5, "<", 30, None, True),
    (30, "<=", 30, None, True),
    (30.00005, "==", 30, None, True),
    (30.0002, "==", 30, None, False),
    (30.00005, "!=", 30, None, False),
    (30.0002, "!=", 30, None, True),
    (True, "==", 1, None, True),
    (True, "==", True, None, True),
    (False, "==", False, None, True),
    (True, ">", 0, None, True),
    (0, "==", False, None, True),
    (2**62, ">", 2**61, None, True),
    # Text satisfies no comparison of size, numbers none of text.
    ("31", ">", 30, None, False),
    ("31", "<", 30, None, False),
    ("31", ">=", 30, None, False),
    ("31", "<=", 30, None, False),
    (31, "contains", 3, "3", False),
    (31, "starts_with", 3, "3", False),
    (31, "ends_with", 3, "1", False),
    (31, "regex", 3, "3", False),
    # Text against the text, or against the number's decimal text.
    ("on", "==", 0, "on", True),
    ("On", "==", 0, "on", False),
    ("off", "!=", 0, "on", True),
    ("30", "==", 30, None, True),
    ("30", "==", 30.0, None, True),
    ("30.5", "==", 30.5, None, True),
    ("30.0", "==", 30, None, False),
    ("1", "==", True, None, True),
    ("error: 7", "contains", 0, "error", True),
    ("error 7", "contains", 7, None, True),
    ("error: 7", "starts_with", 0, "err", True),
    ("error: 7", "ends_with", 0, "7", True),
    ("error: 7", "regex", 0, r"\d$", True),
    ("error: 7", "regex", 0, r"^\d", False),
    ("error: 7", "regex", 0, "(", False),
    # Only a text as threshold: numbers compare with the number that it is.
    (30, "==", None, "30", True),
    (0, "==", None, "on", False),
    (0, "!=", None, "on", True),
    (0, "==", 0, "on", True),
    # JSON is its text.
    ({"a": 1}, "==", 0, '{"a":1}', True),
    ([1, 2], "contains", 0, "1,2", True),
    ({"a": 1}, ">", 0, None, False),
]


@pytest.mark.parametrize(("value", "operator", "threshold", "text", "holds"), TABLE)
def test_what_operators_make_of_values(
    value: Any, operator: str, threshold: Any, text: str | None, holds: bool
) -> None:
    given_ = {"threshold": threshold, "threshold_value": text}
    members = {name: each for name, each in given_.items() if each is not None}
    body = {"condition_type": "comparison", "source": "device:d:m", "operator": operator, **members}
    condition = conditions.read(body)
    assert condition is not None
    assert compiled(condition).check({"device:d:m": operators.plain(value)}.get) is holds


@pytest.mark.parametrize(
    ("value", "holds"), [(10, True), (20, True), (15.5, True), (9.99, False), (21, False), ("15", False), (True, False)]
)
def test_ranges_include_both_ends(value: Any, holds: bool) -> None:
    condition = conditions.read({"condition_type": "range", "source": "device:d:m", "min": 10, "max": 20})
    assert condition is not None
    assert compiled(condition).check({"device:d:m": operators.plain(value)}.get) is holds


def test_a_missing_value_satisfies_nothing_so_not_holds() -> None:
    missing = leaf("device:d:none", "!=", 1)
    for body, holds in (
        (missing, False),
        (logic("not", missing), True),
        (logic("or", missing, leaf("device:d:m", ">", 0)), True),
        (logic("and", missing, leaf("device:d:m", ">", 0)), False),
        (logic("not", leaf("device:d:m", ">", 0), missing), False),
    ):
        condition = conditions.read(body)
        assert condition is not None
        assert compiled(condition).check({"device:d:m": 1}.get) is holds


def test_an_expression_that_never_ends_is_given_up() -> None:
    test = operators.test_of("regex", None, r"(a|aa)+$")
    assert [test("a" * 60 + "b") for _ in range(operators.STRIKES + 2)] == [False] * (operators.STRIKES + 2)
    assert test("aa") is False
    assert operators.test_of("regex", None, r"(a|aa)+$")("aa") is True


# ---- against a naive interpreter ----

SOURCES = ["device:a:x", "device:a:y", "extension:e:z"]
NUMBERS = st.integers(-3, 3) | st.floats(-3, 3).map(lambda number: round(number, 1))
VALUES = st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "1", "on", "2.5", "[1]"]) | st.just([1])
COMPARISONS = st.fixed_dictionaries(
    {
        "condition_type": st.just("comparison"),
        "source": st.sampled_from(SOURCES),
        "operator": st.sampled_from([word for _, words in WORDS for word in words]),
        "threshold": NUMBERS | st.booleans(),
    },
    optional={"threshold_value": st.sampled_from(["", "1", "on", "2.5", "n$", "("])},
)
RANGES = st.tuples(st.sampled_from(SOURCES), NUMBERS, NUMBERS).map(
    lambda t: {"condition_type": "range", "source": t[0], "min": min(t[1:]), "max": max(t[1:])}
)
TREES = st.recursive(
    COMPARISONS | RANGES,
    lambda inner: st.builds(
        lambda word, parts: logic(word, *parts),
        st.sampled_from(["and", "or", "not", "AND"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=8,
)
SYMBOL_OF = {word: symbol for symbol, words in WORDS for word in words}


def naive(body: dict[str, Any], values: dict[str, Any]) -> bool:
    """What the contract says, word for word."""
    if body["condition_type"] == "logical":
        parts = [naive(part, values) for part in body["conditions"]]
        return {"and": all(parts), "or": any(parts), "not": not any(parts)}[body["operator"].lower()]
    value = values.get(body["source"])
    if value is None:
        return False
    if isinstance(value, bool):
        value = 1 if value else 0
    if isinstance(value, list):
        value = json.dumps(value)
    if body["condition_type"] == "range":
        return not isinstance(value, str) and body["min"] <= value <= body["max"]
    symbol = SYMBOL_OF[body["operator"]]
    return naive_text(symbol, value, body) if isinstance(value, str) else naive_number(symbol, value, body["threshold"])


def naive_number(symbol: str, value: float, threshold: float) -> bool:
    near = abs(value - threshold) < 0.0001
    found = {">": value > threshold, "<": value < threshold, ">=": value >= threshold, "<=": value <= threshold}
    return bool({**found, "==": near, "!=": not near}.get(symbol, False))


def naive_text(symbol: str, value: str, body: dict[str, Any]) -> bool:
    threshold = body["threshold"]
    text = body.get("threshold_value")
    if text is None:
        text = f"{float(threshold):g}" if float(threshold).is_integer() else str(threshold)
        text = "0" if text == "-0" else text
    if symbol == "regex":
        try:
            return re.search(text, value) is not None
        except re.error:
            return False
    found = {"==": value == text, "!=": value != text, "contains": text in value}
    ends = {"starts_with": value.startswith(text), "ends_with": value.endswith(text)}
    return bool({**found, **ends}.get(symbol, False))


@given(body=TREES, values=st.dictionaries(st.sampled_from(SOURCES), VALUES))
def test_closures_answer_as_a_naive_interpreter(body: Any, values: dict[str, Any]) -> None:
    condition = conditions.read(body)
    assert condition is not None
    plain = {source: operators.plain(value) for source, value in values.items() if value is not None}
    whole = compiled(condition)
    assert whole.check(plain.get) is naive(body, values)
    for result, (_, part) in zip(whole.explain(plain.get), conditions.leaves(condition), strict=True):
        assert result.met is naive(conditions.written(part), values)


@given(body=TREES)
def test_json_there_and_back(body: Any) -> None:
    condition = conditions.read(body)
    assert conditions.read(conditions.written(condition)) == condition
    # What clients are shown may come back as it is.
    again = conditions.read(json.loads(json.dumps(conditions.shown(condition))))
    assert conditions.shown(again) == conditions.shown(condition)
    assert set(conditions.sources(condition)) <= set(SOURCES)
    assert conditions.phrase(condition) if condition is not None else True


def test_no_condition() -> None:
    assert conditions.read(None) is None
    assert conditions.read({"condition_type": "none"}) is None
    assert conditions.shown(None) == {"condition_type": "none"}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (5, "condition"),
        ([], "condition"),
        ({}, "condition.condition_type"),
        ({"condition_type": "magic"}, "condition.condition_type"),
        ({"condition_type": ["comparison"]}, "condition.condition_type"),
        (leaf(operator="~"), "condition.operator"),
        (leaf(operator=None), "condition.operator"),
        (leaf(source=""), "condition.source"),
        (leaf(source="device:d"), "condition.source"),
        (leaf(source="planet:d:x"), "condition.source"),
        (leaf(source=5), "condition.source"),
        (leaf(source="device:d:\x00"), "condition.source"),
        (leaf(threshold="30"), "condition.threshold"),
        (leaf(threshold=[1]), "condition.threshold"),
        (leaf(threshold=2**63), "condition.threshold"),
        (leaf(threshold_value=5), "condition.threshold_value"),
        ({"condition_type": "range", "source": "device:d:x", "min": 5, "max": 1}, "condition.min"),
        ({"condition_type": "range", "source": "device:d:x", "min": 5}, "condition.max"),
        ({"condition_type": "range", "source": "device:d:x", "min": True, "max": 5}, "condition.min"),
        (logic("xor", leaf()), "condition.operator"),
        (logic("and"), "condition.conditions"),
        ({"condition_type": "logical", "operator": "and"}, "condition.conditions"),
        (logic("and", leaf(), logic("or", leaf(operator="?"))), "condition.conditions[1].conditions[0].operator"),
        (logic("or", *[leaf()] * 201), "condition"),
    ],
)
def test_what_cannot_be_is_named(body: Any, path: str) -> None:
    with pytest.raises(Unfit) as caught:
        conditions.read(body)
    assert caught.value.path == path


@given(body=strategies.json_values())
def test_any_json_is_a_condition_or_is_refused_in_words(body: Any) -> None:
    refused = None
    try:
        conditions.read(body)
    except Unfit as error:
        refused = error
    assert refused is None or (refused.problem and refused.path.startswith("condition"))


def test_metrics_may_hold_colons() -> None:
    condition = conditions.read(leaf("device:d:a:b:c"))
    shown = conditions.shown(condition)
    assert (shown["source_id"], shown["metric"]) == ("d", "a:b:c")
