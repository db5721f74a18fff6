"""One job: waits for its times and runs it, one run after another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

import attrs

from neomind_sdk import ApiError, Cron, Every, Job, Once

from .kept import MAX_ATTEMPTS, NEAR_S, JobState, Write
from .models import JobStatus, Tools
from .runs import run_capped
from .timing import Timing, mark_of, timing_of

LOOK_S = 30.0
"""The longest sleep: after it the clock, the time zone and a changing interval are looked at again."""
WAIT_S = 5.0
"""How long what is due waits when it may not begin, before it asks again."""
DIED = "the platform died in each of its runs"


class Keeper:
    """Keeps one job of a plugin going until its task is cancelled.

    ``allowed``  whether a run may begin: not while the plugin, or the platform, stops
    """

    def __init__(self, plugin: str, job: Job, tools: Tools, allowed: Callable[[], bool] = lambda: True) -> None:
        self.plugin = plugin
        self.job = job
        self.problem: str | None = None
        self._tools = tools
        self._allowed = allowed
        self._state = JobState()
        self._next_ms: int | None = None
        self._running = False

    async def live(self, before: Collection[asyncio.Task[None]] = ()) -> None:
        """Run the job at its times; first wait for ``before``, earlier tasks of the job."""
        if before:
            await asyncio.wait(before)
        try:
            await self._live()
        except ApiError as error:
            self._trouble(error.message)
        except Exception as error:
            self._trouble(_one_line(error), error)

    def status(self) -> JobStatus:
        return JobStatus(
            name=self.job.name,
            plugin=self.plugin,
            trigger=describe(self.job.trigger),
            running=self._running,
            next_ms=None if self._running or self.problem else self._next_ms,
            problem=self.problem,
            state=self._state,
        )

    async def _live(self) -> None:
        self._recall()
        timing = timing_of(self.job, self._state, self._tools)
        while (left := self._look(timing)) is not None:
            if left > 0:
                await self._tools.clock.sleep(min(left, LOOK_S))
            elif self._allowed() and await self._tools.states.may_run():
                await self._turn(timing)
            else:
                await self._tools.clock.sleep(WAIT_S)

    def _recall(self) -> None:
        """Take up the state, unless it is of another trigger; what killed the platform each time is given up."""
        found = self._tools.states.load(self.job.name)
        self._state = found if found.trigger == mark_of(self.job.trigger, self._tools) else JobState()
        if self._state.attempts >= MAX_ATTEMPTS:
            self._tools.log.error("job_given_up", job=self.job.name, plugin=self.plugin, attempts=self._state.attempts)
            self._keep(dealt_ms=self._tools.clock.now_ms(), attempts=0, missed=self._state.missed + 1, error=DIED)

    def _look(self, timing: Timing) -> float | None:
        """Seconds left; what an interval's function or a wrong time zone raises passes when the settings are right."""
        try:
            left = timing.left()
            self._mark(timing)
        except Exception as error:
            text = error.message if isinstance(error, ApiError) else _one_line(error)
            if text != self.problem:
                self._trouble(text)
            return LOOK_S
        self.problem = None
        self._next_ms = None if left is None else self._tools.clock.now_ms() + max(0, round(left * 1000))
        return left

    def _mark(self, timing: Timing) -> None:
        """Have it on record when the job was seen first, and when its times became others."""
        mark = mark_of(self.job.trigger, self._tools)
        if mark != self._state.trigger:
            self._keep(trigger=mark, since_ms=self._tools.clock.now_ms(), dealt_ms=timing.dealt_ms)

    async def _turn(self, timing: Timing) -> None:
        taken = timing.take()
        missed = self._state.missed + (not taken.in_time)
        if not taken.in_time:
            self._tools.log.warning("job_missed", job=self.job.name, plugin=self.plugin, misfire=self.job.misfire)
        if not taken.runs:
            self._keep(dealt_ms=timing.dealt_ms, missed=missed)
        elif await self._begin(timing, missed):
            await self._run(timing)

    async def _begin(self, timing: Timing, missed: int) -> bool:
        """Have it on record that a run begins; what that leaves for after a crash depends on ``misfire``."""
        near = timing.near(NEAR_S)
        changes: dict[str, Any] = {"started_ms": self._tools.clock.now_ms(), "missed": missed}
        if self._makes_up:  # the time comes again, until a run of it has ended
            changes["attempts"] = self._state.attempts + 1
        else:  # the time does not come again, whether this run ends or not
            changes["dealt_ms"] = timing.dealt_ms
        self._state = attrs.evolve(self._state, **changes)
        write = Write.NOW if not near else Write.SOON if self._makes_up else Write.AHEAD
        if not await self._tools.states.save(self.job.name, self._state, write):
            return False
        if not self._allowed():  # its plugin began to stop meanwhile
            self._cut_off()
            return False
        return True

    async def _run(self, timing: Timing) -> None:
        self._running = True
        try:
            error = await run_capped(self.job.run, self.job.timeout_s, self._tools.clock)
        except BaseException:
            self._cut_off()
            raise
        finally:
            self._running = False
            timing.ended()
        if error is not None:
            self._tools.log.error("job_failed", job=self.job.name, plugin=self.plugin, exc_info=error)
        self._keep(
            dealt_ms=timing.dealt_ms,
            ended_ms=self._tools.clock.now_ms(),
            attempts=0,
            runs=self._state.runs + 1,
            failures=self._state.failures + (error is not None),
            error=None if error is None else _one_line(error),
        )
        if self._makes_up and not timing.near(NEAR_S):
            await self._tools.states.save(self.job.name, self._state, Write.NOW)

    @property
    def _makes_up(self) -> bool:
        return self.job.misfire == "run_once"

    def _cut_off(self) -> None:
        """The run was ended in good order, which is no fault of it: the next one is the first again."""
        self._keep(attempts=max(0, self._state.attempts - 1))

    def _keep(self, **changes: Any) -> None:
        self._state = attrs.evolve(self._state, **changes)
        self._tools.states.keep(self.job.name, self._state)

    def _trouble(self, problem: str, error: Exception | None = None) -> None:
        self.problem = problem
        self._tools.log.error("job_cannot_run", job=self.job.name, plugin=self.plugin, reason=problem, exc_info=error)


def describe(trigger: Any) -> str:
    """A trigger in words."""
    if isinstance(trigger, Every):
        return "every changing interval" if callable(trigger.seconds) else f"every {trigger.seconds} s"
    if isinstance(trigger, Cron):
        return f"cron {trigger.expression}" + (f" ({trigger.timezone})" if trigger.timezone else "")
    return f"once at {trigger.at_ms}" if isinstance(trigger, Once) else repr(trigger)


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
