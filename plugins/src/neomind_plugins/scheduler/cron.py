"""Cron expressions: from text to the values of each field."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from neomind_sdk import ValidationFailed

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
MAX_LENGTH = 1000
PATH = "expression"

_PART = re.compile(r"(?P<first>\*|\?|[a-z]+|\d{1,4})(?:-(?P<last>[a-z]+|\d{1,4}))?(?:/(?P<step>\d{1,4}))?", re.ASCII)


@attrs.frozen
class FieldKind:
    """One of the fields: its name for people, its least and greatest value, and names of values."""

    name: str
    least: int
    greatest: int
    names: Mapping[str, int] = attrs.field(factory=dict)

    @property
    def everything(self) -> frozenset[int]:
        return frozenset(range(self.least, self.greatest + 1))


SECOND = FieldKind("second", 0, 59)
MINUTE = FieldKind("minute", 0, 59)
HOUR = FieldKind("hour", 0, 23)
DAY = FieldKind("day of month", 1, 31)
MONTH = FieldKind("month", 1, 12, {name: number for number, name in enumerate(MONTHS, 1)})
WEEKDAY = FieldKind("day of week", 0, 7, {name: number for number, name in enumerate(WEEKDAYS)})
YEAR = FieldKind("year", 1970, 2199)
KINDS = (SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY, YEAR)


@attrs.frozen(kw_only=True)
class CronFields:
    """The values of each field, all of them where the field is ``*``; weekdays count from Sunday = 0.

    ``either_day``  as in every cron: where neither day field begins with ``*``, a day need satisfy one of them only
    """

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    years: frozenset[int]
    either_day: bool


def parse(expression: str) -> CronFields:
    """Read an expression of 5 fields (minute, hour, day, month, weekday), 6 (second first) or 7 (year last).

    A field is ``*``, a value, a range ``a-b``, any of these with a step ``/n``, or a list of them; months and weekdays
    may be called by their three-letter names; ``?`` is ``*``. Raises ``ValidationFailed`` naming the field at fault.
    """
    texts = _seven(expression)
    seconds, minutes, hours, days, months, weekdays, years = map(_field, KINDS, texts)
    either_day = texts[3][0] not in "*?" and texts[5][0] not in "*?"
    if not either_day and not any(day <= LONGEST_MONTHS[month - 1] for day in days for month in months):
        raise _refused(f"the day of month '{texts[3]}' does not exist in the month '{texts[4]}'")
    return CronFields(
        seconds=seconds,
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=frozenset(day % 7 for day in weekdays),
        years=years,
        either_day=either_day,
    )


def _seven(expression: str) -> list[str]:
    if len(expression) > MAX_LENGTH:
        raise _refused(f"must be at most {MAX_LENGTH} characters")
    texts = expression.lower().split()
    if len(texts) not in (5, 6, 7):
        shapes = "5 fields (minute hour day month weekday), 6 (second first) or 7 (year last)"
        raise _refused(f"must have {shapes}, not {len(texts)}")
    texts = ["0", *texts] if len(texts) == 5 else texts
    return [*texts, "*"] if len(texts) == 6 else texts


def _field(kind: FieldKind, text: str) -> frozenset[int]:
    return frozenset().union(*(_part(kind, part) for part in text.split(",")))


def _part(kind: FieldKind, text: str) -> range:
    found = _PART.fullmatch(text)
    if not found or (found["first"] in "*?" and found["last"]):
        raise _refused(f"the {kind.name} '{text}' must be *, a value, a range a-b, or one of these with a step /n")
    step = int(found["step"] or 1)
    if step == 0:
        raise _refused(f"the step of the {kind.name} '{text}' must be at least 1")
    first, last = _ends(kind, found)
    if first > last:
        raise _refused(f"the {kind.name} '{text}' runs backwards; write it as two ranges")
    return range(first, last + 1, step)


def _ends(kind: FieldKind, found: re.Match[str]) -> tuple[int, int]:
    if found["first"] in "*?":
        # Sunday has two numbers: counted from 0, a step must not come to it a second time.
        return kind.least, 6 if kind is WEEKDAY else kind.greatest
    first = _value(kind, found["first"])
    if found["last"]:
        last = _value(kind, found["last"])
        return first, 7 if kind is WEEKDAY and found["last"] == "sun" and first else last
    if found["step"]:
        return first, max(first, 6) if kind is WEEKDAY else kind.greatest
    return first, first


def _value(kind: FieldKind, text: str) -> int:
    value = int(text) if text.isdigit() else kind.names.get(text)
    if value is None:
        names = f" or one of {', '.join(kind.names)}" if kind.names else ""
        raise _refused(f"the {kind.name} '{text}' must be a number{names}")
    if not kind.least <= value <= kind.greatest:
        raise _refused(f"the {kind.name} '{text}' must be {kind.least} to {kind.greatest}")
    return value


def _refused(problem: str) -> ValidationFailed:
    return ValidationFailed((PATH, problem))
