"""Cron expressions with their meaning: made together, so that a test knows it without reading the expression."""

from __future__ import annotations

from hypothesis import strategies as st

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]


@st.composite
def parts(draw, low, high, names=None):
    """One part of a field that is not ``*`` alone: its text and its values."""
    first = draw(st.integers(low, high))
    last = draw(st.integers(first, high))
    step = draw(st.integers(1, 20))
    spell = (lambda value: draw(st.sampled_from([str(value), names[value], names[value].upper()]))) if names else str
    shapes = [
        (spell(first), range(first, first + 1)),
        (f"{spell(first)}-{spell(last)}", range(first, last + 1)),
        (f"{spell(first)}-{spell(last)}/{step}", range(first, last + 1, step)),
        (f"{first}/{step}", range(first, high + 1, step)),
        (f"*/{step}", range(low, high + 1, step)),
    ]
    return draw(st.sampled_from(shapes))


@st.composite
def fields(draw, low, high, names=None):
    """A field: its text and its values."""
    if draw(st.integers(0, 2)) == 0:
        return "*", set(range(low, high + 1))
    chosen = draw(st.lists(parts(low, high, names), min_size=1, max_size=3))
    return ",".join(text for text, _ in chosen), set().union(*(values for _, values in chosen))


def months():
    return fields(1, 12, dict(enumerate(MONTHS, 1)))


def weekdays():
    return fields(0, 6, dict(enumerate(WEEKDAYS)))
