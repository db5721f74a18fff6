"""The jobs of all plugins."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any

from neomind_sdk import Conflict, Job

from .keeper import Keeper
from .kept import JobState
from .models import JobStatus, Tools
from .timing import timing_of

STOP_S = 1.5
AWAY_S = 1.0
"""A job that was taken away for longer begins anew when it is added again; a shorter time is a change of its plugin."""
AWAY_MAX = 10_000


class Jobs:
    """Runs the jobs that ``contributed`` lists by plugin, for as long as it lists them; shows how they are.

    It is the platform's ``Scheduling`` too.

    ``running``  whether a plugin runs, or starts; jobs of one that has failed go, whoever added them
    ``open``     whether jobs run
    """

    def __init__(
        self,
        contributed: Callable[[], Sequence[tuple[str, Any]]],
        tools: Tools,
        running: Callable[[str], bool] = lambda plugin: True,
    ) -> None:
        self.open = False
        self._contributed = contributed
        self._tools = tools
        self._running = running
        self._keepers: dict[str, tuple[Keeper, asyncio.Task[None]]] = {}
        self._leaving: dict[str, set[asyncio.Task[None]]] = {}
        self._added: dict[str, tuple[str, Job]] = {}
        self._away: dict[str, float] = {}
        self._stopping = False

    async def start(self) -> None:
        """Begin to run jobs."""
        self.open = True
        self.sync()

    def sync(self) -> None:
        """Begin with jobs that came, end those that went; one under way is cancelled."""
        if not self.open:
            return
        self._added = {name: added for name, added in self._added.items() if self._running(added[0])}
        wanted = self._wanted()
        for name, (keeper, _) in list(self._keepers.items()):
            _, job = wanted.get(name, (None, None))
            if job is not keeper.job:
                self._remove(name)
        for name, (plugin, job) in wanted.items():
            if name not in self._keepers:
                self._add(plugin, job)

    def names(self) -> set[str]:
        """The names of all jobs that plugins declare at the moment."""
        return set(self._wanted())

    def pause(self) -> None:
        """The platform is about to stop: begin nothing that plugins which stop could not end."""
        self._stopping = True

    def check(self, job: Job) -> None:
        """See ``Scheduling.check``."""
        timing_of(job, JobState(), self._tools).left()

    def add(self, job: Job) -> Callable[[], None]:
        """See ``Scheduling.add``."""
        if job.name in self._added or job.name in self._keepers:
            raise Conflict(f"There is a job '{job.name}' already")
        self.check(job)
        plugin = job.name.partition(".")[0]
        if self._tools.clock.monotonic() - self._away.pop(job.name, math.inf) > AWAY_S:
            self._tools.states.keep(job.name, JobState())
        self._added[job.name] = (plugin, job)
        if self.open:
            self._add(plugin, job)
        return lambda: self._take_away(job)

    async def stop(self) -> bool:
        """Cancel what runs and wait for it, but not for ever; returns whether all of it has ended."""
        self.open = False
        for name in list(self._keepers):
            self._remove(name)
        leaving = set().union(*self._leaving.values())
        return not leaving or not (await asyncio.wait(leaving, timeout=STOP_S))[1]

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
        if len(self._away) >= AWAY_MAX:
            self._away.clear()
        self._away[job.name] = self._tools.clock.monotonic()
        if job.name in self._keepers and self._keepers[job.name][0].job is job:
            self._remove(job.name)

    def _wanted(self) -> dict[str, tuple[str, Job]]:
        return {**self._added, **{job.name: (plugin, job) for plugin, job in self._contributed()}}

    def _add(self, plugin: str, job: Job) -> None:
        name = job.name
        keeper = Keeper(plugin, job, self._tools, lambda: not self._stopping and self._running(plugin))
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
