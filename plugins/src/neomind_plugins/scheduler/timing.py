"""When a job is due: one class for each kind of trigger."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any, Protocol

from neomind_sdk import Clock, Cron, Every, Job, Once, ValidationFailed

from .models import JobState, Tools

GRACE_MS = 60_000
"""A point in time that is over by more was missed: the job's ``misfire`` decides."""
SET_RIGHT_MS = 3 * 3_600_000
"""A clock that goes back by more was wrong before: what it showed then counts no longer."""


class Timing(Protocol):
    """Counts down to one run after another."""

    @property
    def dealt_ms(self) -> int | None:
        """Points in time up to here were taken; ``None`` where a trigger has none."""
        ...

    def left(self) -> float | None:
        """Seconds to the next run, none or fewer when it is due, ``None`` when none will come."""
        ...

    def take(self) -> bool:
        """Take what is due as dealt with; returns whether it was in time."""
        ...

    def ended(self) -> None:
        """The run has ended."""
        ...


def timing_of(job: Job, state: JobState, tools: Tools) -> Timing:
    """Raises ``ValidationFailed`` for a trigger, or anything else of the job, that cannot be."""
    if job.misfire not in ("skip", "run_once"):
        raise ValidationFailed(("misfire", f"must be skip or run_once, not '{job.misfire}'"))
    if not job.timeout_s > 0:
        raise ValidationFailed(("timeout_s", "must be more than 0"))
    trigger: Any = job.trigger
    if isinstance(trigger, Every):
        return IntervalTiming(trigger, state, tools.clock)
    if isinstance(trigger, Cron):
        return CronTiming(trigger, state, tools.clock, tools.zone)
    if isinstance(trigger, Once):
        return OnceTiming(trigger, state, tools.clock)
    raise ValidationFailed(("trigger", f"must be Every, Cron or Once, not a {type(trigger).__name__}"))


class IntervalTiming:
    """``Every``: by the monotonic clock, so that setting the time right changes nothing.

    How long is asked again at each look, so that a changed setting holds for the wait that is under way.
    """

    def __init__(self, trigger: Every, state: JobState, clock: Clock) -> None:
        self.dealt_ms: int | None = None
        self._trigger = trigger
        self._clock = clock
        gone_ms = 0 if state.ended_ms is None else max(0, clock.now_ms() - state.ended_ms)
        self._since = clock.monotonic() - gone_ms / 1000
        self._spread = random.random()
        if not 0 <= trigger.jitter <= 1:
            raise ValidationFailed(("jitter", "must be 0 to 1"))

    def left(self) -> float:
        asked = self._trigger.seconds
        seconds = asked() if callable(asked) else asked
        if not (seconds > 0 and math.isfinite(seconds)):
            raise ValidationFailed(("seconds", f"must be more than 0, not {seconds}"))
        return self._since + seconds * (1 + self._trigger.jitter * self._spread) - self._clock.monotonic()

    def take(self) -> bool:
        return True

    def ended(self) -> None:
        self._since = self._clock.monotonic()
        self._spread = random.random()


class OnceTiming:
    """``Once``."""

    def __init__(self, trigger: Once, state: JobState, clock: Clock) -> None:
        self.dealt_ms = state.dealt_ms
        self._at_ms = trigger.at_ms
        self._clock = clock

    def left(self) -> float | None:
        if self.dealt_ms is not None and self.dealt_ms >= self._at_ms:
            return None
        return (self._at_ms - self._clock.now_ms()) / 1000

    def take(self) -> bool:
        self.dealt_ms = now_ms = self._clock.now_ms()
        return now_ms - self._at_ms <= GRACE_MS

    def ended(self) -> None:
        pass


class CronTiming:
    """``Cron``: the first point in time after those that were dealt with.

    What lies before the first look is dealt with. Time that is set forward makes times be missed; time that is set
    back a little brings none again.
    """

    def __init__(self, trigger: Cron, state: JobState, clock: Clock, zone: Callable[[], str]) -> None:
        self._trigger = trigger
        self._clock = clock
        self._zone = zone
        self._zone_name = ""
        self._dealt_ms = clock.now_ms() if state.dealt_ms is None else state.dealt_ms
        self._use(self._wanted_zone())

    @property
    def dealt_ms(self) -> int:
        return self._dealt_ms

    def left(self) -> float | None:
        self._look_at_the_clock()
        return None if self._due_ms is None else (self._due_ms - self._clock.now_ms()) / 1000

    def take(self) -> bool:
        due_ms, now_ms = self._due_ms or 0, self._clock.now_ms()
        # Of several times that have passed meanwhile, this run is for all.
        self._deal(max(due_ms, now_ms))
        return now_ms - due_ms <= GRACE_MS

    def ended(self) -> None:
        pass

    def _look_at_the_clock(self) -> None:
        now_ms, zone = self._clock.now_ms(), self._wanted_zone()
        if zone != self._zone_name:
            self._use(zone)
            self._deal(max(self._dealt_ms, now_ms))
        elif self._dealt_ms - now_ms > SET_RIGHT_MS:
            self._deal(now_ms)

    def _wanted_zone(self) -> str:
        return self._trigger.timezone or self._zone()

    def _use(self, zone: str) -> None:
        from .walltime import CronSchedule  # imports APScheduler, which only cron expressions need

        self._schedule = CronSchedule(self._trigger.expression, zone)
        self._zone_name = zone
        self._deal(self._dealt_ms)

    def _deal(self, ms: int) -> None:
        self._dealt_ms = ms
        self._due_ms = self._schedule.after(ms)
