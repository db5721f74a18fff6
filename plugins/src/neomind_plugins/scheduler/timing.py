"""When a job is due: one class for each kind of trigger."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from neomind_sdk import Clock, Cron, Every, Job, Once, ValidationFailed

from .kept import JobState
from .models import Tools

GRACE_MS = 60_000
"""A point in time that is over by more was missed: the job's ``misfire`` decides."""
SET_RIGHT_MS = 3 * 3_600_000
"""A clock that goes back by more was wrong before: what it showed then counts no longer."""
SETTLE_S = 60.0
"""An interval that ended while the platform was down, and need not be made up for at once, waits for so long."""
MISFIRES = ("skip", "run_once")


class Taken(NamedTuple):
    """What is due was taken: whether it was in time, and whether it is run."""

    in_time: bool
    runs: bool


class Timing(Protocol):
    """Counts down to one run after another."""

    @property
    def dealt_ms(self) -> int | None:
        """Points in time up to here were taken; ``None`` when none was."""
        ...

    def left(self) -> float | None:
        """Seconds to the next run, none or fewer when it is due, ``None`` when none will come."""
        ...

    def take(self) -> Taken:
        """Take what is due as dealt with."""
        ...

    def near(self, seconds: float) -> bool:
        """Of what was taken just now: whether the next may come within so many seconds."""
        ...

    def ended(self) -> None:
        """The run has ended."""
        ...


def timing_of(job: Job, state: JobState, tools: Tools) -> Timing:
    """Raises ``ValidationFailed`` for a trigger, or anything else of the job, that cannot be."""
    if job.misfire not in MISFIRES:
        raise ValidationFailed(("misfire", f"must be skip or run_once, not '{job.misfire}'"))
    if not job.timeout_s > 0:
        raise ValidationFailed(("timeout_s", "must be more than 0"))
    trigger: Any = job.trigger
    makes_up = job.misfire == "run_once"
    if isinstance(trigger, Every):
        return IntervalTiming(trigger, state, tools.clock, makes_up=makes_up)
    if isinstance(trigger, Cron):
        return CronTiming(trigger, state, tools.clock, tools.zone, makes_up=makes_up)
    if isinstance(trigger, Once):
        return OnceTiming(trigger, state, tools.clock, makes_up=makes_up)
    raise ValidationFailed(("trigger", f"must be Every, Cron or Once, not a {type(trigger).__name__}"))


def mark_of(trigger: Any, tools: Tools) -> str:
    """What times are counted for: those of one mark say nothing about another. An interval may change its length."""
    if isinstance(trigger, Cron):
        return f"cron {trigger.expression} {trigger.timezone or tools.zone()}"
    return f"once {trigger.at_ms}" if isinstance(trigger, Once) else "every"


class IntervalTiming:
    """``Every``: by the monotonic clock, so that setting the time right changes nothing.

    Only what is on record from before the start is as far back as the clock on the wall says. How long an interval is
    is asked again at each look, so that a changed setting holds for the wait that is under way.
    """

    def __init__(self, trigger: Every, state: JobState, clock: Clock, *, makes_up: bool) -> None:
        if not 0 <= trigger.jitter <= 1:
            raise ValidationFailed(("jitter", "must be 0 to 1"))
        self.dealt_ms = state.dealt_ms
        self._trigger = trigger
        self._clock = clock
        self._makes_up = makes_up
        ran = [ms for ms in (state.dealt_ms, state.ended_ms) if ms is not None]
        self._recorded_ms = max(ran, default=state.since_ms)
        self._since = self._not_before = clock.monotonic()
        self._missed = False
        self._spread = random.random()

    def left(self) -> float:
        self._use_record()
        now = self._clock.monotonic()
        return max(self._end() - now, self._not_before - now)

    def take(self) -> Taken:
        in_time, self._missed = not self._missed, False
        self.dealt_ms = self._clock.now_ms()
        return Taken(in_time, runs=True)

    def near(self, seconds: float) -> bool:
        return self._seconds() <= seconds

    def ended(self) -> None:
        self._since = self._clock.monotonic()
        self._recorded_ms = None
        self._spread = random.random()

    def _use_record(self) -> None:
        """Count from what is on record, as soon as the clock is not before it: until then it is wrong."""
        if self._recorded_ms is None or (gone_ms := self._clock.now_ms() - self._recorded_ms) < 0:
            return
        self._since = min(self._since, self._clock.monotonic() - gone_ms / 1000)
        late_s = self._clock.monotonic() - self._end()
        if late_s > GRACE_MS / 1000:
            self._missed = True
            wait_s = 0.0 if self._makes_up else min(self._seconds(), SETTLE_S)
            self._not_before = self._clock.monotonic() + wait_s
        self._recorded_ms = None

    def _end(self) -> float:
        return self._since + self._seconds() * (1 + self._trigger.jitter * self._spread)

    def _seconds(self) -> float:
        asked = self._trigger.seconds
        seconds = asked() if callable(asked) else asked
        if not (seconds > 0 and math.isfinite(seconds)):
            raise ValidationFailed(("seconds", f"must be more than 0, not {seconds}"))
        return seconds


class OnceTiming:
    """``Once``."""

    def __init__(self, trigger: Once, state: JobState, clock: Clock, *, makes_up: bool) -> None:
        self.dealt_ms = state.dealt_ms
        self._at_ms = trigger.at_ms
        self._clock = clock
        self._makes_up = makes_up

    def left(self) -> float | None:
        if self.dealt_ms is not None and self.dealt_ms >= self._at_ms:
            return None
        return (self._at_ms - self._clock.now_ms()) / 1000

    def take(self) -> Taken:
        now_ms = self._clock.now_ms()
        self.dealt_ms = max(now_ms, self._at_ms)
        in_time = now_ms - self._at_ms <= GRACE_MS
        return Taken(in_time, in_time or self._makes_up)

    def near(self, seconds: float) -> bool:
        return False

    def ended(self) -> None:
        pass


class CronTiming:
    """``Cron``: the first point in time after those that were dealt with.

    What lies before the first look is dealt with. Time that is set forward makes times be missed; time that is set
    back a little brings none again, nor does it when it was set back by mistake and is set right again.
    """

    def __init__(
        self, trigger: Cron, state: JobState, clock: Clock, zone: Callable[[], str], *, makes_up: bool
    ) -> None:
        self._trigger = trigger
        self._clock = clock
        self._zone = zone
        self._makes_up = makes_up
        self._zone_name = ""
        self._dealt_ms = clock.now_ms() if state.dealt_ms is None else state.dealt_ms
        self._dealt_before_ms: int | None = None
        self._use(self._wanted_zone())

    @property
    def dealt_ms(self) -> int:
        return self._dealt_ms

    def left(self) -> float | None:
        self._look_at_the_clock()
        return None if self._due_ms is None else (self._due_ms - self._clock.now_ms()) / 1000

    def take(self) -> Taken:
        due_ms, now_ms = self._due_ms or 0, self._clock.now_ms()
        # Of several times that have passed meanwhile, this run is for all.
        self._deal(max(due_ms, now_ms))
        in_time = now_ms - due_ms <= GRACE_MS
        return Taken(in_time, in_time or self._makes_up)

    def near(self, seconds: float) -> bool:
        return self._due_ms is not None and self._due_ms - self._dealt_ms <= seconds * 1000

    def ended(self) -> None:
        pass

    def _look_at_the_clock(self) -> None:
        now_ms, zone = self._clock.now_ms(), self._wanted_zone()
        if zone != self._zone_name:
            self._use(zone)
            self._deal(max(self._dealt_ms, now_ms))
        elif self._dealt_ms - now_ms > SET_RIGHT_MS:
            self._dealt_before_ms = max(self._dealt_ms, self._dealt_before_ms or 0)
            self._deal(now_ms)
        elif self._dealt_before_ms is not None and now_ms >= self._dealt_before_ms:
            self._deal(max(self._dealt_ms, self._dealt_before_ms))
            self._dealt_before_ms = None

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
