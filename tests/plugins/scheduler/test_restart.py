"""What a restart leaves of jobs: none is forgotten, none runs twice, and what was missed is made up for or not."""

from __future__ import annotations

from typing import Any

import pytest

from neomind_sdk import Cron, Every, Once

from .conftest import DAY, HOUR, MIDNIGHT_MS

HOUR_MS = 3_600_000
TRIGGERS = [Every(seconds=HOUR), Cron(expression="0 * * * *"), Once(at_ms=MIDNIGHT_MS + HOUR_MS)]
NAMES = ["every", "cron", "once"]


async def test_an_interval_counts_from_the_last_run(station: Any) -> None:
    work = station.add(Every(seconds=4 * HOUR))
    await station.start()
    await station.clock.advance(4 * HOUR)
    assert work.times == ["01 04:00:00"]
    await station.clock.advance(HOUR)
    await station.restart(2 * HOUR)
    await station.clock.advance(HOUR - 1)
    assert len(work.begun) == 1
    await station.clock.advance(1)
    assert work.times[1:] == ["01 08:00:00"]


async def test_a_box_that_is_restarted_all_the_time_does_its_daily_work(station: Any) -> None:
    work = station.add(Every(seconds=DAY))
    await station.start()
    for _ in range(14):
        await station.clock.advance(HOUR)
        await station.restart(11 * HOUR)
    assert [time[:2] for time in work.times] == ["02", "03", "04", "05", "06", "07", "08"]


async def test_a_box_that_is_on_at_the_wrong_time_of_the_day_only_does_so_too(station: Any) -> None:
    work = station.add(Every(seconds=DAY))
    await station.start()
    for _ in range(7):
        await station.clock.advance(600)
        await station.restart(DAY - 600 + 60)
    assert len(work.begun) >= 5


@pytest.mark.parametrize(("misfire", "after_s"), [("skip", 60), ("run_once", 0)])
async def test_an_interval_that_ended_meanwhile(station: Any, misfire: str, after_s: float) -> None:
    work = station.add(Every(seconds=HOUR), misfire=misfire)
    await station.start()
    await station.clock.advance(HOUR)
    await station.restart(5 * HOUR)
    if after_s:
        await station.clock.advance(after_s - 1)
        assert len(work.begun) == 1
    await station.clock.advance(1)
    assert len(work.begun) == 2
    assert station.status().state.missed == 1
    await station.clock.advance(HOUR)
    assert len(work.begun) == 3


async def test_a_short_interval_does_not_wait_longer_than_itself(station: Any) -> None:
    work = station.add(Every(seconds=10))
    await station.start()
    await station.clock.advance(10)
    await station.restart(HOUR)
    await station.clock.advance(10)
    assert len(work.begun) == 2


@pytest.mark.parametrize(("misfire", "runs"), [("skip", 0), ("run_once", 1)])
async def test_cron_times_that_were_missed(station: Any, misfire: str, runs: int) -> None:
    work = station.add(Cron(expression="0 * * * *"), misfire=misfire)
    await station.start()
    await station.clock.advance(HOUR / 2)
    await station.restart(5 * HOUR)  # over five times
    await station.clock.advance(1)
    assert len(work.begun) == runs
    assert station.status().state.missed == 1
    await station.clock.advance(HOUR)
    assert work.times[runs:] == ["01 06:00:00"]


@pytest.mark.parametrize("misfire", ["skip", "run_once"])
async def test_a_short_absence_is_late_and_not_a_miss(station: Any, misfire: str) -> None:
    work = station.add(Cron(expression="0 * * * *"), misfire=misfire)
    await station.start()
    await station.clock.advance(HOUR - 10)
    await station.restart(40)
    await station.clock.advance(1)
    assert (len(work.begun), station.status().state.missed) == (1, 0)


@pytest.mark.parametrize(("misfire", "runs"), [("skip", 0), ("run_once", 1)])
async def test_once_in_an_absence(station: Any, misfire: str, runs: int) -> None:
    work = station.add(Once(at_ms=MIDNIGHT_MS + HOUR_MS), misfire=misfire)
    await station.start()
    for _ in range(3):
        await station.restart(5 * HOUR)
        await station.clock.advance(60)
        assert len(work.begun) == runs


@pytest.mark.parametrize("misfire", ["skip", "run_once"])
@pytest.mark.parametrize("trigger", TRIGGERS, ids=NAMES)
@pytest.mark.parametrize("how", ["restart", "crash"])
@pytest.mark.parametrize("back_s", [0, 5, 1800])
async def test_what_has_run_does_not_run_again(
    station: Any, misfire: str, trigger: Any, how: str, back_s: float
) -> None:
    """Not even when the platform dies a second later, or when the clock is set back meanwhile."""
    work = station.add(trigger, misfire=misfire)
    await station.start()
    await station.clock.advance(HOUR + 1)
    assert work.done == 1
    for _ in range(3):
        station.clock.jump_ms(-1000 * back_s)
        await getattr(station, how)(1)
        await station.clock.advance(60)
    assert work.done == 1


@pytest.mark.parametrize(("misfire", "runs"), [("skip", 1), ("run_once", 2)])
@pytest.mark.parametrize("trigger", TRIGGERS, ids=NAMES)
async def test_a_crash_in_a_run(station: Any, misfire: str, runs: int, trigger: Any) -> None:
    """Between the record that a run begins and the record that it ended: at most once, or at least once."""
    work = station.add(trigger, misfire=misfire)
    work.takes_s = 10
    await station.start()
    await station.clock.advance(HOUR + 5)
    assert (len(work.begun), work.done) == (1, 0)
    await station.crash(20)
    await station.clock.advance(20)
    assert len(work.begun) == runs
    await station.crash(20)
    await station.clock.advance(20)
    assert len(work.begun) == runs


@pytest.mark.parametrize("trigger", TRIGGERS, ids=NAMES)
async def test_what_kills_the_platform_each_time_is_given_up(station: Any, trigger: Any) -> None:
    work = station.add(trigger, misfire="run_once")
    work.takes_s = 10
    await station.start()
    await station.clock.advance(HOUR + 5)
    for _ in range(6):
        await station.crash(10)
        await station.clock.advance(5)
    assert len(work.begun) == 3
    assert "died" in station.status().state.error
    assert station.log.of("job_given_up")
    if not isinstance(trigger, Once):
        await station.clock.advance(HOUR + 60)
        assert work.done == 1  # the next time is another one


@pytest.mark.parametrize("trigger", TRIGGERS, ids=NAMES)
async def test_a_run_that_an_orderly_stop_cut_off_is_no_attempt(station: Any, trigger: Any) -> None:
    work = station.add(trigger, misfire="run_once")
    work.takes_s = 10
    await station.start()
    await station.clock.advance(HOUR + 5)
    for _ in range(6):
        await station.restart(1)
        await station.clock.advance(5)
    assert (len(work.begun), work.done) == (7, 0)
    await station.clock.advance(10)
    assert (len(work.begun), work.done) == (7, 1)


async def test_times_of_another_trigger_say_nothing(station: Any) -> None:
    station.add(Cron(expression="0 3 * * *"), misfire="run_once")
    await station.start()
    await station.clock.advance(10 * HOUR)
    await station.stop()
    station.jobs.clear()
    work = station.add(Cron(expression="30 * * * *"), misfire="run_once")
    await station.start()
    await station.clock.advance(60)
    assert (work.begun, station.status().state.missed) == ([], 0)
    await station.clock.advance(HOUR)
    assert work.times == ["01 10:30:00"]


async def test_what_is_known_of_a_job_is_shown_after_a_restart(station: Any) -> None:
    work = station.add(Every(seconds=100))
    work.error = RuntimeError("no luck")
    await station.start()
    await station.clock.advance(250)
    await station.restart()
    state = station.status().state
    assert (state.runs, state.failures, state.error) == (2, 2, "RuntimeError: no luck")
    assert (state.ended_ms, state.since_ms) == (MIDNIGHT_MS + 200_000, MIDNIGHT_MS)


async def test_jobs_that_nobody_declares_are_forgotten_after_a_month(station: Any) -> None:
    station.add(Every(seconds=90 * DAY), "a.kept"), station.add(Every(seconds=90 * DAY), "a.gone")
    await station.start()
    await station.clock.advance(900)
    del station.jobs[1]
    await station.restart(29 * DAY)
    await station.clock.advance(900)
    assert await names(station) == {"a.kept", "a.gone"}
    await station.restart(2 * DAY)
    await station.clock.advance(500)  # not at once: plugins that start slowly have not declared theirs yet
    assert await names(station) == {"a.kept", "a.gone"}
    await station.clock.advance(500)
    assert await names(station) == {"a.kept"}


async def test_a_platform_that_was_off_for_months_forgets_nothing_that_is_declared(station: Any) -> None:
    work = station.add(Cron(expression="0 0 1 * *"), misfire="run_once")
    station.add(Every(seconds=300 * DAY), "a.rare")  # of which nothing is to be written meanwhile
    await station.start()
    await station.restart(100 * DAY)
    await station.clock.advance(HOUR / 2)
    assert (len(work.begun), await names(station)) == (1, {"a.job", "a.rare"})
    assert station.status("a.rare").state.since_ms == MIDNIGHT_MS


async def names(station: Any) -> set[str]:
    from neomind_plugins.scheduler import tables

    return set(await station.storage.read(tables.all_states))
