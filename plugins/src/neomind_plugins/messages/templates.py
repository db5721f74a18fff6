"""Texts of rules with variables: ``{value}`` or ``${value}``. A name that is not known stays as it is written.

There is nothing to evaluate in them, only names to look up, so a text can do no harm.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from neomind_sdk import Firing

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
VALUE_MAX = 1000
_NAME = re.compile(r"\$?\{\s*([^{}\s](?:[^{}]*[^{}\s])?)\s*\}")
_OPEN = re.compile(r"\$\{(?![^{}]*\S[^{}]*\})")


def render(text: str, names: Mapping[str, Any]) -> str:
    """``text`` with the values of ``names``; ``a.b`` looks into an object."""

    def value(match: re.Match[str]) -> str:
        found = look_up(match[1], names)
        return match[0] if found is None else written(found)

    return _NAME.sub(value, text)


def problem_of(text: str) -> str | None:
    """What is wrong with a template."""
    broken = _OPEN.search(text)
    return f"has a '${{' at character {broken.start() + 1} without a name and a '}}' behind it" if broken else None


def look_up(name: str, names: Mapping[str, Any]) -> Any:
    if name in names:
        return names[name]
    first, dot, rest = name.partition(".")
    inner = names.get(first) if dot else None
    return look_up(rest, inner) if isinstance(inner, Mapping) else None


def written(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, str):
        return value[:VALUE_MAX]
    try:
        text = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        text = str(value)
    return text[:VALUE_MAX]


def names_of(firing: Firing) -> dict[str, Any]:
    """What a text of a rule may name.

    The rule's variables; each value by its source and, where no other has it, by its metric; of the first condition
    ``source_id``, ``device_id``, ``metric``, and ``value`` unless that is text; ``rule_id``, ``rule_name``,
    ``timestamp``.
    """
    fired = EPOCH + timedelta(milliseconds=firing.fired_ms)
    metrics: dict[str, Any] = {}
    for source, value in firing.values.items():
        metric = parts_of(source)[2]
        metrics[metric] = None if metric in metrics else value
    return {
        **metrics,
        **firing.values,
        **first_of(firing),
        "rule_id": firing.rule_id,
        "rule_name": firing.rule_name,
        "timestamp": fired.isoformat(timespec="seconds"),
        **{name: value for name, value in firing.variables.items() if value is not None},
    }


def first_of(firing: Firing) -> dict[str, Any]:
    """What is known of the first condition."""
    source = next(iter(firing.values), None)
    if source is None:
        return {}
    kind, ident, metric = parts_of(source)
    found = {"source_id": source, "metric": metric} | ({"device_id": ident} if kind == "device" else {})
    value = firing.values[source]
    return found if isinstance(value, str) else {**found, "value": value}


def device_of(firing: Firing) -> str | None:
    """The device that a firing is about: what the rule says, else that of the first condition."""
    found = firing.variables.get("device_id") or first_of(firing).get("device_id")
    return found if isinstance(found, str) else None


def parts_of(source: str) -> tuple[str, str, str]:
    """A data source id, taken apart: ``device:boiler:temperature``."""
    kind, _, rest = source.partition(":")
    ident, _, metric = rest.partition(":")
    return kind, ident, metric
