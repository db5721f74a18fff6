"""No job begins while its plugin, or the platform, stops."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from neomind_plugins.scheduler import plugin as scheduler
from neomind_plugins.scheduler.kept import JobState, Write
from neomind_plugins.scheduler.service import Jobs
from neomind_sdk import Cron, Every, Job, PlatformStopping, Plugin, Scheduling, Step, hookimpl
from neomind_sdk.testing import make_host

from .conftest import World
from .test_plugin import Worker, worker_plugin


class SlowToStop(Worker):
    """Takes its time to stop, and adds a job of its own at the start."""

    def __init__(self, trigger: Any) -> None:
        super().__init__(trigger)
        self.added = 0
        self.gate = asyncio.Event()

    @hookimpl
    def neomind_start(self, ctx: Any) -> list[Step]:
        async def add() -> None:
            ctx.services[Scheduling].add(Job(name="worker.added", trigger=Every(seconds=10), run=self.run_added))

        return [Step(name="add", run=add)]

    @hookimpl
    def neomind_stop(self, ctx: Any) -> list[Step]:
        async def wait() -> None:
            await self.gate.wait()

        return [Step(name="wait", run=wait)]

    async def run_added(self) -> None:
        self.added += 1


def slow_plugin(worker: SlowToStop) -> Plugin:
    return Plugin(name="worker", summary="Is slow to stop.", hooks=worker, requires=("scheduler",))


async def test_while_a_plugin_is_taken_down() -> None:
    worker = SlowToStop(Every(seconds=10))
    async with make_host(scheduler, slow_plugin(worker), strict=False) as host:
        await host.settle()
        await host.clock.advance(15)
        assert (worker.runs, worker.added) == (1, 1)
        worker.ctx.spawn(worker.fail(), "doom")
        await host.settle()
        await host.clock.advance(60)  # it is stopping all the while
        assert (worker.runs, worker.added) == (1, 1)
        worker.gate.set()
        await host.host.settled()
        await host.settle()
        await host.clock.advance(60)
        assert (worker.runs, worker.added) == (1, 1)
        assert host.services[Jobs].all() == []


async def test_while_the_platform_stops() -> None:
    worker = Worker(Every(seconds=10))
    async with make_host(scheduler, worker_plugin(worker)) as host:
        await host.settle()
        await host.clock.advance(15)
        assert worker.runs == 1
        host.bus.publish(PlatformStopping())
        await host.bus.settle()
        await host.clock.advance(60)
        assert worker.runs == 1


@pytest.mark.parametrize("misfire", ["skip", "run_once"])
async def test_while_it_is_recorded_that_a_run_begins(misfire: str) -> None:
    world, running = World(), True
    world.scheduler._running = lambda plugin: running
    save = world.scheduler._tools.states.save

    async def slow(name: str, state: JobState, write: Write) -> bool:
        nonlocal running
        running = False
        return await save(name, state, write)

    world.scheduler._tools.states.save = slow  # type: ignore[method-assign]
    work = world.add(Cron(expression="* * * * *"), misfire=misfire)
    await world.scheduler.start()
    await world.clock.advance(70)
    assert (work.begun, world.status().state.attempts) == ([], 0)
    await world.scheduler.stop()


async def test_a_time_that_came_meanwhile_is_not_lost() -> None:
    """It was due and did not begin: after the restart it does, late or as a miss."""
    world = World()
    may = True
    world.scheduler._running = lambda plugin: may
    work = world.add(Cron(expression="* * * * *"))
    await world.scheduler.start()
    await world.clock.advance(50)
    may = False
    await world.clock.advance(30)
    assert work.begun == []
    may = True
    await world.clock.advance(10)
    assert len(work.begun) == 1
    await world.scheduler.stop()
