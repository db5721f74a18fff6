"""Time on the wire and inside: nothing is lost or moved on the way."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from neomind_sdk import units

NOW_MS = 1_700_000_000_000
TIMES = st.integers(min_value=0, max_value=units.MAX_MS)
UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800, "mo": 2_592_000}


@given(TIMES)
@example(0)
@example(1)
@example(999)
@example(1000)
@example(10**11 - 1)
@example(10**11)
@example(10**11 + 1)
@example(units.MAX_MS - 1)
@example(units.MAX_MS)
def test_milliseconds_survive_the_wire(ts_ms: int) -> None:
    assert units.milliseconds(units.seconds(ts_ms)) == ts_ms


@given(TIMES)
def test_seconds_are_whole_or_have_at_most_three_decimals(ts_ms: int) -> None:
    value = units.seconds(ts_ms)
    assert isinstance(value, int) == (ts_ms % 1000 == 0)
    assert value == round(value, 3)


@given(st.integers(min_value=10**11 + 1, max_value=units.MAX_MS))
def test_numbers_above_the_limit_are_milliseconds(value: int) -> None:
    assert units.milliseconds(value) == value
    assert units.milliseconds(float(value)) == value


@given(st.integers(min_value=0, max_value=10**11))
def test_numbers_up_to_the_limit_are_seconds(value: int) -> None:
    assert units.milliseconds(value) == value * 1000


@pytest.mark.parametrize("value", [-1, -0.001, -math.inf, math.inf, math.nan, units.MAX_MS + 1, 1e300, 2**63])
def test_times_that_are_none_are_refused(value: float) -> None:
    with pytest.raises(ValueError):
        units.milliseconds(value)


@pytest.mark.parametrize("value", [True, "1700000000", None, [1], {}])
def test_device_times_are_numbers(value: object) -> None:
    with pytest.raises(ValueError, match="must be a number"):
        units.device_time(value, NOW_MS)


@given(st.integers(min_value=0, max_value=NOW_MS + units.DAY_MS))
def test_device_times_up_to_a_day_ahead_are_taken(ts_ms: int) -> None:
    assert units.device_time(units.seconds(ts_ms), NOW_MS) == ts_ms


@given(st.integers(min_value=NOW_MS + units.DAY_MS + 1, max_value=units.MAX_MS))
def test_device_times_further_ahead_are_refused(ts_ms: int) -> None:
    with pytest.raises(ValueError, match="more than a day"):
        units.device_time(units.seconds(ts_ms), NOW_MS)


def test_device_times_before_1970_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        units.check_device_time(-1, NOW_MS)


@given(st.integers(min_value=1, max_value=10**12 - 1), st.sampled_from(sorted(UNITS)))
def test_spans(number: int, unit: str) -> None:
    assert units.span_ms(f"{number}{unit}") == number * UNITS[unit] * 1000
    assert units.span_ms(f" {number}{unit.upper()} ") == number * UNITS[unit] * 1000


@pytest.mark.parametrize("text", ["", "h", "24", "-1h", "1.5h", "1 h", "0m", "1y", "1hh", "1m30s", "９h", f"{10**13}s"])
def test_other_texts_are_no_spans(text: str) -> None:
    with pytest.raises(ValueError, match="must be a number with a unit"):
        units.span_ms(text)


@given(st.text())
def test_any_text_is_a_span_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert units.span_ms(text) > 0
