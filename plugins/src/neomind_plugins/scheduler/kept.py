"""What is kept of jobs, and where."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from typing import Protocol

import attrs

NEAR_S = 30.0
"""Runs that come sooner one after another than this are not written down one by one."""
MAX_ATTEMPTS = 3
"""So often a run is begun that the platform does not survive."""


@attrs.frozen(kw_only=True)
class JobState:
    """What must be remembered of a job from one run to the next; times in milliseconds since the epoch.

    ``trigger``   what the times were counted for, ``""`` for a job that was never seen; of another trigger they say
                  nothing
    ``since_ms``  when the job was first seen with this trigger
    ``dealt_ms``  the job's points in time up to here were run or skipped, and do not come again
    ``attempts``  how many runs of the next point were begun and cut off by a crash; counted for ``run_once`` only
    ``missed``    how many times were so late that the job's ``misfire`` decided
    ``error``     what the latest run failed with, ``None`` when it went well
    """

    trigger: str = ""
    since_ms: int | None = None
    dealt_ms: int | None = None
    started_ms: int | None = None
    ended_ms: int | None = None
    attempts: int = 0
    runs: int = 0
    failures: int = 0
    missed: int = 0
    error: str | None = None


class Write(Enum):
    """When a state is to be durable.

    ``NOW``    before the call returns
    ``AHEAD``  as ``NOW``, but ``dealt_ms`` is written as a while later than it is, and then for that while nothing
    ``SOON``   within half a minute, together with others
    """

    NOW = "now"
    AHEAD = "ahead"
    SOON = "soon"


class JobStates(Protocol):
    """Where the states of jobs are kept, by the job's name."""

    def load(self, name: str) -> JobState:
        """The state as it was kept last; a fresh one for a job that was never seen."""
        ...

    def keep(self, name: str, state: JobState) -> None:
        """Keep the state: ``Write.SOON``."""
        ...

    async def may_run(self) -> bool:
        """Whether it is still this platform that runs jobs."""
        ...

    async def save(self, name: str, state: JobState, write: Write) -> bool:
        """Keep the state; returns ``False``, and keeps nothing, when another platform runs jobs.

        A storage that cannot write keeps no job from running: the state is written as soon as it can.
        """
        ...

    async def tidy(self, declared: Collection[str]) -> None:
        """Forget jobs that nobody has declared for a long time; ``declared`` are those of the moment."""
        ...
