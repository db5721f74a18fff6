"""Work that recurs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, runtime_checkable

import attrs


@attrs.frozen(kw_only=True)
class Every:
    """Every so many seconds, counted from the end of the last run; ``jitter`` spreads starts by up to that share."""

    seconds: float | Callable[[], float]
    jitter: float = 0.0


@attrs.frozen(kw_only=True)
class Cron:
    """A cron expression of 5, 6 (seconds first) or 7 (year last) fields; 0 and 7 are Sunday; ``timezone`` IANA name."""

    expression: str
    timezone: str | None = None


@attrs.frozen(kw_only=True)
class Once:
    """At one point in time, in milliseconds since the epoch."""

    at_ms: int


@attrs.frozen(kw_only=True)
class Job:
    """Run by the scheduler. Never two runs of one job at a time, here or on another machine.

    ``misfire``    ``skip`` or ``run_once`` when the platform was down at the time
    ``timeout_s``  the run is cancelled after so long, and logged
    """

    name: str
    trigger: Every | Cron | Once
    run: Callable[[], Awaitable[None]]
    misfire: str = "skip"
    timeout_s: float = 300.0


@runtime_checkable
class Scheduling(Protocol):
    """Jobs that come and go while the platform runs: what users make up. Jobs known beforehand are contributed."""

    def check(self, job: Job) -> None:
        """Raise ``ValidationFailed`` for a trigger, or anything else of the job, that cannot be."""
        ...

    def add(self, job: Job) -> Callable[[], None]:
        """Run a job from now on, until what is returned is called, which also cancels a run under way.

        ``job.name`` begins with the plugin's name and a dot. Raises as ``check`` does, and ``Conflict`` for a name
        that was added before.
        """
        ...
