"""How much is written: a job that runs all the time wears out no card, and yet nothing runs twice."""

from __future__ import annotations

from typing import Any

import pytest

from neomind_sdk import Cron, Every, StorageBusy, StorageFull

from .conftest import HOUR


@pytest.mark.parametrize("misfire", ["skip", "run_once"])
@pytest.mark.parametrize(
    "trigger", [Every(seconds=1), Cron(expression="* * * * * *"), Cron(expression="*/20 * * * * *")]
)
async def test_a_job_that_runs_all_the_time(station: Any, memory: Any, trigger: Any, misfire: str) -> None:
    work = station.add(trigger, misfire=misfire)
    await station.start()
    before = memory.writes
    await station.clock.advance(HOUR)
    assert len(work.begun) >= 179
    assert memory.writes - before <= 120 + 5  # one each half minute, and that one renews the lease too


async def test_nothing_but_the_lease_is_written_when_nothing_runs(station: Any, memory: Any) -> None:
    for number in range(50):
        station.add(Every(seconds=100 * HOUR), f"a.job{number}")
    await station.start()
    before = memory.writes
    await station.clock.advance(HOUR)
    assert memory.writes - before <= 121


async def test_many_jobs_are_written_together(station: Any, memory: Any) -> None:
    for number in range(1200):
        station.add(Every(seconds=100 * HOUR), f"a.job{number:04}")
    await station.start()
    before = memory.writes
    await station.clock.advance(31)
    assert memory.writes - before <= 3
    await station.crash()
    assert sum(job.state.since_ms is not None for job in station.scheduler.all()) == 1200


@pytest.mark.parametrize("after_s", [0.5, 7.5, 29.5, 31.5, 100.5])
async def test_no_second_comes_twice_after_a_crash(station: Any, after_s: float) -> None:
    work = station.add(Cron(expression="* * * * * *"))
    await station.start()
    await station.clock.advance(after_s)
    await station.crash(2)
    await station.clock.advance(60)
    assert len(set(work.times)) == len(work.times)
    assert len(work.begun) > 10


async def test_an_orderly_restart_leaves_no_second_out(station: Any) -> None:
    work = station.add(Cron(expression="* * * * * *"))
    other = station.add(Cron(expression="*/20 * * * * *"), "a.other")
    await station.start()
    for _ in range(5):
        await station.clock.advance(10.5)
        await station.restart()
    await station.clock.advance(10)
    assert len(work.begun) == len(set(work.times)) == 62
    assert len(other.begun) == 3


async def test_nor_does_one_after_all_was_written(station: Any) -> None:
    work = station.add(Cron(expression="*/20 * * * * *"))
    await station.start()
    await station.clock.advance(31)  # what is on record now says that this minute is done
    await station.restart(2)
    await station.clock.advance(30)
    assert work.times == ["01 00:00:20", "01 00:00:40", "01 00:01:00"]


@pytest.mark.parametrize("error", [StorageFull(), StorageBusy("busy")])
async def test_what_cannot_be_written_is_written_later(station: Any, memory: Any, error: Exception) -> None:
    work = station.add(Cron(expression="0 * * * *"))
    await station.start()
    await station.clock.advance(HOUR - 10)
    memory.error = error
    await station.clock.advance(20)
    assert len(work.begun) == 1
    assert "cannot be written" in station.leader.standing()[1]
    assert len(station.log.of("jobs_not_written")) == 1
    memory.error = None
    await station.clock.advance(31)
    await station.crash()
    await station.clock.advance(10)
    assert len(work.begun) == 1
    assert station.status().state.runs == 1
