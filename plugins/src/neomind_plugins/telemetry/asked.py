"""What a query for history asks for: a window of time, a page of it, an aggregate."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

import attrs

from neomind_sdk import BadRequest, Sample
from neomind_sdk.units import DAY_MS, HOUR_MS, MAX_MS, SECOND_MS, milliseconds, seconds, span_ms

from .models import HistoryQuery, TelemetryQuery

LONGEST_MS = 30 * DAY_MS
AGGREGATES = ("avg", "min", "max", "sum", "count", "last")
_MINUTE_MS = 60 * SECOND_MS
WIDTHS_MS = (
    30 * SECOND_MS,
    *(minutes * _MINUTE_MS for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * HOUR_MS for hours in (1, 2, 3, 6, 12, 24)),
)
"""The widths of buckets that are chosen from."""
SKIP_MAX = 999


@attrs.frozen
class Window:
    """A range of time in milliseconds, both ends within; ``until_ms`` is the end including all of its second."""

    start_ms: int
    end_ms: int
    until_ms: int


@attrs.frozen
class Cursor:
    """Where a page begins: at or before ``end_ms``, after the ``skip`` newest of that millisecond.

    On the wire it is a time in seconds: strictly older points follow. Where points of one millisecond lie on both
    sides of the page's end, its fourth to sixth decimal say how many of them were on the page.
    """

    end_ms: int
    skip: int = 0


@attrs.frozen(kw_only=True)
class Asked:
    """A query, read and checked."""

    window: Window
    limit: int
    offset: int = 0
    cursor: Cursor | None = None
    bucketed: bool = False
    aggregate: str | None = None

    @property
    def width_ms(self) -> int:
        """The narrowest width of aligned buckets of which ``limit`` cover the window; else the widest there is."""
        start_ms, end_ms = self.window.start_ms, self.window.until_ms
        fitting = (width for width in WIDTHS_MS if end_ms // width - start_ms // width < self.limit)
        return next(fitting, WIDTHS_MS[-1])


def read_history(query: HistoryQuery, now_ms: int) -> Asked:
    """Raises ``BadRequest`` naming what cannot be."""
    aggregate = query.aggregate or query.aggregation
    if aggregate is not None and aggregate not in AGGREGATES:
        raise BadRequest(f"aggregate: must be one of {', '.join(AGGREGATES)}")
    return Asked(
        window=read_window(query, now_ms),
        limit=query.limit,
        offset=query.offset,
        cursor=None if query.cursor is None else read_cursor(query.cursor),
        bucketed=query.bucketed,
        aggregate=aggregate,
    )


def read_telemetry(query: TelemetryQuery, now_ms: int) -> Asked:
    """Raises ``BadRequest`` naming what cannot be; an aggregate that does not exist is the average."""
    aggregate = query.aggregate if query.aggregate in (None, *AGGREGATES) else "avg"
    window = read_window(query, now_ms)
    return Asked(window=window, limit=query.limit, bucketed=query.bucketed, aggregate=aggregate or None)


def read_window(query: HistoryQuery | TelemetryQuery, now_ms: int) -> Window:
    """The window asked for, by default the last 24 hours; ``start`` and ``end`` beat ``time_range``."""
    try:
        length = DAY_MS if query.time_range is None else span_ms(query.time_range)
    except ValueError as error:
        raise BadRequest(f"time_range: {error}") from error
    end_ms = now_ms if query.end is None else read_time("end", query.end)
    start_ms = end_ms - length if query.start is None else read_time("start", query.start)
    if end_ms < start_ms:
        raise BadRequest("end: must not be before start")
    if end_ms - start_ms > LONGEST_MS:
        raise BadRequest("The time range must not be longer than 30 days")
    whole = query.end is not None and end_ms % SECOND_MS == 0
    return Window(start_ms, end_ms, end_ms + SECOND_MS - 1 if whole else end_ms)


def read_time(name: str, text: str) -> int:
    """A time of a query in milliseconds."""
    try:
        number = float(text)
    except ValueError as error:
        raise BadRequest(f"{name}: must be epoch seconds") from error
    try:
        return milliseconds(number)
    except ValueError as error:
        raise BadRequest(f"{name}: {error}") from error


def read_cursor(text: str) -> Cursor:
    """Where the page begins."""
    try:
        time_s = Decimal(text)
        possible = 0 <= time_s <= MAX_MS // SECOND_MS
    except InvalidOperation:
        possible = False
    if not possible:
        raise BadRequest("cursor: must be the next_cursor of another answer, or epoch seconds")
    ts_ms, skip = divmod(round(time_s * 10**6), 1000)
    return Cursor(ts_ms, skip) if skip else Cursor(ts_ms - 1)


def next_cursor(page: Sequence[Sample], following: Sample, cursor: Cursor | None) -> int | float:
    """The cursor of the page that begins with ``following``; see ``Cursor``."""
    last = page[-1].ts_ms
    if following.ts_ms != last:
        return seconds(last)
    shown = sum(sample.ts_ms == last for sample in page)
    if cursor is not None and cursor.end_ms == last:
        shown += cursor.skip
    return (last * 1000 + min(shown, SKIP_MAX)) / 10**6
