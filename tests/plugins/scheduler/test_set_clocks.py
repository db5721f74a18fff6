"""Clocks that are set forward and back, and the times that are missed by it: none runs twice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from neomind_sdk import Cron, Once

from .conftest import DAY, HOUR, MIDNIGHT_MS

HOUR_MS = 3_600_000


@pytest.mark.parametrize(("misfire", "runs"), [("skip", 0), ("run_once", 1)])
async def test_times_that_were_jumped_over(world, misfire, runs):
    work = world.add(Cron(expression="0 * * * *"), misfire=misfire)
    await world.sync()
    await world.clock.advance(HOUR / 2)
    world.clock.jump_ms(4 * HOUR_MS + 600_000)  # 04:40, over four times
    await world.clock.advance(60)
    assert len(work.begun) == runs
    assert world.status().state.missed == 1
    assert world.log.of("job_missed")
    await world.clock.advance(19 * 60)
    assert work.times[runs:] == ["01 05:00:00"]


async def test_a_small_step_over_the_time_is_late_but_not_missed(world):
    work = world.add(Cron(expression="0 * * * *"))
    await world.sync()
    await world.clock.advance(HOUR - 40)
    world.clock.jump_ms(50_000)
    await world.clock.advance(30)
    assert len(work.begun) == 1
    assert world.status().state.missed == 0


@pytest.mark.parametrize("back_s", [1, 30, 600, 3600, 2 * 3600])
async def test_a_clock_that_is_set_back_brings_no_time_again(world, back_s):
    work = world.add(Cron(expression="0 12 * * *"))
    await world.sync()
    await world.clock.advance(12 * HOUR + 10)
    world.clock.jump_ms(-back_s * 1000)
    await world.clock.advance(DAY - HOUR)
    assert len(work.begun) == 1
    await world.clock.advance(HOUR + back_s)
    assert len(work.begun) == 2


async def test_a_clock_that_ticks_back_and_forth_around_the_time_brings_it_once(world):
    work = world.add(Cron(expression="0 12 * * *"))
    await world.sync()
    await world.clock.advance(12 * HOUR - 5)
    for _ in range(20):
        await world.clock.advance(10)
        world.clock.jump_ms(-9_500)
    assert len(work.begun) == 1


async def test_a_clock_that_was_years_ahead_does_not_stop_the_job_for_years(world):
    world.clock.jump_ms(10 * 365 * 24 * HOUR_MS)
    work = world.add(Cron(expression="0 * * * *"))
    await world.sync()
    await world.clock.advance(HOUR)
    assert len(work.begun) == 1
    world.clock.jump_ms(-10 * 365 * 24 * HOUR_MS)
    await world.clock.advance(HOUR)
    assert len(work.begun) == 2


@pytest.mark.parametrize(("misfire", "runs"), [("skip", 0), ("run_once", 1)])
async def test_a_time_that_was_over_before_the_start(world, misfire, runs):
    work = world.add(Once(at_ms=MIDNIGHT_MS - HOUR_MS), misfire=misfire)
    await world.sync()
    await world.clock.advance(60)
    assert len(work.begun) == runs
    assert world.status().state.missed == 1


async def test_a_plugin_that_comes_back_does_not_run_its_time_again(world):
    work = world.add(Once(at_ms=MIDNIGHT_MS + 1_000))
    await world.sync()
    await world.clock.advance(2)
    jobs = list(world.jobs)
    world.jobs.clear()
    await world.sync()
    world.jobs += jobs
    await world.sync()
    await world.clock.advance(60)
    assert len(work.begun) == 1


@pytest.mark.parametrize(
    ("day", "expression", "expected"),
    [
        (datetime(2025, 3, 29, 23), "30 2 * * *", ["30 01:00", "31 00:30"]),
        (datetime(2025, 10, 25, 22), "30 2 * * *", ["26 00:30", "27 01:30"]),
        (datetime(2025, 3, 30, 0), "30 * * * *", ["30 00:30", "30 01:30", "30 02:30"]),
        (datetime(2025, 10, 25, 23), "30 * * * *", ["25 23:30", "26 00:30", "26 01:30", "26 02:30"]),
    ],
)
async def test_summer_time_begins_and_ends(world, day, expression, expected):
    world.clock.jump_ms(int(day.replace(tzinfo=UTC).timestamp() * 1000) - MIDNIGHT_MS)
    world.zone = "Europe/Berlin"
    work = world.add(Cron(expression=expression))
    await world.sync()
    hours = 30 if expression.startswith("30 2") else len(expected)
    await world.clock.advance(hours * HOUR)
    assert work.times == [f"{time}:00" for time in expected]
