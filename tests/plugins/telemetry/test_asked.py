"""What queries for history ask for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.telemetry.asked import (
    WIDTHS_MS,
    Cursor,
    next_cursor,
    read_cursor,
    read_history,
    read_telemetry,
    read_window,
)
from neomind_plugins.telemetry.models import HistoryQuery, TelemetryQuery
from neomind_sdk import BadRequest, Sample
from neomind_sdk.units import DAY_MS, HOUR_MS

NOW_MS = 1_700_000_000_250
TIMES = st.integers(0, 4_000_000_000_000)


def window(**given: Any) -> Any:
    return read_window(HistoryQuery(**given), NOW_MS)


@pytest.mark.parametrize(
    ("given", "start_ms", "end_ms", "until_ms"),
    [
        ({}, NOW_MS - DAY_MS, NOW_MS, NOW_MS),
        ({"time_range": "1h"}, NOW_MS - HOUR_MS, NOW_MS, NOW_MS),
        ({"time_range": "1mo"}, NOW_MS - 30 * DAY_MS, NOW_MS, NOW_MS),
        ({"start": "1699999999.5"}, 1_699_999_999_500, NOW_MS, NOW_MS),
        ({"start": "1699999999", "time_range": "1h"}, 1_699_999_999_000, NOW_MS, NOW_MS),
        ({"end": "1600000000"}, 1_600_000_000_000 - DAY_MS, 1_600_000_000_000, 1_600_000_000_999),
        ({"end": "1600000000.5", "time_range": "2s"}, 1_599_999_998_500, 1_600_000_000_500, 1_600_000_000_500),
        ({"start": "5", "end": "5"}, 5000, 5000, 5999),
        ({"start": "1600000000000", "end": "1600000000001"}, 1_600_000_000_000, 1_600_000_000_001, 1_600_000_000_001),
    ],
)
def test_windows(given: dict[str, str], start_ms: int, end_ms: int, until_ms: int) -> None:
    found = window(**given)
    assert (found.start_ms, found.end_ms, found.until_ms) == (start_ms, end_ms, until_ms)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"time_range": "yesterday"}, "time_range: must be a number with a unit"),
        ({"time_range": "31d"}, "30 days"),
        ({"start": "soon"}, "start: must be epoch seconds"),
        ({"end": ""}, "end: must be epoch seconds"),
        ({"end": "nan"}, "end: "),
        ({"start": "-1"}, "start: must be a number and not negative"),
        ({"end": "1e300"}, "end: is too far in the future"),
        ({"end": "inf"}, "end: "),
        ({"start": "10", "end": "9"}, "end: must not be before start"),
        ({"start": "0", "end": "2592000.001"}, "30 days"),
        ({"start": "5000000000"}, "end: must not be before start"),
    ],
)
def test_windows_that_cannot_be(given: dict[str, str], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        window(**given)


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "nan", "inf", "1e999999999", "123456789012", "1,5", "100000000000.001"]
)
def test_cursors_that_cannot_be(text: str) -> None:
    with pytest.raises(BadRequest, match="cursor"):
        read_cursor(text)


def test_a_plain_time_as_cursor_means_strictly_older() -> None:
    assert read_cursor("5") == Cursor(4999)
    assert read_cursor("5.25") == Cursor(5249)


@given(TIMES, st.integers(1, 999))
def test_cursors_within_a_millisecond_survive_the_wire(ts_ms: int, shown: int) -> None:
    page = [Sample(ts_ms + 1, 0)] + [Sample(ts_ms, n) for n in range(shown)]
    assert read_cursor(repr(next_cursor(page, Sample(ts_ms, "next"), None))) == Cursor(ts_ms, shown)


@given(TIMES.filter(bool))
def test_cursors_between_milliseconds_survive_the_wire(ts_ms: int) -> None:
    assert read_cursor(str(next_cursor([Sample(ts_ms, 1)], Sample(ts_ms - 1, 0), None))) == Cursor(ts_ms - 1)


@pytest.mark.parametrize("name", ["aggregate", "aggregation"])
def test_aggregates(name: str) -> None:
    assert read_history(HistoryQuery(**{name: "max"}), NOW_MS).aggregate == "max"
    with pytest.raises(BadRequest, match="aggregate: must be one of avg, min"):
        read_history(HistoryQuery(**{name: "median"}), NOW_MS)


def test_an_unknown_aggregate_of_a_source_is_the_average() -> None:
    about: Any = {"source": "boiler", "metric": "t"}
    assert read_telemetry(TelemetryQuery(**about, aggregate="median"), NOW_MS).aggregate == "avg"
    assert read_telemetry(TelemetryQuery(**about, aggregate="sum"), NOW_MS).aggregate == "sum"
    assert read_telemetry(TelemetryQuery(**about), NOW_MS).aggregate is None


@given(st.integers(1_000_000, 30 * 86_400), st.integers(1, 5000))
def test_buckets_cover_the_window_where_they_can(span: int, limit: int) -> None:
    end = NOW_MS // 1000
    asked = read_history(HistoryQuery(start=str(end - span), end=str(end), limit=limit), NOW_MS)
    first, last = asked.window.start_ms, asked.window.until_ms
    covers = [last // width - first // width + 1 <= limit for width in WIDTHS_MS]
    index = WIDTHS_MS.index(asked.width_ms)
    assert covers[index] or not any(covers)
    assert not any(covers[:index])
