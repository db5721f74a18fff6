"""A rule at work: its definition, what is remembered of it, and how its times run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from neomind_sdk import Clock, series

from . import conditions
from .compiling import Compiled, LeafResult, ValueOf, compiled
from .kept import MANUAL, Rule, RuleState
from .models import RuleSettings
from .trace import Trace
from .triggers import DATA_CHANGE

PARTLY_PER_S = 10


@attrs.define
class Bucket:
    """Lets ``size`` through at once, and ``per_s`` a second in the long run."""

    size: float
    per_s: float
    level: float = attrs.field(init=False)
    at: float = 0.0

    def __attrs_post_init__(self) -> None:
        self.level = self.size

    def take(self, now: float) -> bool:
        self.level = min(self.size, self.level + (now - self.at) * self.per_s)
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


@attrs.define(kw_only=True, eq=False)
class Live:
    """``cool_until`` and ``since`` are monotonic seconds: setting the clock of the machine changes no wait.

    ``bucket``      keeps it from firing too often
    ``partly``      keeps its condition from being taken apart for the trace too often
    ``origin``      cause and hops of what made the condition hold
    ``unschedule``  takes the rule's job away
    ``problem``     why its schedule does not run
    """

    rule: Rule
    state: RuleState
    trace: Trace
    bucket: Bucket
    partly: Bucket
    compiled: Compiled | None = None
    sources: tuple[str, ...] = ()
    cool_until: float = 0.0
    since: float | None = None
    met: bool | None = None
    origin: tuple[str | None, int] = (None, 0)
    timer: Any = None
    unschedule: Callable[[], None] | None = None
    problem: str | None = None

    @property
    def id(self) -> str:
        return self.rule.id

    @property
    def active(self) -> bool:
        """Whether it fires by itself."""
        return self.rule.enabled and self.state.paused is None

    @property
    def watches(self) -> bool:
        """Whether stored values make it be looked at."""
        return self.active and self.rule.trigger.kind == DATA_CHANGE and self.compiled is not None

    @property
    def duration_s(self) -> float:
        return (self.rule.for_duration_ms or 0) / 1000

    def explain(self, value_of: ValueOf) -> list[LeafResult]:
        return self.compiled.explain(value_of) if self.compiled is not None else []

    def define(self, rule: Rule) -> None:
        """Take over a definition, new or changed."""
        if self.holds_anew(rule):
            self.clear_since()
        self.rule = rule
        self.compiled = None if rule.condition is None else compiled(rule.condition)
        self.sources = conditions.sources(rule.condition)
        self.met = None

    def holds_anew(self, rule: Rule) -> bool:
        """Whether the time for which the condition held does not count for the changed definition."""
        return rule.condition != self.rule.condition or rule.for_duration_ms != self.rule.for_duration_ms

    def clear_since(self) -> bool:
        """Forget since when the condition holds; whether there was anything to forget."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if self.since is None and self.state.since_ms is None:
            return False
        self.since = None
        self.state = attrs.evolve(self.state, since_ms=None)
        return True


def made(rule: Rule, state: RuleState, settings: RuleSettings, clock: Clock) -> Live:
    """A rule as it was kept, with what is left of its times."""
    now, now_ms = clock.monotonic(), clock.now_ms()
    bucket = Bucket(settings.burst, settings.firings_per_minute / 60, at=now)
    partly = Bucket(PARTLY_PER_S, PARTLY_PER_S, at=now)
    live = Live(rule=rule, state=state, trace=Trace(settings.trace_size), bucket=bucket, partly=partly)
    live.define(rule)
    if state.cooling_ms is not None:
        gone = max(0, now_ms - state.cooling_ms)
        live.cool_until = now + max(0, rule.cooldown_ms - gone) / 1000
    if state.since_ms is not None and rule.for_duration_ms:
        live.since = now - max(0, now_ms - state.since_ms) / 1000
    return live


def variables_of(live: Live, value_of: ValueOf, time: str, kind: str = MANUAL) -> dict[str, Any]:
    """What texts of actions may name in braces; ``value`` is there when the first leaf's value is a number."""
    found: dict[str, Any] = {"rule_name": live.rule.name, "rule_id": live.id, "timestamp": time, "trigger": kind}
    leaf = next((leaf for _, leaf in conditions.leaves(live.rule.condition)), None)
    if leaf is None:
        return found
    name, value = series.split(leaf.source), value_of(leaf.source)
    found |= {"source_id": leaf.source, "metric": name.metric, "threshold": leaf.shown}
    found[f"{name.source_type}_id"] = name.source_id
    return found if value is None or isinstance(value, str) else {**found, "value": value}
