"""Jobs that come and go while the platform runs."""

from __future__ import annotations

from typing import Any

import pytest

from neomind_plugins.scheduler import plugin as scheduler
from neomind_plugins.scheduler.service import Jobs
from neomind_sdk import Conflict, Cron, Every, Job, Scheduling, ValidationFailed
from neomind_sdk.testing import make_host
from neomind_sdk.testing.clock import turns

from .conftest import Work, World


def job_of(world: World, trigger: Any, name: str = "b.job", **more: Any) -> tuple[Job, Work]:
    work = Work(world.clock)
    return Job(name=name, trigger=trigger, run=work, **more), work


async def test_an_added_job_runs_until_it_is_taken_away(world: World) -> None:
    job, work = job_of(world, Every(seconds=10))
    remove = world.scheduler.add(job)
    await world.clock.advance(25)
    assert work.done == 2
    assert world.status("b.job").plugin == "b"
    remove()
    await world.clock.advance(60)
    assert work.done == 2
    assert world.scheduler.all() == []
    remove()  # a second time changes nothing


@pytest.mark.parametrize(("away_s", "after_s"), [(0, 5), (100, 10)])
async def test_a_job_that_was_away_for_long_begins_anew(world: World, away_s: float, after_s: float) -> None:
    job, work = job_of(world, Every(seconds=10))
    remove = world.scheduler.add(job)
    await world.clock.advance(10)
    await world.clock.advance(5)
    remove()
    await world.clock.advance(away_s)
    world.scheduler.add(job)
    await world.clock.advance(after_s - 1)
    assert work.done == 1
    await world.clock.advance(2)
    assert work.done == 2


async def test_taking_away_cancels_the_run_under_way(world: World) -> None:
    job, work = job_of(world, Every(seconds=10))
    work.takes_s = 100
    remove = world.scheduler.add(job)
    await world.clock.advance(15)
    remove()
    await turns()
    assert (len(work.begun), work.cancelled, work.done) == (1, 1, 0)


async def test_contributed_jobs_that_come_and_go_leave_added_ones_alone(world: World) -> None:
    job, work = job_of(world, Every(seconds=10))
    world.scheduler.add(job)
    other = world.add(Every(seconds=10))
    await world.sync()
    await world.clock.advance(11)
    world.jobs.clear()
    await world.sync()
    await world.clock.advance(10)
    assert (work.done, other.done) == (2, 1)


async def test_cron_runs_at_its_times(world: World) -> None:
    job, work = job_of(world, Cron(expression="*/30 * * * * *"))
    world.scheduler.add(job)
    await world.clock.advance(95)
    assert work.times == ["01 00:00:30", "01 00:01:00", "01 00:01:30"]


@pytest.mark.parametrize(
    ("trigger", "path"),
    [
        (Cron(expression="every day"), "expression"),
        (Cron(expression="0 0 * * *", timezone="Moon/Crater"), "timezone"),
        (Every(seconds=0), "seconds"),
        (Every(seconds=1, jitter=2), "jitter"),
        (None, "trigger"),
    ],
)
async def test_what_cannot_be_is_refused_and_leaves_nothing(world: World, trigger: Any, path: str) -> None:
    job, _ = job_of(world, trigger)
    for call in (world.scheduler.check, world.scheduler.add):
        with pytest.raises(ValidationFailed) as caught:
            call(job)
        assert caught.value.details[0]["field"] == path
    assert world.scheduler.all() == []
    world.scheduler.add(job_of(world, Every(seconds=1))[0])  # the name is free


async def test_names_are_given_once(world: World) -> None:
    world.add(Every(seconds=10))
    await world.sync()
    remove = world.scheduler.add(job_of(world, Every(seconds=10))[0])
    for taken in ("a.job", "b.job"):
        with pytest.raises(Conflict):
            world.scheduler.add(job_of(world, Every(seconds=10), taken)[0])
    remove()
    job, work = job_of(world, Every(seconds=10))
    world.scheduler.add(job)
    remove()  # of the former
    await world.clock.advance(11)
    assert work.done == 1


async def test_added_before_the_start() -> None:
    world = World()
    job, work = job_of(world, Every(seconds=10))
    world.scheduler.add(job)
    await world.clock.advance(30)
    assert work.done == 0
    await world.scheduler.start()
    await world.clock.advance(11)
    assert work.done == 1
    await world.scheduler.stop()


async def test_it_is_a_service_of_the_platform() -> None:
    async with make_host(scheduler) as host:
        assert host.services[Scheduling] is host.services[Jobs]
        assert isinstance(host.services[Jobs], Scheduling)
