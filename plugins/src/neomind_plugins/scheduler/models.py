"""What jobs are run with, and how they are shown."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from neomind_sdk import Clock, Logger

from .kept import JobState, JobStates


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
