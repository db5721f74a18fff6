"""The states of jobs, kept for as long as the platform runs."""

from __future__ import annotations

from collections.abc import Collection

from .kept import JobState, Write


class MemoryStates:
    """``JobStates`` in a dictionary: a plugin that is stopped and started again finds its jobs as they were."""

    def __init__(self) -> None:
        self._states: dict[str, JobState] = {}

    def load(self, name: str) -> JobState:
        return self._states.get(name, JobState())

    def keep(self, name: str, state: JobState) -> None:
        self._states[name] = state

    async def may_run(self) -> bool:
        return True

    async def save(self, name: str, state: JobState, write: Write) -> bool:
        self._states[name] = state
        return True

    async def tidy(self, declared: Collection[str]) -> None:
        """Nothing: a restart forgets everything."""
