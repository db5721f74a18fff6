"""Cron in zones whose clocks are put forward and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neomind_plugins.scheduler.walltime import CronSchedule

from . import cron_texts as texts

MINUTE = timedelta(minutes=1)
# Zone, and a moment close to a change: an hour, half an hour, over midnight, a whole day.
CHANGES = [
    ("Europe/Berlin", datetime(2025, 3, 30, 1)),
    ("Europe/Berlin", datetime(2025, 10, 26, 1)),
    ("America/New_York", datetime(2025, 3, 9, 7)),
    ("America/New_York", datetime(2025, 11, 2, 6)),
    ("Australia/Lord_Howe", datetime(2025, 10, 4, 15, 30)),
    ("Australia/Lord_Howe", datetime(2025, 4, 5, 15)),
    ("America/Sao_Paulo", datetime(2018, 11, 4, 3)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10)),
    ("Asia/Shanghai", datetime(2025, 6, 1)),
]


def times(expression, zone, begin, count):
    """The next ``count`` times, as clocks on the wall show them, with their offset in hours."""
    schedule, found = CronSchedule(expression, zone), []
    at_ms = int(begin.replace(tzinfo=UTC).timestamp() * 1000)
    for _ in range(count):
        at_ms = schedule.after(at_ms)
        local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone))
        found.append(f"{local:%d %H:%M}{local.utcoffset() / timedelta(hours=1):+g}")
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 2 * * *", ["29 02:30+1", "30 03:00+2", "31 02:30+2"]),
        ("0 3 * * *", ["29 03:00+1", "30 03:00+2", "31 03:00+2"]),
        ("15,45 2-3 30 * *", ["30 03:00+2", "30 03:15+2", "30 03:45+2"]),
        ("30 * 30 * *", ["30 00:30+1", "30 01:30+1", "30 03:30+2"]),
        ("*/30 * 30 * *", ["30 00:00+1", "30 00:30+1", "30 01:00+1", "30 01:30+1", "30 03:00+2", "30 03:30+2"]),
    ],
)
def test_clocks_put_forward(expression, expected):
    assert times(expression, "Europe/Berlin", datetime(2025, 3, 28, 22), len(expected)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 2 * * *", ["25 02:30+2", "26 02:30+2", "27 02:30+1"]),
        ("0 1-3 26 * *", ["26 01:00+2", "26 02:00+2", "26 03:00+1"]),
        ("30 * 26 * *", ["26 00:30+2", "26 01:30+2", "26 02:30+2", "26 02:30+1", "26 03:30+1"]),
        ("*/30 * 26 * *", ["26 00:00+2", "26 00:30+2", "26 01:00+2", "26 01:30+2", "26 02:00+2", "26 02:30+2",
                           "26 02:00+1", "26 02:30+1", "26 03:00+1"]),
    ],
)  # fmt: skip
def test_clocks_put_back(expression, expected):
    assert times(expression, "Europe/Berlin", datetime(2025, 10, 24, 22), len(expected)) == expected


def instants(zone, around):
    """All minutes of some days around a moment."""
    begin = around.replace(tzinfo=UTC) - timedelta(days=2)
    return [(begin + MINUTE * n, (begin + MINUTE * n).astimezone(zone)) for n in range(5 * 24 * 60)]


def in_real_time(rows, matches):
    return [instant for instant, local in rows if matches(local)]


def on_the_wall(rows, matches):
    """Each reading of the clock counts where it is shown first, or else at the first minute after it was due."""
    found, shown = [], None
    for instant, local in rows:
        wall = local.replace(tzinfo=None, fold=0)
        passed = [wall] if shown is None else [shown + MINUTE * n for n in range(1, (wall - shown) // MINUTE + 1)]
        if any(matches(one) for one in passed):
            found.append(instant)
        shown = wall if shown is None else max(shown, wall)
    return found


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CHANGES), st.integers(-36 * 60, 36 * 60), texts.fields(0, 59), texts.fields(0, 23))
def test_the_next_time_around_a_change_is_the_one_that_trying_all_of_them_finds(change, shift, minutes, hours):
    name, around = change
    rows = instants(ZoneInfo(name), around)
    search = in_real_time if len(hours[1]) == 24 else on_the_wall
    expected = search(rows, lambda local: local.minute in minutes[1] and local.hour in hours[1])
    begin = around.replace(tzinfo=UTC) + MINUTE * shift
    expected = [instant for instant in expected if instant > begin][:80]
    schedule, found, at_ms = CronSchedule(f"{minutes[0]} {hours[0]} * * *", name), [], int(begin.timestamp() * 1000)
    for _ in expected:
        at_ms = schedule.after(at_ms)
        found.append(datetime.fromtimestamp(at_ms / 1000, UTC))
    assert found == expected
