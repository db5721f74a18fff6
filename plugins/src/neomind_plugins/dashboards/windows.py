"""Windows of time: those that components show, and those that viewers ask for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from neomind_sdk import BadRequest
from neomind_sdk.units import DAY_MS, HOUR_MS, MAX_MS, SECOND_MS, milliseconds, span_ms

from .sources import Source

MINUTE_MS = 60 * SECOND_MS
LONGEST_MS = 30 * DAY_MS
LENGTHS_MS = {
    "last_5min": 5 * MINUTE_MS,
    "last_15min": 15 * MINUTE_MS,
    "last_30min": 30 * MINUTE_MS,
    "last_1hour": HOUR_MS,
    "last_6hours": 6 * HOUR_MS,
    "last_24hours": DAY_MS,
}
WIDTHS_MS = (
    *(seconds * SECOND_MS for seconds in (1, 5, 10, 30)),
    *(minutes * MINUTE_MS for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * HOUR_MS for hours in (1, 2, 3, 6, 12, 24)),
)
"""The widths of buckets that are chosen from."""


@attrs.frozen
class Window:
    """A range of time in milliseconds, both ends within."""

    start_ms: int
    end_ms: int

    def width_ms(self, limit: int) -> int:
        """The narrowest width of aligned buckets of which ``limit`` cover the window; else the widest there is."""
        fitting = (width for width in WIDTHS_MS if self.end_ms // width - self.start_ms // width < limit)
        return next(fitting, WIDTHS_MS[-1])


def of_source(source: Source, now_ms: int, zone: str) -> Window:
    """The window that a component shows; 24 hours when it does not say, or says what cannot be."""
    kind = source.window.get("type")
    kind = kind if isinstance(kind, str) else ""
    if kind == "custom":
        return custom(source.window, now_ms)
    if kind in ("today", "yesterday", "this_week"):
        return by_calendar(kind, now_ms, zone)
    hours_ms = DAY_MS if source.hours is None else round(min(source.hours * HOUR_MS, LONGEST_MS))
    return Window(now_ms - LENGTHS_MS.get(kind, max(1, hours_ms)), now_ms)


def custom(window: Mapping[str, Any], now_ms: int) -> Window:
    """From ``startTime`` to ``endTime``, of it the last 30 days."""
    end_ms = moment(window.get("endTime"), now_ms)
    start_ms = moment(window.get("startTime"), end_ms - DAY_MS)
    return Window(min(max(start_ms, end_ms - LONGEST_MS), end_ms), end_ms)


def moment(value: Any, otherwise_ms: int) -> int:
    try:
        return milliseconds(value)
    except (TypeError, ValueError):
        return otherwise_ms


def by_calendar(kind: str, now_ms: int, zone: str) -> Window:
    """Days begin at midnight of the platform's time zone, weeks on Monday."""
    here = ZoneInfo(zone)
    today = datetime.fromtimestamp(now_ms / 1000, here).date()
    first = {"today": today, "yesterday": today - timedelta(days=1), "this_week": monday(today)}[kind]
    end_ms = midnight(today, here) - 1 if kind == "yesterday" else now_ms
    return Window(midnight(first, here), end_ms)


def monday(day: Any) -> Any:
    return day - timedelta(days=day.weekday())


def midnight(day: Any, zone: ZoneInfo) -> int:
    return round(datetime.combine(day, time(), zone).timestamp() * 1000)


def asked(time_range: str | None, start: float | None, end: float | None, now_ms: int) -> Window | None:
    """The window that a viewer asks for, ``None`` when for none; raises ``BadRequest`` naming what cannot be."""
    if time_range is None and start is None and end is None:
        return None
    try:
        length_ms = DAY_MS if time_range is None else span_ms(time_range)
    except ValueError as error:
        raise BadRequest(f"time_range: {error}") from error
    end_ms = now_ms if end is None else read("end", end)
    start_ms = end_ms - length_ms if start is None else read("start", start)
    if end_ms < start_ms:
        raise BadRequest("end: must not be before start")
    if end_ms - start_ms > LONGEST_MS:
        raise BadRequest("The time range must not be longer than 30 days")
    # A whole second that is named as the end is meant with all of its milliseconds.
    whole = end is not None and end_ms % SECOND_MS == 0
    return Window(start_ms, min(end_ms + SECOND_MS - 1, MAX_MS) if whole else end_ms)


def read(name: str, value: float) -> int:
    try:
        return milliseconds(value)
    except ValueError as error:
        raise BadRequest(f"{name}: {error}") from error


def number(name: str, text: str | None) -> float | None:
    """A number of a query; raises ``BadRequest``."""
    try:
        return None if text is None else float(text)
    except ValueError as error:
        raise BadRequest(f"{name}: must be epoch seconds") from error
