"""The plugin on the real storage: what a restart and kill -9 leave, and what it is without any storage."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from neomind_plugins.scheduler import plugin as scheduler
from neomind_plugins.scheduler.service import Jobs
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk import Cron, Every, Once
from neomind_sdk.testing import VirtualClock, make_host

from .conftest import MIDNIGHT_MS
from .test_plugin import Worker, worker_plugin

TRIGGERS = {
    "every": Every(seconds=120),
    "cron": Cron(expression="*/2 * * * *"),
    "once": Once(at_ms=MIDNIGHT_MS + 120_000),
}


@asynccontextmanager
async def running(worker: Worker, directory: Path, clock: VirtualClock) -> AsyncIterator[Any]:
    plugins = (storage_sqlite, scheduler, worker_plugin(worker))
    async with make_host(*plugins, data_dir=directory, clock=clock) as host:
        await until(lambda: host.services[Jobs].open)
        await host.settle()
        yield host


async def until(what: Callable[[], Any]) -> None:
    """Real time: SQLite has threads of its own."""
    async with asyncio.timeout(10):
        while not what():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.002)


async def pass_time(clock: VirtualClock, seconds: float) -> None:
    """In steps, between which the storage, which takes real time, may answer."""
    for _ in range(round(seconds / 5)):
        await clock.advance(5)
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("kind", TRIGGERS)
async def test_it_goes_on_after_a_restart(tmp_path: Path, kind: str) -> None:
    worker, clock = Worker(TRIGGERS[kind]), VirtualClock(MIDNIGHT_MS)
    async with running(worker, tmp_path, clock):
        await pass_time(clock, 60)
    async with running(worker, tmp_path, clock) as host:
        await pass_time(clock, 55)
        assert worker.runs == 0
        await clock.advance(5)
        await until(lambda: host.services[Jobs].all()[0].state.runs == 1)
    async with running(worker, tmp_path, clock) as host:
        await pass_time(clock, 30)
        [job] = host.services[Jobs].all()
        assert (worker.runs, job.state.runs) == (1, 1)


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from neomind_sdk.testing import VirtualClock
from tests.plugins.scheduler.conftest import MIDNIGHT_MS
from tests.plugins.scheduler.test_storage import TRIGGERS, pass_time, running
from tests.plugins.scheduler.test_plugin import Worker

async def main():
    worker, clock = Worker(TRIGGERS[sys.argv[3]], misfire=sys.argv[4]), VirtualClock(MIDNIGHT_MS)
    async def run():
        os.kill(os.getpid(), signal.SIGKILL)
    worker.run = run
    async with running(worker, Path(sys.argv[1]), clock) as host:
        await pass_time(clock, 120)
        await asyncio.sleep(30)

asyncio.run(main())
"""


@pytest.mark.parametrize(("misfire", "runs"), [("skip", 0), ("run_once", 1)])
@pytest.mark.parametrize("kind", TRIGGERS)
async def test_kill_9_between_the_record_and_the_end_of_a_run(
    tmp_path: Path, kind: str, misfire: str, runs: int
) -> None:
    root = str(Path(__file__).parents[3])
    command = [sys.executable, "-c", KILLED, str(tmp_path), root, kind, misfire]
    killed = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
    assert killed.returncode == -9, killed.stderr
    worker, clock = Worker(TRIGGERS[kind], misfire=misfire), VirtualClock(MIDNIGHT_MS + 123_000)
    async with running(worker, tmp_path, clock):  # at once: its own lease is no obstacle
        await pass_time(clock, 20)
        await until(lambda: worker.runs >= runs)
        await pass_time(clock, 20)
        assert worker.runs == runs


async def test_without_a_storage_it_works_and_says_so(tmp_path: Path) -> None:
    worker = Worker(Every(seconds=10))
    async with make_host(scheduler, worker_plugin(worker), data_dir=tmp_path, storage=False) as host:
        await host.settle()
        await host.clock.advance(25)
        assert worker.runs == 2
        [check] = [item for name, item in host.host.contributions("health") if name == "scheduler"]
        health = await check.check()
        assert (health.ok, "no storage" in health.detail) == (True, True)
        assert not (tmp_path / "scheduler").exists()


async def test_with_a_storage_there_is_nothing_to_say() -> None:
    async with make_host(scheduler) as host:
        [check] = [item for name, item in host.host.contributions("health") if name == "scheduler"]
        health = await check.check()
        assert (health.ok, health.detail) == (True, "")
