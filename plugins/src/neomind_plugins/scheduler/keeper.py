"""One job: waits for its times and runs it, one run after another."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

import attrs

from neomind_sdk import ApiError, Cron, Every, Job, Once

from .models import JobState, JobStatus, Tools
from .runs import run_capped
from .timing import Timing, timing_of

LOOK_S = 30.0
"""The longest sleep: after it the clock, the time zone and a changing interval are looked at again."""


class Keeper:
    """Keeps one job of a plugin going until its task is cancelled."""

    def __init__(self, plugin: str, job: Job, tools: Tools) -> None:
        self.plugin = plugin
        self.job = job
        self.problem: str | None = None
        self._tools = tools
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
        self._state = await self._tools.states.load(self.job.name)
        timing = timing_of(self.job, self._state, self._tools)
        while (left := self._look(timing)) is not None:
            if left > 0:
                await self._tools.clock.sleep(min(left, LOOK_S))
            else:
                await self._turn(timing)

    def _look(self, timing: Timing) -> float | None:
        """Seconds left; what an interval's function or a wrong time zone raises passes when the settings are right."""
        try:
            left = timing.left()
        except Exception as error:
            text = error.message if isinstance(error, ApiError) else _one_line(error)
            if text != self.problem:
                self._trouble(text)
            return LOOK_S
        self.problem = None
        self._next_ms = None if left is None else self._tools.clock.now_ms() + max(0, round(left * 1000))
        return left

    async def _turn(self, timing: Timing) -> None:
        in_time = timing.take()
        if not in_time:
            self._tools.log.warning("job_missed", job=self.job.name, plugin=self.plugin, misfire=self.job.misfire)
        runs = in_time or self.job.misfire == "run_once"
        started_ms = self._tools.clock.now_ms() if runs else self._state.started_ms
        missed = self._state.missed + (not in_time)
        await self._keep(dealt_ms=timing.dealt_ms, missed=missed, started_ms=started_ms)
        if runs:
            await self._run(timing)

    async def _run(self, timing: Timing) -> None:
        self._running = True
        try:
            error = await run_capped(self.job.run, self.job.timeout_s, self._tools.clock)
        finally:
            self._running = False
            timing.ended()
        if error is not None:
            self._tools.log.error("job_failed", job=self.job.name, plugin=self.plugin, exc_info=error)
        await self._keep(
            ended_ms=self._tools.clock.now_ms(),
            runs=self._state.runs + 1,
            failures=self._state.failures + (error is not None),
            error=None if error is None else _one_line(error),
        )

    async def _keep(self, **changes: Any) -> None:
        self._state = attrs.evolve(self._state, **changes)
        await self._tools.states.save(self.job.name, self._state)

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
