"""Two platforms on one storage: one of them runs the jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from neomind_plugins.scheduler import tables
from neomind_sdk import Cron, Every, StorageFailed, StorageFull
from neomind_sdk.testing import VirtualClock
from neomind_sdk.testing.clock import WallClock

from .conftest import HOUR, MIDNIGHT_MS, Work
from .stations import Station

YEAR_MS = 365 * 86_400_000


class Pair:
    """Two stations with the same jobs; clocks on the wall of their own, and one passing of time."""

    def __init__(self, storage: Any, directory: Path) -> None:
        self.clock = VirtualClock(MIDNIGHT_MS)
        self.one = Station(storage, WallClock(self.clock), directory / "one")
        self.two = Station(storage, WallClock(self.clock), directory / "two")
        self.works: list[Work] = []

    def add(self, trigger: Any, **more: Any) -> tuple[Work, Work]:
        return self.one.add(trigger, **more), self.two.add(trigger, **more)

    async def start(self) -> None:
        await self.one.start()
        await self.two.start()


@pytest.fixture
async def pair(memory: Any, tmp_path: Path) -> AsyncIterator[Pair]:
    pair = Pair(memory, tmp_path)
    yield pair
    for station in (pair.one, pair.two):
        await station.kill()


async def test_one_of_two_runs_the_jobs(pair: Pair) -> None:
    first, second = pair.add(Every(seconds=10))
    await pair.start()
    await pair.clock.advance(HOUR)
    assert (len(first.begun), len(second.begun)) == (360, 0)
    assert pair.one.leader.standing() == (True, "")
    assert pair.two.leader.standing() == (True, f"the node {pair.one.lease.node} runs the jobs")


async def test_without_the_lease_both_would(pair: Pair, tmp_path: Path) -> None:
    """The negative control: on storages of their own nobody holds the other back."""
    from neomind_sdk.testing.memory import open_memory

    other = await open_memory(tmp_path, None)
    pair.two.storage = other
    first, second = pair.add(Every(seconds=10))
    await pair.start()
    await pair.clock.advance(100)
    assert (len(first.begun), len(second.begun)) == (10, 10)
    await pair.two.kill()
    await other.close()


async def test_an_orderly_stop_hands_over_at_once(pair: Pair) -> None:
    first, second = pair.add(Every(seconds=10))
    await pair.start()
    await pair.clock.advance(95)
    await pair.one.stop()
    await pair.clock.advance(6)
    assert (len(first.begun), second.times) == (9, ["01 00:01:40"])  # the interval goes on


async def test_when_one_dies_the_other_takes_over_after_the_expiry(pair: Pair) -> None:
    first, second = pair.add(Cron(expression="* * * * *"))
    await pair.start()
    await pair.clock.advance(120)
    await pair.one.kill()
    await pair.clock.advance(60)
    assert (len(first.begun), len(second.begun)) == (2, 0)
    await pair.clock.advance(60)
    assert pair.two.scheduler.open
    await pair.one.start()  # which finds that it is too late
    await pair.clock.advance(HOUR)
    assert len(first.begun) == 2
    assert len(second.begun) >= 60


async def test_who_comes_back_to_its_own_lease_need_not_wait(pair: Pair) -> None:
    work = pair.one.add(Cron(expression="* * * * *"))
    await pair.one.start()
    await pair.clock.advance(65)
    await pair.one.crash()
    await pair.clock.advance(60)
    assert work.times == ["01 00:01:00", "01 00:02:00"]


async def test_a_copy_of_a_data_directory_does_not_run_beside_it_for_long(pair: Pair) -> None:
    """Two nodes of one name: the later one snatches the lease, once, and the former notices."""
    first, second = pair.add(Every(seconds=1))
    await pair.one.start()
    name = (pair.one.directory / "node").read_text()
    pair.two.directory.mkdir()
    (pair.two.directory / "node").write_text(name)
    await pair.two.start()
    await pair.clock.advance(35)
    before = len(first.begun), len(second.begun)
    await pair.clock.advance(HOUR)
    assert (len(first.begun), len(second.begun)) == (before[0], before[1] + 3600)


@pytest.mark.parametrize("one_ms", [-YEAR_MS, -200_000, 0, 200_000, YEAR_MS])
@pytest.mark.parametrize("two_ms", [-YEAR_MS, 0, YEAR_MS])
async def test_clocks_that_are_set_make_nobody_lose_or_take_it(pair: Pair, one_ms: int, two_ms: int) -> None:
    first, second = pair.add(Every(seconds=10))
    await pair.start()
    await pair.clock.advance(45)
    pair.one.clock.jump_ms(one_ms)
    pair.two.clock.jump_ms(two_ms)
    await pair.clock.advance(300)
    assert (len(first.begun), len(second.begun)) == (34, 0)
    await pair.one.kill()
    await pair.clock.advance(95)
    assert pair.two.scheduler.open


@pytest.mark.parametrize("misfire", ["skip", "run_once"])
async def test_a_machine_that_slept_asks_before_it_runs_anything(memory: Any, tmp_path: Path, misfire: str) -> None:
    """Its monotonic time stood still meanwhile: only the clock on the wall tells."""
    one = Station(memory, VirtualClock(MIDNIGHT_MS), tmp_path / "one")
    two = Station(memory, VirtualClock(MIDNIGHT_MS), tmp_path / "two")
    first, second = (station.add(Every(seconds=10), misfire=misfire) for station in (one, two))
    await one.start()
    await two.start()
    await one.clock.advance(5)
    await two.clock.advance(200)
    assert len(second.begun) > 5
    one.clock.jump_ms(200_000)
    await one.clock.advance(12)
    assert first.begun == []
    await one.clock.advance(30)
    assert (first.begun, one.scheduler.open) == ([], False)
    await one.kill()
    await two.kill()


async def test_a_run_under_way_is_cancelled_when_the_lease_is_lost(pair: Pair, memory: Any) -> None:
    first, second = pair.add(Every(seconds=10), timeout_s=HOUR)
    first.takes_s = HOUR
    await pair.start()
    await pair.clock.advance(20)
    memory.error = StorageFailed("the disk is gone")
    await pair.clock.advance(100)
    assert (len(first.begun), first.cancelled, pair.one.scheduler.open) == (1, 1, False)
    well, remark = pair.one.leader.standing()
    assert (well, "the disk is gone" in remark) == (False, True)
    assert second.begun == []
    memory.error = None
    await pair.clock.advance(100)
    assert pair.one.scheduler.open != pair.two.scheduler.open


async def test_a_storage_that_hangs_ends_it_too(pair: Pair, memory: Any) -> None:
    first, _ = pair.add(Every(seconds=10), timeout_s=HOUR)
    first.takes_s = HOUR
    await pair.start()
    await pair.clock.advance(20)
    memory.hang = asyncio.Event()
    await pair.clock.advance(100)
    assert (first.cancelled, pair.one.scheduler.open) == (1, False)
    memory.hang.set()
    memory.hang = None
    await pair.clock.advance(100)
    assert pair.one.scheduler.open != pair.two.scheduler.open


async def test_on_a_full_disk_jobs_go_on(station: Any, memory: Any) -> None:
    """It may be a job that makes room: nobody else can take the lease either."""
    work = station.add(Every(seconds=HOUR))
    await station.start()
    await station.clock.advance(10)
    memory.error = StorageFull()
    await station.clock.advance(HOUR * 2)
    assert (len(work.begun), station.scheduler.open) == (2, True)
    assert not station.leader.standing()[0]
    memory.error = None
    await station.clock.advance(31)
    assert station.leader.standing() == (True, "")
    await station.crash(1)
    assert station.scheduler.open
    assert station.status().state.runs == 2


@pytest.mark.parametrize("full_first", [True, False])
async def test_on_a_full_disk_one_that_lost_the_lease_does_not_go_on(
    station: Any, memory: Any, full_first: bool
) -> None:
    work = station.add(Every(seconds=10))
    await station.start()
    await station.clock.advance(15)
    if full_first:
        memory.error = StorageFull()
        await station.clock.advance(80)
    found = await memory.read(tables.holder)
    assert await memory.real.database.write(lambda: tables.take("stranger:1", found, 0))
    memory.error = StorageFull()
    before = len(work.begun)
    await station.clock.advance(70)
    assert station.scheduler.open is False
    assert len(work.begun) - before <= (0 if full_first else 6)
