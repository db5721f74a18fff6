"""Topic names and topic filters, as MQTT 3.1.1, section 4.7, defines them."""

from __future__ import annotations

from collections.abc import Iterable

from neomind_sdk import fields

MAX_BYTES = 65_535
ONE = "+"
REST = "#"


def topic_problem(topic: str) -> str | None:
    """Why nothing can be published to ``topic``; ``None`` when it can."""
    if ONE in topic or REST in topic:
        return "must not have the wildcards + and #"
    return _text_problem(topic)


def filter_problem(pattern: str) -> str | None:
    """Why nobody can subscribe to ``pattern``; ``None`` when one can."""
    *levels, last = pattern.split("/")
    if any(REST in level for level in levels) or (REST in last and last != REST):
        return "# must be the whole of the last level"
    if any(ONE in level and level != ONE for level in (*levels, last)):
        return "+ must be the whole of a level"
    return _text_problem(pattern)


def matches(pattern: str, topic: str) -> bool:
    """Whether a subscription to ``pattern`` gets what is published to ``topic``.

    A wildcard at the beginning does not match topics that begin with ``$``; ``a/#`` matches ``a`` too.
    """
    wanted, levels = pattern.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in (ONE, REST):
        return False
    for number, level in enumerate(wanted):
        if level == REST:
            return True
        if number == len(levels) or level not in (ONE, levels[number]):
            return False
    return len(wanted) == len(levels)


def covers(wide: str, narrow: str) -> bool:
    """Whether ``wide`` matches every topic that ``narrow`` matches; ``False`` in the few cases it cannot see."""
    outer, inner = wide.split("/"), narrow.split("/")
    if narrow.startswith("$") and outer[0] in (ONE, REST):
        return False
    for number, level in enumerate(outer):
        if level == REST:
            return True
        if number == len(inner) or inner[number] == REST or level not in (ONE, inner[number]):
            return False
    return len(outer) == len(inner)


def without_covered(patterns: Iterable[str]) -> list[str]:
    """The patterns that no other one covers: brokers may deliver a message once for each that matches."""
    found = list(dict.fromkeys(patterns))
    wide = [one for one in found if ONE in one or REST in one]  # a topic covers nothing but itself
    return [one for one in found if not any(other != one and covers(other, one) for other in wide)]


def _text_problem(text: str) -> str | None:
    if not text:
        return "must not be empty"
    if not fields.clean(text):
        return "must not hold NUL or unpaired surrogates"
    return None if len(text.encode()) <= MAX_BYTES else f"must have at most {MAX_BYTES} bytes"
