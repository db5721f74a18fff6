"""Conditions as closures: made once when a rule is saved, called for every evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from .conditions import Comparison, Condition, Leaf, Logical, Range, leaves
from .operators import Test, test_of

ValueOf = Callable[[str], Any]
"""The plain value of a data source, ``None`` when there is none."""
Check = Callable[[ValueOf], bool]


@attrs.frozen(kw_only=True)
class LeafResult:
    """What a leaf of a condition made of a value; a missing value satisfies nothing."""

    path: str
    leaf: Leaf
    value: Any
    met: bool


@attrs.frozen
class Compiled:
    """``check`` answers; ``explain`` answers leaf by leaf."""

    check: Check
    leaves: tuple[tuple[str, Leaf, Test], ...]

    def explain(self, value_of: ValueOf) -> list[LeafResult]:
        return [_result(path, leaf, test, value_of(leaf.source)) for path, leaf, test in self.leaves]


def compiled(condition: Condition) -> Compiled:
    return Compiled(_check(condition), tuple((path, leaf, leaf_test(leaf)) for path, leaf in leaves(condition)))


def leaf_test(leaf: Leaf) -> Test:
    """What tells whether a plain value, never ``None``, satisfies the leaf."""
    if isinstance(leaf, Range):
        low, high = leaf.low, leaf.high
        return lambda value: type(value) is not str and low <= value <= high
    return test_of(leaf.operator, leaf.number, leaf.threshold_value)


def _result(path: str, leaf: Leaf, test: Test, value: Any) -> LeafResult:
    return LeafResult(path=path, leaf=leaf, value=value, met=value is not None and test(value))


def _check(condition: Condition) -> Check:
    if not isinstance(condition, Logical):
        return _leaf_check(condition)
    parts = tuple(_check(part) for part in condition.parts)
    if condition.operator == "and":
        return lambda value_of: all(part(value_of) for part in parts)
    if condition.operator == "or":
        return lambda value_of: any(part(value_of) for part in parts)
    return lambda value_of: not any(part(value_of) for part in parts)


def _leaf_check(leaf: Comparison | Range) -> Check:
    source, test = leaf.source, leaf_test(leaf)

    def check(value_of: ValueOf) -> bool:
        value = value_of(source)
        return value is not None and test(value)

    return check
