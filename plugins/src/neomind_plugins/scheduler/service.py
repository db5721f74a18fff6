"""The jobs of all plugins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from .keeper import Keeper
from .models import JobStatus, Tools

STOP_S = 1.5


class Jobs:
    """Runs the jobs that ``contributed`` lists by plugin, for as long as it lists them; shows how they are."""

    def __init__(self, contributed: Callable[[], Sequence[tuple[str, Any]]], tools: Tools) -> None:
        self._contributed = contributed
        self._tools = tools
        self._keepers: dict[str, tuple[Keeper, asyncio.Task[None]]] = {}
        self._leaving: dict[str, set[asyncio.Task[None]]] = {}
        self._open = False

    async def start(self) -> None:
        """Begin to run jobs."""
        self._open = True
        self.sync()

    def sync(self) -> None:
        """Begin with jobs that came, end those that went; one under way is cancelled."""
        if not self._open:
            return
        wanted = {job.name: (plugin, job) for plugin, job in self._contributed()}
        for name, (keeper, _) in list(self._keepers.items()):
            _, job = wanted.get(name, (None, None))
            if job is not keeper.job:
                self._remove(name)
        for name, (plugin, job) in wanted.items():
            if name not in self._keepers:
                self._add(Keeper(plugin, job, self._tools))

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
