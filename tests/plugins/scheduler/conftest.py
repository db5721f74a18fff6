"""Jobs without a host: on a clock that the test turns, with plugins and settings that it can change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from neomind_plugins.scheduler.models import JobStatus, Tools
from neomind_plugins.scheduler.service import Jobs
from neomind_plugins.scheduler.states import MemoryStates
from neomind_sdk import Job
from neomind_sdk.testing import VirtualClock
from neomind_sdk.testing.clock import turns

HOUR = 3600.0
DAY = 24 * HOUR
MIDNIGHT_MS = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1000)


class Log:
    """Remembers what was logged."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def info(self, event: str, **fields: Any) -> None:
        self.lines.append((event, fields))

    exception = debug = warning = error = info

    def of(self, event: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.lines if name == event]


class Work:
    """What a job does: notes when it ran, takes some time, and does as it is told at the end."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.begun: list[int] = []
        self.most = self.now = self.done = 0
        self.takes_s = 0.0
        self.error: BaseException | None = None
        self.cancelled = 0
        self.stubborn: asyncio.Event | None = None

    async def __call__(self) -> None:
        self.begun.append(self.clock.now_ms())
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self._go()
            self.done += 1
        finally:
            self.now -= 1

    async def _go(self) -> None:
        try:
            if self.takes_s:
                await self.clock.sleep(self.takes_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            if self.stubborn is None:
                raise
            await self.stubborn.wait()
        if self.error is not None:
            raise self.error

    @property
    def times(self) -> list[str]:
        return [datetime.fromtimestamp(ms / 1000, UTC).strftime("%d %H:%M:%S") for ms in self.begun]


@attrs.define
class World:
    """Everything together. ``jobs`` are those of the plugins that run."""

    clock: VirtualClock = attrs.field(factory=lambda: VirtualClock(MIDNIGHT_MS))
    log: Log = attrs.field(factory=Log)
    jobs: list[tuple[str, Job]] = attrs.field(factory=list)
    zone: str = "UTC"
    scheduler: Jobs = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        log: Any = self.log
        tools = Tools(clock=self.clock, log=log, zone=lambda: self.zone, states=MemoryStates())
        self.scheduler = Jobs(lambda: self.jobs, tools)

    def add(self, trigger: Any, name: str = "a.job", **more: Any) -> Work:
        """A job of the plugin ``a``; it begins with the next ``sync``."""
        work = Work(self.clock)
        self.jobs.append(("a", Job(name=name, trigger=trigger, run=work, **more)))
        return work

    async def sync(self) -> None:
        self.scheduler.sync()
        await turns()

    def status(self, name: str = "a.job") -> JobStatus:
        return next(job for job in self.scheduler.all() if job.name == name)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.scheduler.start()
    yield world
    await world.scheduler.stop()


@pytest.fixture
async def memory() -> AsyncIterator[Any]:
    """A storage that two stations may share; it counts what is written."""
    from neomind_sdk.testing.memory import open_memory

    from .stations import Storage

    real = await open_memory(Path(), None)
    yield Storage(real)
    await real.close()


@pytest.fixture
async def station(memory: Any, tmp_path: Path) -> AsyncIterator[Any]:
    """A platform on a storage that stays; it is not started."""
    from .stations import Station

    station = Station(memory, VirtualClock(MIDNIGHT_MS), tmp_path / "one")
    yield station
    await station.kill()
