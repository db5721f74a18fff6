"""Machines without a clock of their own: wrong at the start, and set right a while later."""

from __future__ import annotations

from typing import Any

import pytest

from neomind_sdk import Cron, Every, Once

from .conftest import HOUR, MIDNIGHT_MS

YEAR_MS = 365 * 86_400_000


async def start_with(station: Any, wrong_ms: int, wait_s: float = 30) -> None:
    """Begin anew with a clock that is off by so much, and set it right after a while."""
    station.clock.jump_ms(wrong_ms)
    await station.start()
    await station.clock.advance(wait_s)
    station.clock.jump_ms(-wrong_ms)


async def test_a_box_without_a_clock_that_is_restarted_before_its_time_does_its_work(station: Any) -> None:
    work = station.add(Every(seconds=2 * HOUR))
    await station.start()
    for _ in range(6):
        await station.clock.advance(HOUR)
        await station.stop()
        await start_with(station, -20 * YEAR_MS)
    assert len(work.begun) >= 2


@pytest.mark.parametrize("misfire", ["skip", "run_once"])
@pytest.mark.parametrize(
    "trigger", [Cron(expression="0 * * * *"), Once(at_ms=MIDNIGHT_MS + 3_600_000)], ids=["cron", "once"]
)
async def test_what_has_run_does_not_run_again(station: Any, trigger: Any, misfire: str) -> None:
    work = station.add(trigger, misfire=misfire)
    await station.start()
    await station.clock.advance(HOUR + 60)
    assert len(work.begun) == 1
    for _ in range(3):
        await station.stop()
        await start_with(station, -20 * YEAR_MS)
        await station.clock.advance(60)
    assert len(work.begun) == 1


@pytest.mark.parametrize(("misfire", "runs"), [("skip", 1), ("run_once", 2)])
async def test_what_was_missed_is_noticed_when_the_clock_is_right(station: Any, misfire: str, runs: int) -> None:
    work = station.add(Cron(expression="0 * * * *"), misfire=misfire)
    await station.start()
    await station.clock.advance(HOUR + 60)
    await station.stop()
    await station.down(HOUR + 600)
    await start_with(station, -20 * YEAR_MS)
    await station.clock.advance(60)
    assert len(work.begun) == runs


async def test_a_clock_that_was_ahead_stops_nothing_for_long(station: Any) -> None:
    work = station.add(Cron(expression="0 * * * *"))
    other = station.add(Every(seconds=HOUR), "a.other")
    await start_with(station, 20 * YEAR_MS, HOUR + 60)
    ahead = len(work.begun), len(other.begun)
    await station.restart(10)
    await station.clock.advance(2 * HOUR)
    assert len(work.begun) == ahead[0] + 2
    assert len(other.begun) >= ahead[1] + 1
