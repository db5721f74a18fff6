"""Windows of time."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from neomind_plugins.dashboards import windows
from neomind_plugins.dashboards.sources import Source
from neomind_sdk.testing.strategies import EPOCH_MS, json_values
from neomind_sdk.units import DAY_MS, HOUR_MS

BERLIN = "Europe/Berlin"
NOW_MS = round(datetime(2026, 3, 29, 12, tzinfo=ZoneInfo(BERLIN)).timestamp() * 1000)  # a Sunday of 23 hours


def window(window: Any, **more: Any) -> windows.Window:
    source = Source(kind="series", owner="device:d", field="m", window=window, **more)
    return windows.of_source(source, NOW_MS, BERLIN)


def at(*parts: int) -> int:
    return round(datetime(*parts, tzinfo=ZoneInfo(BERLIN)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("kind", "start_ms", "end_ms"),
    [
        ("last_5min", NOW_MS - 300_000, NOW_MS),
        ("last_6hours", NOW_MS - 6 * HOUR_MS, NOW_MS),
        ("last_24hours", NOW_MS - DAY_MS, NOW_MS),
        ("today", NOW_MS - 11 * HOUR_MS, NOW_MS),
        ("yesterday", at(2026, 3, 28), at(2026, 3, 29) - 1),
        ("this_week", at(2026, 3, 23), NOW_MS),
        ("now", NOW_MS - DAY_MS, NOW_MS),
        ("next_year", NOW_MS - DAY_MS, NOW_MS),
    ],
)
def test_by_name(kind: str, start_ms: int, end_ms: int) -> None:
    assert window({"type": kind}) == windows.Window(start_ms, end_ms)


def test_by_hours() -> None:
    assert window({}, hours=1.5).start_ms == NOW_MS - 3 * HOUR_MS // 2
    assert window({}, hours=1e12).start_ms == NOW_MS - 30 * DAY_MS


def test_custom() -> None:
    found = window({"type": "custom", "startTime": 1_700_000_000, "endTime": 1_700_003_600})
    assert found == windows.Window(1_700_000_000_000, 1_700_003_600_000)
    assert window({"type": "custom", "startTime": 0}) == windows.Window(NOW_MS - 30 * DAY_MS, NOW_MS)


@given(start=json_values(3), end=json_values(3), kind=json_values(3))
def test_whatever_is_written_there_is_a_window(start: Any, end: Any, kind: Any) -> None:
    for name in ("custom", kind):
        found = window({"type": name, "startTime": start, "endTime": end})
        assert 0 <= found.end_ms - found.start_ms <= 30 * DAY_MS


@given(now_ms=EPOCH_MS)
def test_days_are_days(now_ms: int) -> None:
    source = Source(kind="series", owner="device:d", field="m", window={"type": "yesterday"})
    found = windows.of_source(source, now_ms, BERLIN)
    assert 22 * HOUR_MS < found.end_ms - found.start_ms < 26 * HOUR_MS
    assert found.end_ms < now_ms
