"""Time on the wire and inside: epoch seconds with up to three decimals outside, integer milliseconds inside.

Every conversion of the platform is one of these functions.
"""

from __future__ import annotations

import re

SECOND_MS = 1000
HOUR_MS = 3600 * SECOND_MS
DAY_MS = 24 * HOUR_MS
MAX_MS = 10**14
"""The year 5138: the largest time there is. As seconds it is the limit above which a number means milliseconds."""

_SPANS_MS = {
    "s": SECOND_MS,
    "m": 60 * SECOND_MS,
    "min": 60 * SECOND_MS,
    "h": HOUR_MS,
    "d": DAY_MS,
    "w": 7 * DAY_MS,
    "mo": 30 * DAY_MS,
}
_SPAN = re.compile(r"([0-9]{1,12})(mo|min|[smhdw])")


def seconds(ts_ms: int) -> int | float:
    """Milliseconds as epoch seconds: whole ones are ``int``, others carry up to three decimals."""
    return ts_ms / SECOND_MS if ts_ms % SECOND_MS else ts_ms // SECOND_MS


def milliseconds(value: int | float) -> int:
    """A time from outside: seconds, or milliseconds when it is above 1e11, as milliseconds.

    Finer fractions are rounded to the millisecond. Raises ``ValueError`` for what is negative, NaN, or past
    ``MAX_MS``.
    """
    if not value >= 0:  # NaN compares with nothing
        raise ValueError("must be a number and not negative")
    if value > MAX_MS:
        raise ValueError("is too far in the future")
    return round(value if value > MAX_MS // SECOND_MS else value * SECOND_MS)


def device_time(value: object, now_ms: int) -> int:
    """The time a device gives for its sample, as milliseconds.

    Raises ``ValueError`` for what is not a number, and as ``milliseconds`` and ``check_device_time`` do.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number of seconds or milliseconds since 1970")
    return check_device_time(milliseconds(value), now_ms)


def check_device_time(ts_ms: int, now_ms: int) -> int:
    """``ts_ms``; raises ``ValueError`` when it is negative or more than a day ahead, as no honest clock is."""
    if ts_ms < 0:
        raise ValueError("must not be negative")
    if ts_ms > now_ms + DAY_MS:
        raise ValueError("is more than a day in the future")
    return ts_ms


def span_ms(text: str) -> int:
    """A length of time such as ``90s``, ``5m``, ``5min``, ``1h``, ``7d``, ``2w`` or ``1mo`` (30 days) in milliseconds.

    Raises ``ValueError`` for any other text and for a length of zero.
    """
    match = _SPAN.fullmatch(text.strip().lower())
    if match is None or int(match[1]) == 0:
        raise ValueError("must be a number with a unit: s, m or min, h, d, w, mo (30 days), e.g. 24h")
    return int(match[1]) * _SPANS_MS[match[2]]
