"""Platforms that share a storage, as far as their schedulers can tell: each can be stopped, killed and begun anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from neomind_plugins.scheduler.durable import DurableStates
from neomind_plugins.scheduler.leader import Leader
from neomind_plugins.scheduler.lease import Lease
from neomind_plugins.scheduler.models import JobStatus, Tools
from neomind_plugins.scheduler.service import Jobs
from neomind_sdk import Job, OpenStorage
from neomind_sdk.node import Node
from neomind_sdk.testing import VirtualClock
from neomind_sdk.testing.clock import turns

from .conftest import Log, Work


class Storage:
    """A database that counts writes, and does not work when it is told so; ``error`` is raised by writes."""

    def __init__(self, real: OpenStorage) -> None:
        self.real = real
        self.writes = 0
        self.error: BaseException | None = None
        self.hang: asyncio.Event | None = None
        self.migrate = real.migrate
        self.database = self

    async def read(self, work: Callable[[], Any]) -> Any:
        return await self.real.database.read(work)

    async def write(self, work: Callable[[], Any]) -> Any:
        self.writes += 1
        if self.hang is not None:
            await self.hang.wait()
        if self.error is not None:
            raise self.error
        return await self.real.database.write(work)


class Station:
    """One platform. ``jobs`` are those of its plugins; they are kept over restarts."""

    def __init__(self, storage: Any, clock: VirtualClock, directory: Path) -> None:
        self.storage = storage
        self.clock = clock
        self.directory = directory
        self.log = Log()
        self.jobs: list[tuple[str, Job]] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self.started = False
        self.scheduler: Jobs
        self.leader: Leader

    def add(self, trigger: Any, name: str = "a.job", **more: Any) -> Work:
        work = Work(self.clock)
        self.jobs.append(("a", Job(name=name, trigger=trigger, run=work, **more)))
        return work

    async def start(self) -> Station:
        log: Any = self.log
        lease = Lease(self.storage.database, self.clock)
        states = DurableStates(self.storage.database, self.clock, lease, log)
        self.scheduler = Jobs(lambda: self.jobs, Tools(clock=self.clock, log=log, zone=lambda: "UTC", states=states))
        self.node = Node(self.directory)
        self.leader = Leader(self.storage, lease, states, self.scheduler, self.node, self.clock, log)
        self.lease = lease
        self.started = True
        await self.leader.start(self._spawn)
        await turns()
        return self

    async def stop(self) -> None:
        await self.leader.stop()
        await self._end()

    async def kill(self) -> None:
        """As kill -9: nothing more is written."""
        await self._end()
        if self.started:
            await self.scheduler.stop()
            self.node.close()

    async def restart(self, down_s: float = 0) -> None:
        await self.stop()
        await self.down(down_s)
        await self.start()

    async def crash(self, down_s: float = 0) -> None:
        await self.kill()
        await self.down(down_s)
        await self.start()

    async def down(self, seconds: float) -> None:
        await self.clock.advance(seconds)

    def status(self, name: str = "a.job") -> JobStatus:
        return next(job for job in self.scheduler.all() if job.name == name)

    def _spawn(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        self.tasks.append(asyncio.create_task(work))

    async def _end(self) -> None:
        tasks, self.tasks = self.tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
