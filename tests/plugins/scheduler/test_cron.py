"""Cron expressions: what is refused, and what the others mean, against a search that tries every time."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neomind_plugins.scheduler.walltime import CronSchedule
from neomind_sdk import ValidationFailed

from . import cron_texts as texts

YEARS = 5


def ms(*parts):
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)


def shown(at_ms):
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def brute_force(after, values, days_match):
    """The first second after ``after`` that matches, within some years, found by trying all of them in order."""
    seconds, minutes, hours = (sorted(each) for each in values)
    day = after.replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(366 * YEARS):
        if days_match(day):
            for hour in hours:
                for minute in minutes:
                    for second in seconds:
                        time = day.replace(hour=hour, minute=minute, second=second)
                        if time > after:
                            return time
        day += timedelta(days=1)
    return None


def day_matcher(days, months, weekdays):
    """Of ``(text, values)`` each; a weekday is 0 for Sunday."""
    either = not days[0].startswith("*") and not weekdays[0].startswith("*")

    def matches(day):
        by_day, by_weekday = day.day in days[1], (day.isoweekday() % 7) in weekdays[1]
        return day.month in months[1] and (by_day or by_weekday if either else by_day and by_weekday)

    return matches


MOMENTS = st.datetimes(datetime(2023, 1, 1), datetime(2031, 12, 31)).map(lambda time: time.replace(tzinfo=UTC))


@settings(max_examples=300, deadline=None)
@given(
    MOMENTS, texts.fields(0, 59), texts.fields(0, 59), texts.fields(0, 23), texts.fields(1, 31), texts.months(),
    texts.weekdays(), st.sampled_from([5, 6, 7]),
)  # fmt: skip
def test_the_next_time_is_the_one_that_trying_all_of_them_finds(
    after, second, minute, hour, day, month, weekday, count
):
    second = ("0", {0}) if count == 5 else second
    written = [second, minute, hour, day, month, weekday][6 - min(count, 6) :]
    expression = " ".join(text for text, _ in written) + (" *" if count == 7 else "")
    matches = day_matcher(day, month, weekday)
    if not any(matches(datetime(2024, 1, 1) + timedelta(days=n)) for n in range(366 * 28)):
        with pytest.raises(ValidationFailed, match="does not exist in the month"):
            CronSchedule(expression, "UTC")
        return
    schedule = CronSchedule(expression, "UTC")
    expected = brute_force(after, (second[1], minute[1], hour[1]), matches)
    found = schedule.after(int(after.timestamp() * 1000))
    if expected is None:  # 29 February on some weekday may be further away than the search goes
        assert found is None or found > (after + timedelta(days=366 * YEARS - 1)).timestamp() * 1000
    else:
        assert found == int(expected.timestamp() * 1000)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/15 * * * *", "2025-01-01 00:15:00"),
        ("0 9 * * 1-5", "2025-01-01 09:00:00"),
        ("0 0 * * 0", "2025-01-05 00:00:00"),
        ("0 0 * * 7", "2025-01-05 00:00:00"),
        ("0 0 * * SUN", "2025-01-05 00:00:00"),
        ("0 0 * * fri-sun", "2025-01-03 00:00:00"),
        ("0 0 * * sat-7", "2025-01-04 00:00:00"),
        ("0 0 ? * 1", "2025-01-06 00:00:00"),
        ("30 0 0 * * *", "2025-01-01 00:00:30"),
        ("0 30 8 1 1 * 2027", "2027-01-01 08:30:00"),
        ("0 0 29 2 *", "2028-02-29 00:00:00"),
        ("0 0 13 * fri", "2025-01-03 00:00:00"),
        ("0 0 */2 * fri", "2025-01-03 00:00:00"),
        ("5/20 * * * *", "2025-01-01 00:05:00"),
        ("  0   9  *  *  *  ", "2025-01-01 09:00:00"),
    ],
)
def test_known_expressions(expression, expected):
    assert shown(CronSchedule(expression, "UTC").after(ms(2025, 1, 1))) == expected


def test_a_year_that_is_over_never_comes():
    assert CronSchedule("0 0 0 1 1 * 2020", "UTC").after(ms(2025, 1, 1)) is None


def test_the_time_itself_does_not_come_after_itself():
    schedule = CronSchedule("0 * * * *", "UTC")
    assert schedule.after(ms(2025, 1, 1) - 1) == ms(2025, 1, 1)
    assert schedule.after(ms(2025, 1, 1)) == ms(2025, 1, 1, 1)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("", "must have 5 fields"),
        ("* * * *", "not 4"),
        ("* * * * * * * *", "not 8"),
        ("60 * * * *", "the minute '60' must be 0 to 59"),
        ("* 24 * * *", "the hour '24' must be 0 to 23"),
        ("* * 0 * *", "the day of month '0' must be 1 to 31"),
        ("* * * 13 *", "the month '13' must be 1 to 12"),
        ("* * * * 8", "the day of week '8' must be 0 to 7"),
        ("* * * * monday", "the day of week 'monday' must be a number or one of sun, mon"),
        ("jan * * * *", "the minute 'jan' must be a number"),
        ("*/0 * * * *", "the step of the minute '*/0' must be at least 1"),
        ("10-5 * * * *", "the minute '10-5' runs backwards"),
        ("* * * * fri-mon", "the day of week 'fri-mon' runs backwards"),
        ("1,,2 * * * *", "the minute ''"),
        ("*-5 * * * *", "the minute '*-5'"),
        ("-1 * * * *", "the minute '-1'"),
        ("1.5 * * * *", "the minute '1.5'"),
        ("٣ * * * *", "the minute '٣'"),
        ("* * L * *", "the day of month 'l'"),
        ("0 0 30 2 *", "the day of month '30' does not exist in the month '2'"),
        ("0 0 31 4,6,9,11 *", "does not exist"),
        ("0 0 0 * * * 1969", "the year '1969' must be 1970 to 2199"),
        ("@daily", "not 1"),
        ("1," * 600 + "1 * * * *", "at most 1000 characters"),
    ],
)
def test_what_is_refused_says_why(expression, problem):
    with pytest.raises(ValidationFailed) as caught:
        CronSchedule(expression, "UTC")
    assert problem in caught.value.message
    assert caught.value.details[0]["field"] == "expression"


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(ValidationFailed):
        CronSchedule(text, "UTC").after(ms(2025, 1, 1))


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Europe"])
def test_an_unknown_time_zone_is_named(zone):
    with pytest.raises(ValidationFailed, match="timezone: there is no time zone"):
        CronSchedule("* * * * *", zone)
