"""What a telemetry store takes: the checks that every storage engine makes before it does anything."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from neomind_core.contracts import Point, ValidationFailed

MAX_TS_MS = 8_640_000_000_000_000
"""The furthest moment from the epoch, either way: that of ECMAScript's ``Date`` (ECMA-262, 21.4.1.1)."""
MAX_DEPTH = 32
INT64 = 2**63


def check_points(points: Sequence[Point]) -> None:
    """Raise ``ValidationFailed`` naming the first thing (``points[3].value``) that no engine could keep as it is."""
    for index, (series, ts_ms, value, quality) in enumerate(points):
        if type(value) is not float or not isfinite(value):
            _raise_if(_value_problem(value), index, "value")
        if type(ts_ms) is not int or not -MAX_TS_MS <= ts_ms <= MAX_TS_MS:
            _raise_if(f"must be an integer within ±{MAX_TS_MS} milliseconds", index, "ts_ms")
        if type(series) is not str or not series or not (series.isascii() and "\0" not in series):
            _raise_if(_series_problem(series), index, "series")
        if quality is not None:
            _raise_if(_quality_problem(quality), index, "quality")


def check_window(*, bucket_ms: int | None = None, limit: int = 0, offset: int = 0) -> None:
    """Raise ``ValidationFailed`` for a width below 1 or a negative number of samples."""
    if bucket_ms is not None and bucket_ms < 1:
        raise ValidationFailed(("bucket_ms", "must be at least 1"))
    for name, number in (("limit", limit), ("offset", offset)):
        if number < 0:
            raise ValidationFailed((name, "must not be negative"))


def _raise_if(problem: str | None, index: int, field: str) -> None:
    if problem:
        raise ValidationFailed((f"points[{index}].{field}", problem))


def _series_problem(series: Any) -> str | None:
    if type(series) is not str or not series:
        return "must be text that is not empty"
    return _text_problem(series)


def _quality_problem(quality: Any) -> str | None:
    good = type(quality) in (float, int) and isfinite(quality)
    return None if good else "must be a finite number"


def _value_problem(value: Any, depth: int = 0) -> str | None:
    kind = type(value)
    if kind is int:
        return None if -INT64 <= value < INT64 else "must fit into 64 bits"
    if kind is float:
        return None if isfinite(value) else "must be a finite number"
    if kind is str:
        return _text_problem(value)
    if kind is dict or kind is list:
        return _json_problem(value, depth + 1)
    if kind is bool or (value is None and depth):
        return None
    return f"must be a bool, an integer, a number, text, or a JSON object or array, not {kind.__name__}"


def _text_problem(text: str) -> str | None:
    if "\0" in text:
        return "must not hold NUL"
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return "must not hold unpaired surrogates"
    return None


def _json_problem(value: dict[Any, Any] | list[Any], depth: int) -> str | None:
    if depth > MAX_DEPTH:
        return f"must not be nested deeper than {MAX_DEPTH}"
    if isinstance(value, list):
        return _first(_value_problem(item, depth) for item in value)
    if not all(type(key) is str for key in value):
        return "must have text as the keys of objects"
    return _first(_text_problem(key) or _value_problem(item, depth) for key, item in value.items())


def _first(problems: Any) -> str | None:
    return next((problem for problem in problems if problem), None)
