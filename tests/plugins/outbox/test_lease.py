"""Several processes on one storage never send one lane twice, whatever is done to their clocks."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from neomind_plugins.outbox.migrations import STEPS
from neomind_plugins.outbox.records import Ask, Holder
from neomind_plugins.outbox.turning import take
from neomind_sdk import Delivery, StorageFailed
from neomind_sdk.testing import VirtualClock
from neomind_sdk.testing.clock import WallClock, turns
from neomind_sdk.testing.memory import open_memory

from .conftest import KIND, OK
from .stations import Station

HOUR_MS = 3_600_000
EXPIRY_S = 60.0  # with attempts of at most 30 seconds
jumps = pytest.mark.parametrize("by_ms", [-HOUR_MS, 0, HOUR_MS])


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Any]:
    storage = await open_memory(tmp_path, None)
    for step in STEPS:
        await storage.migrate(step.apply)
    yield storage
    await storage.close()


class Pair:
    """``one`` has the lane, in an attempt that lasts until ``go`` is set; ``two`` has looked at it in vain."""

    def __init__(self, storage: Any, directory: Path) -> None:
        self.clock = VirtualClock()
        self.one = Station(storage.database, WallClock(self.clock), directory / "one")
        self.two = Station(storage.database, WallClock(self.clock), directory / "two")
        self.go = asyncio.Event()
        self.ids: list[str] = []

    async def begin(self) -> Pair:
        self.one.receiver.answers("a", self._gated, OK)
        await self.one.start()
        self.ids = await self.one.put(1)
        assert self.made() == (1, 0)
        await self.two.start()
        return self

    def made(self) -> tuple[int, int]:
        return len(self.one.receiver.made), len(self.two.receiver.made)

    async def _gated(self, order: Any, tools: Any) -> Delivery:
        await self.go.wait()
        return OK


@pytest.fixture
async def pair(storage: Any, tmp_path: Path) -> AsyncIterator[Pair]:
    pair = Pair(storage, tmp_path)
    yield await pair.begin()
    for station in (pair.one, pair.two):
        await station.kill()


@jumps
@pytest.mark.parametrize("who", ["one", "two", "both"])
async def test_a_clock_that_is_set_takes_the_lane_from_nobody(pair: Pair, by_ms: int, who: str) -> None:
    for station in (pair.one, pair.two):
        if who == "both" or station is getattr(pair, who):
            station.clock.jump_ms(by_ms)
    await pair.clock.advance(25)
    assert pair.made() == (1, 0)
    pair.go.set()
    await turns()
    await pair.clock.advance(EXPIRY_S)
    assert pair.made() == (1, 0)
    assert (await pair.two.outbox.get(pair.ids))[pair.ids[0]].state == "delivered"


async def test_a_lane_that_goes_on_and_on_is_not_taken(pair: Pair) -> None:
    """Each attempt takes less than the expiry, all of them together much more, and the clocks go to and fro."""

    async def slow(order: Any, tools: Any) -> Delivery:
        await pair.clock.sleep(25)
        return OK

    pair.one.receiver.answers("a", slow)
    await pair.one.put(*range(2, 12))
    pair.go.set()
    for by_ms in (HOUR_MS, -3 * HOUR_MS, HOUR_MS) * 9:
        pair.two.clock.jump_ms(by_ms)
        await pair.clock.advance(10)
    assert pair.made() == (11, 0)


@jumps
@pytest.mark.parametrize("who", ["one", "two"])
async def test_when_its_process_dies_it_is_taken_after_the_expiry_and_not_before(
    pair: Pair, by_ms: int, who: str
) -> None:
    await pair.clock.advance(20)
    getattr(pair, who).clock.jump_ms(by_ms)
    await pair.one.kill()
    await pair.clock.advance(EXPIRY_S - 20.5)
    assert pair.made() == (1, 0)
    await pair.clock.advance(1)
    assert pair.made() == (1, 1)
    assert pair.two.receiver.ids() == pair.ids
    assert pair.two.receiver.made[0][2].attempt == 2
    assert "lane_taken_over" in pair.two.log.lines


async def test_one_of_two_that_wait_takes_it(pair: Pair, tmp_path: Path) -> None:
    """Both find at the same moment that its process died."""
    three = await Station(pair.one.reach.real, WallClock(pair.clock), tmp_path / "three").start()
    for station in (pair.two, three):
        station.receiver.answers("a", pair._gated)
    await pair.one.kill()
    await pair.clock.advance(EXPIRY_S * 2 - 5)
    assert len(pair.two.receiver.made) + len(three.receiver.made) == 1
    await three.kill()


async def test_a_lane_is_taken_from_that_one_only_which_stood_still(pair: Pair) -> None:
    me, former = Holder("three:1", 1), Holder("former:1", 1)
    ask = Ask(
        lane="a", me=me, over=former, now_ms=0, longest_ms=0, max_attempts=9, kinds=frozenset([KIND]), renew=False
    )
    write = pair.one.reach.real.write
    turn = await write(lambda: take(ask))
    assert turn.begun is None
    assert turn.holder is not None
    assert turn.holder.owner == pair.one.outbox.leases.owner
    taken = await write(lambda: take(attrs.evolve(ask, over=turn.holder)))
    assert taken.begun is not None
    again = await write(lambda: take(attrs.evolve(ask, me=turn.holder, over=turn.holder)))
    assert again.holder == me


async def test_whose_storage_fails_stops_sending_until_it_has_the_lane_again(pair: Pair) -> None:
    await pair.one.put(2, 3)
    pair.one.reach.error = StorageFailed("the network is gone")
    pair.go.set()
    await pair.clock.advance(EXPIRY_S - 1)
    assert pair.made() == (1, 0)
    await pair.clock.advance(2)
    assert (pair.one.receiver.numbers(), pair.two.receiver.numbers()) == ([1], [1, 2, 3])  # 1 was never said to be done
    pair.one.reach.error = None
    await pair.clock.advance(EXPIRY_S * 2)
    assert pair.made() == (1, 3)


async def begin_and_hang(pair: Pair) -> asyncio.Event:
    """Let ``one`` begin the second delivery, and have that said to the storage, but not yet to the process."""
    await pair.one.put(2)
    pair.one.reach.hang = back = asyncio.Event()
    pair.go.set()
    await turns()
    return back


async def test_a_process_that_was_stuck_does_not_make_the_attempt_it_had_begun(pair: Pair) -> None:
    back = await begin_and_hang(pair)
    await pair.clock.advance(EXPIRY_S + 6)
    assert pair.two.receiver.numbers() == [2]
    pair.one.reach.hang = None
    back.set()
    await pair.clock.advance(EXPIRY_S * 2)
    assert (pair.one.receiver.numbers(), pair.two.receiver.numbers()) == ([1], [2])


async def test_one_that_was_not_stuck_for_long_makes_it(pair: Pair) -> None:
    """The negative control of that."""
    back = await begin_and_hang(pair)
    await pair.clock.advance(5)
    back.set()
    await pair.clock.advance(1)
    assert (pair.one.receiver.numbers(), pair.two.receiver.numbers()) == ([1, 2], [])


async def test_what_was_not_sent_for_it_is_no_attempt(pair: Pair) -> None:
    """Stuck for too long to begin, and not long enough for the other one."""
    back = await begin_and_hang(pair)
    await pair.clock.advance(25)
    pair.one.reach.hang = None
    back.set()
    await pair.clock.advance(1)
    assert (pair.one.receiver.numbers(), pair.two.receiver.numbers()) == ([1, 2], [])
    assert pair.one.receiver.made[1][2].attempt == 1


async def test_a_machine_that_slept_asks_before_it_sends(storage: Any, tmp_path: Path) -> None:
    """Its monotonic time stood still meanwhile: only the clock on the wall tells."""
    one, two = (Station(storage.database, VirtualClock(), tmp_path / name) for name in ("one", "two"))
    await one.start()
    await two.start()
    one.reach.hang = back = asyncio.Event()
    await one.put(1)
    await two.clock.advance(EXPIRY_S + 6)
    assert len(two.receiver.made) == 1
    one.clock.jump_ms(200_000)
    one.reach.hang = None
    back.set()
    await turns()
    await one.clock.advance(100)
    assert one.receiver.made == []
    for station in (one, two):
        await station.kill()


async def test_a_lease_that_was_dropped_and_taken_anew_is_another_one(pair: Pair) -> None:
    await pair.clock.advance(EXPIRY_S - 2)
    await pair.one.outbox.drop_lane("a")
    pair.go.set()
    await turns()
    hang = asyncio.Event()
    pair.one.receiver.answers("a", lambda order, tools: hang.wait())
    await pair.one.put(2)
    assert pair.one.receiver.numbers() == [1, 2]
    await pair.clock.advance(EXPIRY_S - 6)
    assert pair.made() == (2, 0)


async def test_what_is_known_of_lanes_of_others_is_forgotten(pair: Pair) -> None:
    watches: Callable[[], Any] = lambda: pair.two.outbox.leases._watches  # noqa: E731
    assert list(watches()) == ["a"]
    pair.go.set()
    await pair.clock.advance(6)
    assert list(watches()) == []


# ---- names ----------------------------------------------------------------------------------------------------------


async def test_who_comes_back_has_its_own_lanes_at_once(pair: Pair) -> None:
    await pair.one.kill()
    again = await Station(pair.one.reach.real, pair.one.clock, pair.one.directory).start()
    assert again.receiver.ids() == pair.ids
    assert again.outbox.leases.owner != pair.one.outbox.leases.owner
    await again.kill()


async def test_even_when_the_storage_fails_at_first(pair: Pair) -> None:
    await pair.one.kill()
    again = Station(pair.one.reach.real, pair.one.clock, pair.one.directory)
    again.reach.error = StorageFailed("not yet")
    await again.start()
    await pair.clock.advance(12)
    assert (again.receiver.made, "outbox_not_written" in again.log.lines) == ([], True)
    again.reach.error = None
    await pair.clock.advance(5)
    assert again.receiver.ids() == pair.ids
    await again.kill()


async def test_a_copy_of_a_data_directory_takes_lanes_at_its_start_only(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "node").write_text((tmp_path / "one" / "node").read_text())
    copy = Station(pair.one.reach.real, pair.one.clock, tmp_path / "copy")
    await pair.one.put(2, lane="b")
    await copy.start()
    assert copy.receiver.numbers() == [1]  # which is what comes of copying one
    pair.one.receiver.answers("c", pair._gated)
    await pair.one.put(3, lane="c")
    await pair.clock.advance(EXPIRY_S - 6)
    assert copy.receiver.numbers() == [1]
    await copy.kill()


# ---- many -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
async def test_each_of_many_is_delivered_once_and_in_order(storage: Any, tmp_path: Path, seed: int) -> None:
    chance, base = random.Random(seed), VirtualClock()
    stations = [Station(storage.database, WallClock(base), tmp_path / name) for name in ("one", "two")]
    at_work: list[str] = []
    together: list[str] = []
    got: list[tuple[str, int]] = []

    async def deliver(order: Any, tools: Any) -> Delivery:
        if order.lane in at_work:
            together.append(order.lane)
        at_work.append(order.lane)
        await base.sleep(chance.choice([0, 1, 20, 29]))
        at_work.remove(order.lane)
        got.append((order.lane, order.payload["n"]))
        return OK

    for station in stations:
        station.receiver.deliver = deliver  # type: ignore[method-assign]
        await station.start(poll_s=1)
    for number in range(60):
        await chance.choice(stations).put(number, lane=f"l{number % 6}")
    for _ in range(400):
        chance.choice(stations).clock.jump_ms(chance.choice([-1, 1]) * chance.randint(0, HOUR_MS))
        await base.advance(chance.choice([0.1, 1, 3]))
        if len(got) >= 60 and not at_work:
            break
    await base.advance(EXPIRY_S * 2)
    assert together == []
    assert sorted(number for _, number in got) == list(range(60))
    for lane in {lane for lane, _ in got}:
        numbers = [number for name, number in got if name == lane]
        assert numbers == sorted(numbers)
    for station in stations:
        await station.kill()
