"""Rules, their states and their firings as they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from . import conditions, triggers

COOLDOWN_MS = 60_000
PENDING, DONE, CANCELLED = "pending", "done", "cancelled"
DATA, SCHEDULED, MANUAL, TEST, DURATION = "data_change", "schedule", "manual", "test", "for_duration"
"""Why a rule was looked at."""


@attrs.frozen(kw_only=True)
class Rule:
    """What a user says of a rule. ``actions`` are the entries as they came; times in milliseconds."""

    id: str
    name: str
    description: str | None = None
    enabled: bool = True
    tags: tuple[str, ...] = ()
    trigger: triggers.Trigger = triggers.Trigger()
    condition: conditions.Condition | None = None
    actions: tuple[Mapping[str, Any], ...] = ()
    cooldown_ms: int = COOLDOWN_MS
    for_duration_ms: int | None = None
    source: Any = None
    created_ms: int = 0
    updated_ms: int = 0


@attrs.frozen(kw_only=True)
class RuleState:
    """What the platform remembers of a rule; times in milliseconds since the epoch.

    ``cooling_ms``  when the cooldown began, ``since_ms`` since when the condition holds (with ``for_duration`` only)
    ``paused``      why the platform stopped the rule, ``None`` when it did not
    ``refunded``    a cooldown was given back because every action failed; it is not given back again before a success
    """

    trigger_count: int = 0
    last_ms: int | None = None
    cooling_ms: int | None = None
    since_ms: int | None = None
    paused: str | None = None
    paused_ms: int | None = None
    refunded: bool = False


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of one action of a firing."""

    type: str
    ok: bool
    summary: str
    error: str | None = None


@attrs.frozen(kw_only=True)
class Raised:
    """A firing: the actions that are due, as they were then, and what came of them so far."""

    number: int = 0
    rule_id: str
    rule_name: str
    kind: str
    fired_ms: int
    actions: tuple[Mapping[str, Any], ...] = ()
    values: Mapping[str, Any] = attrs.field(factory=dict)
    variables: Mapping[str, Any] = attrs.field(factory=dict)
    cause: str | None = None
    hops: int = 0
    outcomes: tuple[Outcome, ...] = ()
    state: str = PENDING
    error: str | None = None
    duration_ms: float = 0.0

    @property
    def success(self) -> bool:
        return self.state == DONE and all(outcome.ok for outcome in self.outcomes)


@attrs.frozen(kw_only=True)
class Issue:
    """Something about a rule: ``severity`` is ``error``, ``warning`` or ``info``."""

    code: str
    message: str
    field: str | None = None
    severity: str = "warning"
