"""The states of jobs, kept for as long as the platform runs."""

from __future__ import annotations

from .models import JobState


class MemoryStates:
    """``JobStates`` in a dictionary: a plugin that is stopped and started again finds its jobs as they were."""

    def __init__(self) -> None:
        self._states: dict[str, JobState] = {}

    async def load(self, name: str) -> JobState:
        return self._states.get(name, JobState())

    async def save(self, name: str, state: JobState) -> None:
        self._states[name] = state
