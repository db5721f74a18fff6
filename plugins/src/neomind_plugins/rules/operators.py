"""Operators of comparisons: their spellings, and what they make of numbers and of text."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import orjson

EPSILON = 0.0001
"""Numbers that differ by less are equal."""
TEXT_MAX = 10_000
"""Of a longer text, a regular expression sees the beginning."""
LIMIT_S = 0.05
STRIKES = 3
"""How often a regular expression may take longer than ``LIMIT_S`` until it is no longer tried."""

SPELLINGS: Mapping[str, tuple[str, ...]] = {
    ">": (">", "greater_than", "gt"),
    "<": ("<", "less_than", "lt"),
    ">=": (">=", "greater_equal", "gte", "greater_than_or_equal"),
    "<=": ("<=", "less_equal", "lte", "less_than_or_equal"),
    "==": ("==", "equal", "eq"),
    "!=": ("!=", "not_equal", "ne"),
    "contains": ("contains",),
    "starts_with": ("starts_with", "startswith"),
    "ends_with": ("ends_with", "endswith"),
    "regex": ("regex", "matches"),
}
SYMBOLS: Mapping[str, str] = {word: symbol for symbol, words in SPELLINGS.items() for word in words}
NUMERIC: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": lambda value, threshold: abs(value - threshold) < EPSILON,
    "!=": lambda value, threshold: abs(value - threshold) >= EPSILON,
}
TEXTUAL: Mapping[str, Callable[[str, str], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "contains": operator.contains,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
}

Test = Callable[[Any], bool]


def plain(value: Any) -> float | str:
    """A stored value as rules see it: booleans are 1 and 0, objects and arrays their JSON text."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float | str):
        return value
    return orjson.dumps(value).decode()


def number_text(number: float) -> str:
    """A threshold in decimal, as it is compared with text: ``25`` for 25.0."""
    if isinstance(number, bool) or (isinstance(number, float) and number.is_integer()):
        return str(int(number))
    return str(number)


def test_of(symbol: str, number: float | None, text: str | None) -> Test:
    """What tells whether a plain value satisfies the operator.

    ``number`` is the threshold for numbers (``None``: no number equals it), ``text`` the one for text.
    """
    with_number = _number_test(symbol, number)
    with_text = _text_test(symbol, text if text is not None else number_text(number or 0))
    return lambda value: with_text(value) if type(value) is str else with_number(value)


def _number_test(symbol: str, threshold: float | None) -> Test:
    compare = NUMERIC.get(symbol)
    if compare is None or threshold is None:
        answer = compare is not None and symbol == "!="
        return lambda value: answer
    return lambda value: compare(value, threshold)


def _text_test(symbol: str, threshold: str) -> Test:
    if symbol == "regex":
        return _regex_test(threshold)
    compare = TEXTUAL.get(symbol)
    return (lambda value: False) if compare is None else (lambda value: compare(value, threshold))


def regex_problem(pattern: str) -> str | None:
    """Why a regular expression cannot be used."""
    import regex  # loaded when a rule wants it

    try:
        regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError) as error:
        return str(error)
    return None


def _regex_test(pattern: str) -> Test:
    """A search that is given up when it takes too long: it is part of every evaluation of its rule."""
    import regex

    if regex_problem(pattern) is not None:
        return lambda value: False
    compiled, strikes = regex.compile(pattern), 0

    def test(value: str) -> bool:
        nonlocal strikes
        if strikes >= STRIKES:
            return False
        try:
            return compiled.search(value[:TEXT_MAX], timeout=LIMIT_S) is not None
        except TimeoutError:
            strikes += 1
            return False

    return test
