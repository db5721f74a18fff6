"""The jobs of all plugins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from neomind_sdk import Conflict, Job

from .keeper import Keeper
from .models import JobState, JobStatus, Tools
from .timing import timing_of

STOP_S = 1.5


class Jobs:
    """Runs the jobs that ``contributed`` lists by plugin, for as long as it lists them; shows how they are.

    It is the platform's ``Scheduling`` too.
    """

    def __init__(self, contributed: Callable[[], Sequence[tuple[str, Any]]], tools: Tools) -> None:
        self._contributed = contributed
        self._tools = tools
        self._keepers: dict[str, tuple[Keeper, asyncio.Task[None]]] = {}
        self._leaving: dict[str, set[asyncio.Task[None]]] = {}
        self._added: dict[str, tuple[str, Job]] = {}
        self._open = False

    async def start(self) -> None:
        """Begin to run jobs."""
        self._open = True
        self.sync()

    def sync(self) -> None:
        """Begin with jobs that came, end those that went; one under way is cancelled."""
        if not self._open:
            return
        wanted = {**self._added, **{job.name: (plugin, job) for plugin, job in self._contributed()}}
        for name, (keeper, _) in list(self._keepers.items()):
            _, job = wanted.get(name, (None, None))
            if job is not keeper.job:
                self._remove(name)
        for name, (plugin, job) in wanted.items():
            if name not in self._keepers:
                self._add(Keeper(plugin, job, self._tools))

    def check(self, job: Job) -> None:
        """See ``Scheduling.check``."""
        timing_of(job, JobState(), self._tools).left()

    def add(self, job: Job) -> Callable[[], None]:
        """See ``Scheduling.add``."""
        if job.name in self._added or job.name in self._keepers:
            raise Conflict(f"There is a job '{job.name}' already")
        self.check(job)
        plugin = job.name.partition(".")[0]
        self._added[job.name] = (plugin, job)
        if self._open:
            self._add(Keeper(plugin, job, self._tools))
        return lambda: self._take_away(job)

    async def stop(self) -> None:
        """Cancel what runs and wait for it, but not for ever."""
        self._open = False
        for name in list(self._keepers):
            self._remove(name)
        if leaving := set().union(*self._leaving.values()):
            await asyncio.wait(leaving, timeout=STOP_S)

    def all(self) -> list[JobStatus]:
        """All jobs, sorted by name."""
        return [keeper.status() for _, (keeper, _) in sorted(self._keepers.items())]

    def problems(self) -> list[str]:
        """A sentence for each job that does not run at its times."""
        return [f"{name}: {keeper.problem}" for name, (keeper, _) in sorted(self._keepers.items()) if keeper.problem]

    def _take_away(self, job: Job) -> None:
        """Of a name that was added once more meanwhile, the new job stays."""
        if self._added.get(job.name, (None, None))[1] is not job:
            return
        del self._added[job.name]
        if job.name in self._keepers and self._keepers[job.name][0].job is job:
            self._remove(job.name)

    def _add(self, keeper: Keeper) -> None:
        name = keeper.job.name
        task = asyncio.create_task(keeper.live(set(self._leaving.get(name, ()))), name=f"job:{name}")
        self._keepers[name] = (keeper, task)

    def _remove(self, name: str) -> None:
        _, task = self._keepers.pop(name)
        task.cancel()
        self._leaving.setdefault(name, set()).add(task)
        task.add_done_callback(lambda done: self._gone(name, done))

    def _gone(self, name: str, task: asyncio.Task[None]) -> None:
        self._leaving[name].discard(task)
        if not self._leaving[name]:
            del self._leaving[name]
