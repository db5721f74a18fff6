"""Whether this platform is the one that runs jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from .service import Jobs

FORGETFUL = "there is no storage: what jobs did is forgotten when the platform stops"


class Duty(Protocol):
    """Opens the jobs when this platform is to run them, and closes them when it is not."""

    jobs: Jobs

    async def start(self, spawn: Callable[[Any, str], None]) -> None: ...

    async def stop(self) -> None: ...

    def standing(self) -> tuple[bool, str]:
        """Whether all is well, and what there is to say."""
        ...


class Alone:
    """Without a storage there is nobody to share the jobs with."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs

    async def start(self, spawn: Callable[[Any, str], None]) -> None:
        await self.jobs.start()

    async def stop(self) -> None:
        await self.jobs.stop()

    def standing(self) -> tuple[bool, str]:
        return True, FORGETFUL
