"""Jobs: when they run, that they never overlap, and what comes of those that fail or take too long."""

from __future__ import annotations

import asyncio

import pytest

from neomind_sdk import Cron, Every, Once
from neomind_sdk.testing.clock import turns

from .conftest import DAY, HOUR, MIDNIGHT_MS


async def test_an_interval_is_counted_from_the_end_of_the_last_run(world):
    work = world.add(Every(seconds=100))
    work.takes_s = 10
    await world.sync()
    await world.clock.advance(99)
    assert work.begun == []
    await world.clock.advance(300)
    assert work.times == ["01 00:01:40", "01 00:03:30", "01 00:05:20"]


async def test_an_interval_that_changes_holds_for_the_wait_under_way(world):
    seconds = DAY
    work = world.add(Every(seconds=lambda: seconds))
    await world.sync()
    await world.clock.advance(HOUR)
    seconds = HOUR + 60
    await world.clock.advance(90)
    assert len(work.begun) == 1


async def test_jitter_makes_runs_later_by_up_to_its_share(world):
    works = [world.add(Every(seconds=1000, jitter=0.5), f"a.job{n}") for n in range(40)]
    await world.sync()
    await world.clock.advance(1500)
    delays = [(work.begun[0] - MIDNIGHT_MS) / 1000 for work in works]
    assert min(delays) >= 1000
    assert max(delays) <= 1500
    assert max(delays) - min(delays) > 200


async def test_setting_the_clock_changes_no_interval(world):
    work = world.add(Every(seconds=HOUR))
    await world.sync()
    await world.clock.advance(HOUR / 2)
    world.clock.jump_ms(10 * 3_600_000)
    await world.clock.advance(HOUR / 2 - 1)
    assert work.begun == []
    world.clock.jump_ms(-20 * 3_600_000)
    await world.clock.advance(1)
    assert len(work.begun) == 1


async def test_cron_runs_at_its_times(world):
    work = world.add(Cron(expression="0 */6 * * *"))
    await world.sync()
    await world.clock.advance(DAY)
    assert work.times == ["01 06:00:00", "01 12:00:00", "01 18:00:00", "02 00:00:00"]
    assert world.status().next_ms == MIDNIGHT_MS + 30 * 3_600_000


async def test_cron_uses_its_own_zone_or_the_platform_s(world):
    world.zone = "Asia/Shanghai"
    ours = world.add(Cron(expression="0 12 * * *"))
    theirs = world.add(Cron(expression="0 12 * * *", timezone="Europe/Berlin"), "a.other")
    await world.sync()
    await world.clock.advance(DAY - 60)
    assert (ours.times, theirs.times) == (["01 04:00:00"], ["01 11:00:00"])


async def test_a_changed_zone_of_the_platform_holds_at_once(world):
    work = world.add(Cron(expression="0 12 * * *"))
    await world.sync()
    await world.clock.advance(6 * HOUR)
    world.zone = "Asia/Shanghai"  # there it is over for today, which is no miss
    await world.clock.advance(60)
    assert (work.begun, world.status().state.missed) == ([], 0)
    world.zone = "America/New_York"
    await world.clock.advance(18 * HOUR - 60)
    assert work.times == ["01 17:00:00"]


async def test_once_runs_once(world):
    work = world.add(Once(at_ms=MIDNIGHT_MS + 5_000))
    await world.sync()
    await world.clock.advance(DAY)
    assert work.times == ["01 00:00:05"]
    assert world.status().next_ms is None


async def test_no_job_runs_twice_at_a_time(world):
    work = world.add(Cron(expression="* * * * *"), misfire="run_once", timeout_s=DAY)
    work.takes_s = 150
    await world.sync()
    await world.clock.advance(HOUR)
    assert work.most == 1
    assert len(work.begun) == 24  # each run begins when the one before ends: times in between count once


async def test_times_during_a_long_run_are_skipped(world):
    work = world.add(Cron(expression="0 * * * *"), timeout_s=DAY)
    work.takes_s = 1.5 * HOUR
    await world.sync()
    await world.clock.advance(6 * HOUR)
    assert work.times == ["01 01:00:00", "01 03:00:00", "01 05:00:00"]
    assert world.status().state.missed == 2


async def test_jobs_run_beside_each_other(world):
    slow, fast = world.add(Every(seconds=1)), world.add(Every(seconds=1), "a.fast")
    slow.takes_s = HOUR
    await world.sync()
    await world.clock.advance(5.5)
    assert (len(slow.begun), len(fast.begun)) == (1, 5)


async def test_a_failing_run_is_logged_and_counted_and_the_next_comes_at_its_time(world):
    work = world.add(Cron(expression="0 * * * *"))
    work.error = RuntimeError("no\nluck")
    await world.sync()
    await world.clock.advance(2 * HOUR)
    assert work.times == ["01 01:00:00", "01 02:00:00"]
    state = world.status().state
    assert (state.runs, state.failures, state.error) == (2, 2, "RuntimeError: no luck")
    assert [line["job"] for line in world.log.of("job_failed")] == ["a.job", "a.job"]
    work.error = None
    await world.clock.advance(HOUR)
    state = world.status().state
    assert (state.runs, state.failures, state.error) == (3, 2, None)


@pytest.mark.parametrize("error", [SystemExit(3), asyncio.CancelledError(), GeneratorExit()])
async def test_nothing_that_a_job_raises_ends_more_than_the_run(world, error):
    work = world.add(Every(seconds=10))
    work.error = error
    await world.sync()
    await world.clock.advance(35)
    assert len(work.begun) == 3
    assert world.status().state.failures == 3


async def test_a_run_that_takes_too_long_is_cancelled(world):
    work = world.add(Every(seconds=100), timeout_s=20)
    work.takes_s = HOUR
    await world.sync()
    await world.clock.advance(119)
    assert world.status().running
    await world.clock.advance(101)
    assert (work.cancelled, len(work.begun)) == (1, 2)
    assert world.status().state.error == "TimeoutError: took over 20 s and was cancelled"
    assert len(world.log.of("job_failed")) == 1


async def test_a_run_that_does_not_let_itself_be_cancelled_is_waited_for(world):
    work = world.add(Every(seconds=100), timeout_s=20)
    work.takes_s, work.stubborn = HOUR, asyncio.Event()
    await world.sync()
    await world.clock.advance(2 * HOUR)
    assert (len(work.begun), world.status().running) == (1, True)
    work.stubborn.set()
    await world.clock.advance(100)
    assert (len(work.begun), work.most) == (2, 1)


async def test_jobs_come_and_go_with_their_plugins(world):
    first = world.add(Every(seconds=10))
    await world.sync()
    await world.clock.advance(10)
    world.jobs.clear()
    second = world.add(Every(seconds=10), "a.second")
    await world.sync()
    await world.clock.advance(10)
    assert (len(first.begun), len(second.begun)) == (1, 1)
    assert [job.name for job in world.scheduler.all()] == ["a.second"]


async def test_a_job_that_stays_is_not_disturbed(world):
    work = world.add(Every(seconds=10))
    work.takes_s = 5
    await world.sync()
    await world.clock.advance(12)
    await world.sync()
    await world.clock.advance(3)
    assert (work.cancelled, work.done) == (0, 1)


async def test_a_run_under_way_is_cancelled_when_its_plugin_goes(world):
    work = world.add(Every(seconds=10))
    work.takes_s = HOUR
    await world.sync()
    await world.clock.advance(10)
    world.jobs.clear()
    await world.sync()
    assert (work.cancelled, work.now) == (1, 0)


async def test_a_plugin_that_comes_back_waits_for_the_end_of_its_old_run(world):
    work = world.add(Every(seconds=10))
    work.takes_s, work.stubborn = HOUR, asyncio.Event()
    await world.sync()
    await world.clock.advance(10)
    for _ in range(2):
        kept, world.jobs[:] = list(world.jobs), []
        await world.sync()
        world.jobs += kept
        await world.sync()
    await world.clock.advance(HOUR)
    assert len(work.begun) == 1
    work.stubborn.set()
    work.takes_s = 0
    await world.clock.advance(20)
    assert (work.most, len(work.begun) > 1) == (1, True)


async def test_an_interval_goes_on_when_a_plugin_comes_back(world):
    work = world.add(Every(seconds=100))
    await world.sync()
    await world.clock.advance(100)
    jobs = list(world.jobs)
    world.jobs.clear()
    await world.sync()
    await world.clock.advance(60)
    world.jobs += jobs
    await world.sync()
    await world.clock.advance(40)
    assert work.times == ["01 00:01:40", "01 00:03:20"]


async def test_stopping_cancels_what_runs(world):
    work = world.add(Every(seconds=10))
    work.takes_s = HOUR
    await world.sync()
    await world.clock.advance(10)
    await world.scheduler.stop()
    assert work.now == 0
    await world.sync()
    await world.clock.advance(HOUR)
    assert len(work.begun) == 1


async def test_stopping_does_not_wait_for_ever(world):
    work = world.add(Every(seconds=10))
    work.takes_s, work.stubborn = HOUR, asyncio.Event()
    await world.sync()
    await world.clock.advance(10)
    await asyncio.wait_for(world.scheduler.stop(), 5)
    work.stubborn.set()
    await turns()
    assert work.now == 0


@pytest.mark.parametrize(
    ("trigger", "more", "problem"),
    [
        (Cron(expression="61 * * * *"), {}, "expression: the minute '61' must be 0 to 59"),
        (Cron(expression="* * * * *", timezone="Mars"), {}, "timezone: there is no time zone 'Mars'"),
        (Every(seconds=0), {}, "seconds: must be more than 0"),
        (Every(seconds=1, jitter=2), {}, "jitter: must be 0 to 1"),
        (Every(seconds=lambda: 1 / 0), {}, "ZeroDivisionError"),
        (Every(seconds=1), {"misfire": "perhaps"}, "misfire: must be skip or run_once"),
        (Every(seconds=1), {"timeout_s": 0}, "timeout_s: must be more than 0"),
        ("hourly", {}, "trigger: must be Every, Cron or Once, not a str"),
    ],
)
async def test_a_job_that_cannot_be_says_why_and_harms_nobody(world, trigger, more, problem):
    world.add(Every(seconds=10), "a.sound")
    broken = world.add(trigger, **more)
    await world.sync()
    await world.clock.advance(100)
    assert broken.begun == []
    assert world.status().problem.startswith(problem)
    assert world.status("a.sound").state.runs == 10
    assert len(world.scheduler.problems()) == 1
    assert len(world.log.of("job_cannot_run")) == 1


async def test_an_interval_that_becomes_sound_again_is_used(world):
    seconds = -1.0
    work = world.add(Every(seconds=lambda: seconds))
    await world.sync()
    assert world.scheduler.problems() == ["a.job: seconds: must be more than 0, not -1.0"]
    seconds = 40.0
    await world.clock.advance(60)
    assert (len(work.begun), world.scheduler.problems()) == (1, [])


async def test_jobs_are_shown(world):
    world.add(Every(seconds=90), "a.each")
    world.add(Cron(expression="0 1 * * *", timezone="UTC"), "a.cron")
    world.add(Once(at_ms=MIDNIGHT_MS + 1), "a.once")
    await world.sync()
    shown = {job.name: (job.plugin, job.trigger, job.next_ms - MIDNIGHT_MS) for job in world.scheduler.all()}
    assert list(shown) == ["a.cron", "a.each", "a.once"]
    assert shown["a.cron"] == ("a", "cron 0 1 * * * (UTC)", 3_600_000)
    assert shown["a.each"] == ("a", "every 90 s", 90_000)
    assert shown["a.once"] == ("a", f"once at {MIDNIGHT_MS + 1}", 1)
    await world.clock.advance(90)
    state = world.status("a.each").state
    assert (state.started_ms, state.ended_ms) == (MIDNIGHT_MS + 90_000, MIDNIGHT_MS + 90_000)
