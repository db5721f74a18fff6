"""Rules: kept, changed, and put to work."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import attrs

from neomind_sdk import ApiError, Clock, Conflict, Database, Logger
from neomind_sdk.turns import Turns

from . import forms, tables
from .actions import ActionTypes
from .checking import Checker
from .deciding import Decider
from .engine import Engine
from .errors import BadRule, unknown_rule
from .kept import MANUAL, SCHEDULED, Issue, Raised, Rule, RuleState
from .live import Live, made
from .models import RuleBody, RuleQuery
from .recorder import Recorder
from .runner import Runner
from .schedules import Schedules
from .trace import span
from .values import Index, Values

RULES_MAX = 100_000
RESULT_S = 60.0
"""How long a request waits for the actions it asked for."""


@attrs.frozen(kw_only=True)
class Parts:
    """What rules are made of."""

    database: Database
    clock: Clock
    log: Logger
    settings: Any
    types: ActionTypes
    checker: Checker
    index: Index
    values: Values
    recorder: Recorder
    decider: Decider
    engine: Engine


@attrs.frozen(kw_only=True)
class Fired:
    """What came of triggering a rule: ``raised`` when it fired, else ``error`` says why not."""

    raised: Raised | None = None
    error: str | None = None


class Rules:
    """All rules. Changes take turns; looking is a matter of memory."""

    def __init__(self, parts: Parts, rules: dict[str, Live]) -> None:
        self.parts = parts
        self._rules = rules
        self._turns = Turns()
        self.runner: Runner
        self.schedules: Schedules

    async def load(self) -> None:
        """Take up all rules as they were left."""
        await self.parts.recorder.start()
        for rule, state in await self.parts.database.read(tables.all_rules):
            self._install(self._made(rule, state))
        self.runner.resume()

    async def close(self) -> None:
        """Stop looking at values; let actions under way end; write what is not written."""
        for live in self._rules.values():
            self.schedules.drop(live)
            if live.timer is not None:
                live.timer.cancel()
        await self._turns.close()
        await self.runner.close()
        await self.parts.recorder.flush()

    # ---- looking ----

    def all(self) -> Sequence[Live]:
        """In the order they were made."""
        return list(self._rules.values())

    def find(self, rule_id: str) -> Live | None:
        return self._rules.get(rule_id)

    def get(self, rule_id: str) -> Live:
        """Raises ``NotFound``."""
        live = self._rules.get(rule_id)
        if live is None:
            raise unknown_rule(rule_id)
        return live

    def matching(self, query: RuleQuery) -> list[Live]:
        """The rules that a query asks for, before paging."""
        return [live for live in self._rules.values() if wanted(live.rule, query)]

    async def history(self, rule_id: str, limit: int, offset: int = 0) -> list[Raised]:
        """The firings of a rule, newest first."""
        self.get(rule_id)
        return await self.parts.database.read(lambda: tables.history(rule_id, limit, offset))

    def issues(self, rule: Rule) -> list[Issue]:
        return self.parts.checker.issues(rule.trigger, rule.condition, rule.actions, rule.cooldown_ms)

    # ---- changing ----

    async def create(self, body: RuleBody) -> tuple[Live, list[Issue]]:
        """A new rule, and what is to be said about it; raises ``ApiError`` for one that cannot be."""
        rule = forms.new_rule(body, self.parts.types, self.parts.clock.now_ms())
        warnings = self._checked(rule)
        return await self._turns.run(lambda: self._add(rule)), warnings

    async def update(self, rule_id: str, body: RuleBody) -> tuple[Live, list[Issue]]:
        """Change what the body has."""
        return await self._turns.run(lambda: self._update(rule_id, body))

    async def enable(self, rule_id: str, enabled: bool) -> Live:
        """Enabling also lets a rule go on that the platform paused."""
        live, _ = await self._turns.run(lambda: self._update(rule_id, RuleBody(enabled=enabled), check=False))
        return live

    async def delete(self, rule_id: str) -> None:
        await self._turns.run(lambda: self._delete(rule_id))

    async def take_in(self, entries: Sequence[Any]) -> tuple[int, list[str]]:
        """Import rules one by one; how many there are now, and why others are not."""
        errors = []
        for index, entry in enumerate(entries):
            try:
                await self._take_in(entry)
            except ApiError as error:
                if error.status >= 500:
                    raise
                errors.append(f"rules[{index}]: {error.message}")
        return len(entries) - len(errors), errors

    # ---- firing ----

    async def trigger(self, rule_id: str, *, cause: str | None = None, hops: int = 0) -> Fired:
        """Fire by hand: whether or not it is enabled, however short the condition has held; waits for the actions."""
        live = self.get(rule_id)
        await self.parts.engine.know(live)
        decider = self.parts.decider
        if live.state.paused is not None:
            return Fired(error=f"The rule is paused: {live.state.paused}")
        if left := decider.cooling_s(live):
            return Fired(error=f"The rule is in its cooldown for {span(left)} more")
        if not decider.holds(live):
            return Fired(error="Condition not met")
        raised = decider.fire(live, MANUAL, cause, hops)
        if raised is None:
            return Fired(error=live.state.paused or "The rule fires too often")
        return await self.result(raised)

    async def due(self, rule_id: str) -> None:
        """The schedule of a rule came."""
        live = self._rules.get(rule_id)
        if live is not None and live.active:
            await self.parts.engine.know(live)
            self.parts.decider.look(live, SCHEDULED)

    async def result(self, raised: Raised) -> Fired:
        """What came of a firing; it goes on when nobody waits any longer."""
        try:
            return Fired(raised=await asyncio.wait_for(self.runner.expect(raised), RESULT_S))
        except TimeoutError:
            return Fired(raised=raised, error=f"The actions have not ended after {RESULT_S:g} s; they go on")

    def ended(self, raised: Raised) -> None:
        """The actions of a firing have run."""
        live = self._rules.get(raised.rule_id)
        if live is None:
            return
        live.trace.ended(raised)
        if any(outcome.ok for outcome in raised.outcomes):
            live.state = attrs.evolve(live.state, refunded=False)
        elif raised.outcomes and raised.kind in (MANUAL, SCHEDULED):
            self.parts.decider.refund(live)

    def reschedule(self) -> None:
        """Try again what could not be scheduled."""
        for live in self._rules.values():
            if live.problem is not None:
                self.schedules.apply(live)

    def stopped(self, live: Live) -> None:
        """The platform paused a rule: nothing makes it be looked at."""
        self._reindex(live)
        self.schedules.drop(live)

    # ---- inside ----

    def _checked(self, rule: Rule) -> list[Issue]:
        """The warnings; raises ``BadRule`` for errors."""
        issues = self.issues(rule)
        errors = [(str(issue.field), issue.message) for issue in issues if issue.severity == "error"]
        if errors:
            raise BadRule(*errors)
        return issues

    async def _add(self, rule: Rule) -> Live:
        if rule.id in self._rules:
            raise Conflict(f"There is a rule with id '{rule.id}' already")
        if len(self._rules) >= RULES_MAX:
            raise Conflict(f"There are {RULES_MAX} rules already")
        await self.parts.database.write(lambda: tables.put_rule(rule))
        live = self._made(rule, RuleState())
        self._install(live)
        return live

    async def _take_in(self, entry: Any) -> None:
        rule = forms.imported(entry, self.parts.types, self.parts.clock.now_ms(), self._rules.__contains__)
        self._checked(rule)
        await self._turns.run(lambda: self._add(rule))

    async def _update(self, rule_id: str, body: RuleBody, *, check: bool = True) -> tuple[Live, list[Issue]]:
        live = self.get(rule_id)
        rule = forms.merged(live.rule, body, self.parts.types, self.parts.clock.now_ms())
        warnings = self._checked(rule) if check else []
        resume, anew = bool(body.enabled), live.holds_anew(rule) or not rule.enabled

        def work() -> None:
            tables.put_rule(rule)
            if resume:
                tables.resume(rule_id)
            if anew:
                tables.forget_since(rule_id)

        await self.parts.recorder.alone(work)
        self._redefine(live, rule, resume=resume)
        return live, warnings

    async def _delete(self, rule_id: str) -> None:
        live = self.get(rule_id)
        await self.parts.database.write(lambda: tables.delete_rule(rule_id))
        del self._rules[rule_id]
        live.clear_since()
        self.schedules.drop(live)
        self.parts.values.forget(self.parts.index.remove(live))

    def _made(self, rule: Rule, state: RuleState) -> Live:
        return made(rule, state, self.parts.settings(), self.parts.clock)

    def _install(self, live: Live) -> None:
        self._rules[live.id] = live
        self.parts.index.add(live)
        self.schedules.apply(live)
        if live.active:
            self.parts.decider.arm(live)
        elif live.clear_since():
            self.parts.recorder.note(live)

    def _redefine(self, live: Live, rule: Rule, *, resume: bool) -> None:
        """Put a changed rule to work; its state stays."""
        gone = self.parts.index.remove(live)
        live.define(rule)
        if resume:
            live.state = attrs.evolve(live.state, paused=None, paused_ms=None)
        if not live.active:
            live.clear_since()
        self.parts.index.add(live)
        self.parts.values.forget(source for source in gone if source not in live.sources)
        self.parts.recorder.note(live)
        self.schedules.apply(live)

    def _reindex(self, live: Live) -> None:
        self.parts.index.remove(live)
        self.parts.index.add(live)


def wanted(rule: Rule, query: RuleQuery) -> bool:
    if query.enabled is not None and rule.enabled is not query.enabled:
        return False
    if query.trigger_type is not None and rule.trigger.kind != query.trigger_type:
        return False
    if query.tag is not None and query.tag not in rule.tags:
        return False
    text = (query.search or "").strip().casefold()
    return text in rule.name.casefold() or text in (rule.description or "").casefold()
