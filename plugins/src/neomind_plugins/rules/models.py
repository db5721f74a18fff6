"""What the routes of rules take, and the settings of rules."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import fields

from . import triggers

DAY_MS = 86_400_000
SPAN_MAX_MS = 366 * DAY_MS
NAME_MAX, DESCRIPTION_MAX, TAG_MAX, TAGS_MAX, ACTIONS_MAX = 100, 500, 100, 50, 50
LIMIT_MAX = 1000
KEEP: Any = object()
"""Stands for a member that a body does not have, where ``null`` has a meaning of its own."""


@attrs.frozen(kw_only=True)
class RuleSettings:
    """``workers`` rules at a time run their actions, each action for at most ``action_timeout_s``.

    A rule fires ``firings_per_minute`` times a minute at most, after ``burst`` at once. ``history_days`` is how long
    firings are kept, ``trace_size`` how many entries the trace of a rule has.
    """

    workers: int = fields.number(ge=1, le=64, default=8)
    action_timeout_s: float = fields.number(ge=1, le=600, default=60.0)
    burst: int = fields.number(ge=1, le=100_000, default=600)
    firings_per_minute: int = fields.number(ge=1, le=100_000, default=600)
    history_days: int = fields.number(ge=1, le=3650, default=30)
    trace_size: int = fields.number(ge=1, le=1000, default=50)


def _described(value: Any) -> str | None:
    if value is KEEP:
        return None
    if not isinstance(value, str) or not fields.clean(value):
        return "must be text"
    return None if len(value.strip()) <= DESCRIPTION_MAX else f"must have at most {DESCRIPTION_MAX} characters"


def _duration(value: Any) -> str | None:
    if value is KEEP:
        return None
    whole = isinstance(value, int) and not isinstance(value, bool)
    return None if whole and 0 <= value <= SPAN_MAX_MS else f"must be 0 to {SPAN_MAX_MS} milliseconds"


def _keep() -> Any:
    return KEEP


@attrs.frozen(kw_only=True)
class RuleBody:
    """A rule, or with PUT any part of one: what is absent stays as it is.

    ``trigger``    ``{"trigger_type": "data_change" | "manual"}``, or ``"schedule"`` with ``cron`` (5, 6 or 7 fields,
                   ``timezone`` optional) or ``interval`` (seconds)
    ``condition``  ``comparison``, ``range`` or ``logical``; null for none
    ``actions``    objects with ``type`` and what that type takes
    ``cooldown`` and ``for_duration`` are milliseconds; ``source`` is the client's own and comes back as it is
    """

    name: str | None = fields.text(min=1, max=NAME_MAX, default=None)
    description: Any = fields.field(_described, factory=_keep, schema={"type": ["string", "null"]})
    enabled: bool | None = None
    tags: list[str] | None = None
    trigger: dict[str, Any] | None = None
    condition: Any = fields.field(factory=_keep, schema={"type": ["object", "null"]})
    actions: list[Any] | None = None
    cooldown: int | None = fields.number(ge=0, le=SPAN_MAX_MS, default=None)
    for_duration: Any = fields.field(_duration, factory=_keep, schema={"type": ["integer", "null"], "minimum": 0})
    source: Any = attrs.field(factory=_keep)


@attrs.frozen(kw_only=True)
class RuleQuery:
    """``search`` looks at names and descriptions; without ``limit`` all rules come."""

    enabled: bool | None = None
    trigger_type: str | None = fields.one_of(triggers.KINDS, default=None)
    tag: str | None = None
    search: str | None = None
    limit: int | None = fields.number(ge=1, le=LIMIT_MAX, default=None)
    offset: int = fields.number(ge=0, default=0)


@attrs.frozen(kw_only=True)
class HistoryQuery:
    limit: int = fields.number(ge=1, le=LIMIT_MAX, default=100)
    offset: int = fields.number(ge=0, default=0)


@attrs.frozen(kw_only=True)
class TestQuery:
    """``execute`` really runs the actions when the condition holds."""

    __test__ = False

    execute: bool = False


@attrs.frozen(kw_only=True)
class EnableBody:
    enabled: bool = True


@attrs.frozen(kw_only=True)
class CheckBody:
    """Parts of a rule to be checked."""

    trigger: dict[str, Any] | None = None
    condition: Any = None
    actions: list[Any] | None = None
    cooldown: int | None = fields.number(ge=0, le=SPAN_MAX_MS, default=None)
