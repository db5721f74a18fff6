"""Conditions: from JSON to a tree, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from neomind_sdk import fields, series

from .operators import SPELLINGS, SYMBOLS, number_text
from .unfit import Unfit

LEAVES_MAX = 200
TEXT_MAX = 1000
LOGIC = ("and", "or", "not")
INT64 = 2**63


@attrs.frozen(kw_only=True)
class Comparison:
    """``threshold`` counts for numbers, ``threshold_value`` for text; either may be absent."""

    source: str
    operator: str
    threshold: float | bool | None = None
    threshold_value: str | None = None

    @property
    def number(self) -> float | None:
        """What numbers are compared with; ``None`` where there is only a text that is no number."""
        if self.threshold is not None:
            return self.threshold
        return 0 if self.threshold_value is None else number_in(self.threshold_value)

    @property
    def shown(self) -> Any:
        """The threshold for people."""
        return self.threshold_value if self.threshold_value is not None else self.number


@attrs.frozen(kw_only=True)
class Range:
    """``low <= value <= high``."""

    source: str
    low: float
    high: float

    operator = "between"

    @property
    def shown(self) -> Any:
        return [self.low, self.high]


@attrs.frozen(kw_only=True)
class Logical:
    """``operator`` is ``and``, ``or`` or ``not`` (none of the parts)."""

    operator: str
    parts: tuple[Condition, ...]


Leaf = Comparison | Range
Condition = Comparison | Range | Logical


def read(value: Any, path: str = "condition") -> Condition | None:
    """The tree of a JSON value; ``None`` for no condition. Raises ``Unfit``."""
    if value is None or (isinstance(value, Mapping) and value.get("condition_type") == "none"):
        return None
    condition = _read(value, path)
    if sum(1 for _ in leaves(condition)) > LEAVES_MAX:
        raise Unfit(path, f"must have at most {LEAVES_MAX} comparisons")
    return condition


def _read(value: Any, path: str) -> Condition:
    if not isinstance(value, Mapping):
        raise Unfit(path, "must be an object with condition_type")
    kind = value.get("condition_type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise Unfit(f"{path}.condition_type", "must be one of comparison, range, logical")
    return reader(value, path)


def _comparison(value: Mapping[str, Any], path: str) -> Condition:
    word = value.get("operator")
    symbol = SYMBOLS.get(word.strip().lower()) if isinstance(word, str) else None
    if symbol is None:
        raise Unfit(f"{path}.operator", "must be one of " + ", ".join(SPELLINGS))
    text = value.get("threshold_value")
    if text is not None and not (isinstance(text, str) and len(text) <= TEXT_MAX and fields.clean(text)):
        raise Unfit(f"{path}.threshold_value", f"must be text of at most {TEXT_MAX} characters")
    threshold = value.get("threshold")
    if not isinstance(threshold, bool | None):
        threshold = _number(value, "threshold", path)
    return Comparison(source=_source(value, path), operator=symbol, threshold=threshold, threshold_value=text)


def _range(value: Mapping[str, Any], path: str) -> Condition:
    low, high = _number(value, "min", path), _number(value, "max", path)
    if low > high:
        raise Unfit(f"{path}.min", "must not be more than max", "INVALID_RANGE")
    return Range(source=_source(value, path), low=low, high=high)


def _logical(value: Mapping[str, Any], path: str) -> Condition:
    word, parts = value.get("operator"), value.get("conditions")
    logic = word.strip().lower() if isinstance(word, str) else None
    if logic not in LOGIC:
        raise Unfit(f"{path}.operator", "must be one of and, or, not")
    if not isinstance(parts, list) or not parts:
        raise Unfit(f"{path}.conditions", "must be an array with at least one condition")
    return Logical(
        operator=logic, parts=tuple(_read(part, f"{path}.conditions[{index}]") for index, part in enumerate(parts))
    )


_READERS: Mapping[str, Callable[[Mapping[str, Any], str], Condition]] = {
    "comparison": _comparison,
    "range": _range,
    "logical": _logical,
}


def _source(value: Mapping[str, Any], path: str) -> str:
    source = value.get("source")
    if not isinstance(source, str) or len(source) > TEXT_MAX or not fields.clean(source):
        raise Unfit(f"{path}.source", "must be a data source id: <type>:<id>:<metric>", "EMPTY_SOURCE_ID")
    try:
        name = series.split(source)
    except ValueError as error:
        raise Unfit(f"{path}.source", str(error), "EMPTY_SOURCE_ID") from None
    if name.source_type not in series.SOURCE_TYPES:
        raise Unfit(f"{path}.source", "must begin with " + ", ".join(series.SOURCE_TYPES))
    return source


def _number(value: Mapping[str, Any], key: str, path: str) -> float:
    number = value.get(key)
    if isinstance(number, bool) or not isinstance(number, int | float) or not -INT64 <= number < INT64:
        raise Unfit(f"{path}.{key}", "must be a number" + (" or true or false" if key == "threshold" else ""))
    return number


def number_in(text: str) -> float | None:
    """The number that a text is."""
    try:
        number = float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        return None
    return number if number is not None and abs(number) < INT64 else None


def leaves(condition: Condition | None, path: str = "condition") -> Iterator[tuple[str, Leaf]]:
    """All comparisons and ranges with their paths, from left to right."""
    if isinstance(condition, Logical):
        for index, part in enumerate(condition.parts):
            yield from leaves(part, f"{path}.conditions[{index}]")
    elif condition is not None:
        yield path, condition


def branches(condition: Condition | None, path: str = "condition") -> Iterator[tuple[str, Logical]]:
    """All logical parts with their paths."""
    if isinstance(condition, Logical):
        yield path, condition
        for index, part in enumerate(condition.parts):
            yield from branches(part, f"{path}.conditions[{index}]")


def sources(condition: Condition | None) -> tuple[str, ...]:
    """The data sources in the order in which they come first."""
    return tuple(dict.fromkeys(leaf.source for _, leaf in leaves(condition)))


def written(condition: Condition | None) -> dict[str, Any]:
    """The JSON that ``read`` makes the same condition of."""
    if condition is None:
        return {"condition_type": "none"}
    if isinstance(condition, Logical):
        parts = [written(part) for part in condition.parts]
        return {"condition_type": "logical", "operator": condition.operator, "conditions": parts}
    if isinstance(condition, Range):
        limits = {"min": condition.low, "max": condition.high}
        return {"condition_type": "range", "source": condition.source, **limits}
    return {
        "condition_type": "comparison",
        "source": condition.source,
        "operator": condition.operator,
        **_ends(condition),
    }


def _ends(leaf: Comparison) -> dict[str, Any]:
    given = {"threshold": leaf.threshold, "threshold_value": leaf.threshold_value}
    known = {name: value for name, value in given.items() if value is not None}
    return known or {"threshold": 0}


def shown(condition: Condition | None) -> dict[str, Any]:
    """As ``written``, with what clients want to know of each leaf besides."""
    found = written(condition)
    if isinstance(condition, Logical):
        return {**found, "conditions": [shown(part) for part in condition.parts]}
    if condition is None:
        return found
    name = series.split(condition.source)
    more = {"source_type": name.source_type, "source_id": name.source_id, "metric": name.metric}
    if isinstance(condition, Range):
        return {**found, "operator": condition.operator, **more}
    return {**found, "threshold": found.get("threshold", condition.number or 0), **more}


def phrase(condition: Condition) -> str:
    """A condition in one line."""
    if isinstance(condition, Logical):
        parts = [f"({phrase(part)})" if isinstance(part, Logical) else phrase(part) for part in condition.parts]
        if condition.operator == "not":
            return f"NOT ({' OR '.join(parts)})"
        return f" {condition.operator.upper()} ".join(parts)
    return f"{condition.source} {need(condition)}"


def need(leaf: Leaf) -> str:
    """What a value must be: ``> 30``."""
    if isinstance(leaf, Range):
        return f"BETWEEN {number_text(leaf.low)} AND {number_text(leaf.high)}"
    if leaf.threshold_value is not None:
        return f'{leaf.operator} "{leaf.threshold_value}"'
    return f"{leaf.operator} {number_text(leaf.number or 0)}"
