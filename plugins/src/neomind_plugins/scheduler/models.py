"""What is known of jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import attrs

from neomind_sdk import Clock, Logger


@attrs.frozen(kw_only=True)
class JobState:
    """What must be remembered of a job from one run to the next; times in milliseconds since the epoch.

    ``dealt_ms``  the job's points in time up to here were run or skipped, and do not come again
    ``missed``    how many times were so late that the job's ``misfire`` decided
    ``error``     what the latest run failed with, ``None`` when it went well
    """

    dealt_ms: int | None = None
    started_ms: int | None = None
    ended_ms: int | None = None
    runs: int = 0
    failures: int = 0
    missed: int = 0
    error: str | None = None


class JobStates(Protocol):
    """Where the states of jobs are kept, by the job's name."""

    async def load(self, name: str) -> JobState:
        """The state as it was saved last; a fresh one for a job that was never seen."""
        ...

    async def save(self, name: str, state: JobState) -> None:
        """Keep the state. Called before a run, so that none is done twice, and after it."""
        ...


@attrs.frozen(kw_only=True)
class Tools:
    """What every job is run with; ``zone`` tells the name of the platform's time zone."""

    clock: Clock
    log: Logger
    zone: Callable[[], str]
    states: JobStates


@attrs.frozen(kw_only=True)
class JobStatus:
    """A job as it is shown.

    ``next_ms``  when it runs next, ``None`` while it runs, when it never will again, and when there is a problem
    ``problem``  why it does not run at its times, ``None`` when it does
    """

    name: str
    plugin: str
    trigger: str
    running: bool
    next_ms: int | None
    problem: str | None
    state: JobState
