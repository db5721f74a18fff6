"""Whether a rule fires: condition, duration, cooldown, and what keeps storms away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import attrs

from neomind_sdk import Clock, EventBus, Logger, RuleEvaluated

from .compiling import ValueOf
from .kept import DATA, DURATION, SCHEDULED, TEST, Raised
from .live import Live, variables_of
from .recorder import Recorder
from .times import iso
from .trace import FAILED, FIRED, NEAR_MISS, condition_steps, span
from .values import Values

HOPS_MAX = 8
NEARLY_S = 1e-6
SCHEDULE_SLACK_S = 1.0
"""A schedule comes some milliseconds early or late: a cooldown as long as its interval must not swallow every other."""


@attrs.define(eq=False)
class Decider:
    """``paused`` is told of a rule that was stopped and the reason; ``know`` looks up the values of a rule."""

    values: Values
    recorder: Recorder
    clock: Clock
    bus: EventBus
    log: Logger
    paused: Callable[[Live, str], None]
    know: Callable[[Live], Awaitable[None]] | None = None

    def look(self, live: Live, kind: str, cause: str | None = None, hops: int = 0) -> None:
        """Evaluate a rule and fire it if it is its time; a rule that cannot be evaluated harms no other."""
        try:
            self._look(live, kind, cause, hops)
        except Exception as error:
            self.log.exception("rule_evaluation_failed", rule_id=live.id)
            steps = [f"The evaluation failed: {type(error).__name__}: {error}."]
            live.trace.add(self.clock.now_ms(), FAILED, "error", steps)

    def cooling_s(self, live: Live, kind: str = DATA) -> float:
        """Seconds of cooldown that are left."""
        left = live.cool_until - self.clock.monotonic()
        slack = min(SCHEDULE_SLACK_S, live.rule.cooldown_ms / 2000) if kind == SCHEDULED else NEARLY_S
        return left if left > slack else 0.0

    def holds(self, live: Live) -> bool:
        """Whether the condition holds for the last stored values; none always does."""
        met = live.compiled is None or live.compiled.check(self.values.of)
        if met is not live.met:
            live.met = met
            self.bus.publish(RuleEvaluated(rule_id=live.id, rule_name=live.rule.name, condition_met=met))
        return met

    def fire(self, live: Live, kind: str, cause: str | None = None, hops: int = 0) -> Raised | None:
        """Raise the actions of a rule unless that would be a storm; claims the cooldown."""
        if hops >= HOPS_MAX and (cause or "").startswith("adapter:"):
            # Said by whoever sent the sample: others must not be able to pause a rule by saying so.
            self._near_miss(live, "hops", kind=kind, end="It did not fire: its values have passed too many platforms.")
            return None
        if hops >= HOPS_MAX:
            reason = f"it feeds itself: its values come from rules, {hops} firings in a row"
            self.pause(live, reason, self._steps(live, kind, met=True))
            return None
        now = self.clock.monotonic()
        if not live.bucket.take(now):
            self._near_miss(live, "rate", kind=kind, end="It fired too often: it waits until its firings get fewer.")
            return None
        now_ms = self.clock.now_ms()
        steps = self._steps(live, kind, met=True)
        steps.append(f"It fired; its cooldown of {span(live.rule.cooldown_ms / 1000)} began.")
        raised = self._raised(live, kind, now_ms, cause, hops)
        live.cool_until = now + live.rule.cooldown_ms / 1000
        live.clear_since()
        count = live.state.trigger_count + 1
        live.state = attrs.evolve(live.state, trigger_count=count, last_ms=now_ms, cooling_ms=now_ms)
        live.trace.add(now_ms, FIRED, kind, steps, raised.number)
        self.recorder.raise_(raised, live)
        return raised

    def test(self, live: Live, value_of: ValueOf) -> Raised:
        """Raise the actions on request, for the values of a dry run; the rule's state and cooldown stay."""
        now_ms = self.clock.now_ms()
        raised = self._raised(live, TEST, now_ms, None, 0, value_of)
        steps = condition_steps(TEST, live.explain(value_of), True)
        live.trace.add(now_ms, FIRED, TEST, steps, raised.number)
        self.recorder.raise_(raised)
        return raised

    def pause(self, live: Live, reason: str, steps: Sequence[str] = ()) -> None:
        """Stop a rule until somebody enables it again."""
        now_ms = self.clock.now_ms()
        live.clear_since()
        live.state = attrs.evolve(live.state, paused=reason, paused_ms=now_ms)
        live.trace.add(now_ms, FAILED, "paused", [*steps, f"It was paused: {reason}."])
        self.recorder.note(live)
        self.log.warning("rule_paused", rule_id=live.id, reason=reason)
        self.paused(live, reason)

    def arm(self, live: Live) -> None:
        """Set the timer of a rule whose condition holds and has to hold longer."""
        if live.since is not None and live.timer is None:
            live.timer = asyncio.create_task(self._wait(live), name=f"rule:{live.id}")

    def refund(self, live: Live) -> None:
        """Give the cooldown back, once: no action of a firing by hand or schedule succeeded."""
        if not live.state.refunded:
            live.cool_until = 0.0
            live.state = attrs.evolve(live.state, refunded=True, cooling_ms=None)
            self.recorder.note(live)

    def _look(self, live: Live, kind: str, cause: str | None, hops: int) -> None:
        if not live.active or (kind == DATA and live.compiled is None):
            return
        if not self.holds(live):
            self._unmet(live, kind)
        elif left := self.cooling_s(live, kind):
            self._near_miss(live, "cooldown", kind=kind, end=f"Its cooldown has {span(left)} left.")
        elif self._long_enough(live, kind, cause, hops):
            self.fire(live, kind, cause, hops)

    def _unmet(self, live: Live, kind: str) -> None:
        if live.clear_since():
            self.recorder.note(live)
            steps = self._steps(live, kind, met=False)
            self._near_miss(live, "too_short", [*steps, "It had not held for long enough before."])
        elif kind != DATA:
            self._near_miss(live, "unmet", kind=kind, met=False)
        elif live.compiled is not None and len(live.compiled.leaves) > 1:
            self._partly(live, kind)

    def _partly(self, live: Live, kind: str) -> None:
        """That a part of the condition holds is worth an entry, but not to be found out for each of many values."""
        if live.partly.take(self.clock.monotonic()) and any(each.met for each in live.explain(self.values.of)):
            self._near_miss(live, "partly", kind=kind, met=False)

    def _long_enough(self, live: Live, kind: str, cause: str | None, hops: int) -> bool:
        if not live.duration_s:
            return True
        now = self.clock.monotonic()
        if live.since is None:
            live.since, live.origin = now, (cause, hops)
            live.state = attrs.evolve(live.state, since_ms=self.clock.now_ms())
            self.recorder.note(live)
        held = now - live.since
        if held >= live.duration_s - NEARLY_S:
            return True
        self.arm(live)
        self._near_miss(live, "duration", kind=kind, end=f"It has to hold for {span(live.duration_s - held)} more.")
        return False

    async def _wait(self, live: Live) -> None:
        """Look at the rule when its condition has held for long enough, whether or not values come."""
        while live.since is not None:
            left = live.since + live.duration_s - self.clock.monotonic()
            if left > NEARLY_S:
                await self.clock.sleep(left)
                continue
            if self.know is not None:
                await self.know(live)
            live.timer = None  # from here on nothing is to be cancelled
            self._over(live)
            return

    def _over(self, live: Live) -> None:
        if self.cooling_s(live):
            live.clear_since()
            self.recorder.note(live)
        else:
            self.look(live, DURATION, *live.origin)

    def _raised(
        self, live: Live, kind: str, now_ms: int, cause: str | None, hops: int, value_of: ValueOf | None = None
    ) -> Raised:
        value_of = value_of or self.values.of
        return Raised(
            number=self.recorder.number(),
            rule_id=live.id,
            rule_name=live.rule.name,
            kind=kind,
            fired_ms=now_ms,
            actions=live.rule.actions,
            values={source: value_of(source) for source in live.sources},
            variables=variables_of(live, value_of, iso(now_ms), kind),
            cause=cause,
            hops=hops,
        )

    def _steps(self, live: Live, kind: str, *, met: bool) -> list[str]:
        return condition_steps(kind, live.explain(self.values.of), met)

    def _near_miss(
        self,
        live: Live,
        reason: str,
        steps: Sequence[str] | None = None,
        *,
        kind: str = DATA,
        met: bool = True,
        end: str = "",
    ) -> None:
        """Say why it did not fire; sentences are made for the first of a row only, as values may come by thousands."""
        now_ms = self.clock.now_ms()
        if live.trace.repeats(reason):
            live.trace.again(now_ms)
            return
        told = list(steps) if steps is not None else [*self._steps(live, kind, met=met), *([end] if end else [])]
        live.trace.add(now_ms, NEAR_MISS, reason, told)
