"""The clock that tests turn."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_sdk import Clock
from neomind_sdk.testing import VirtualClock


@pytest.fixture
def clock():
    return VirtualClock(now_ms=1000)


async def test_it_is_a_clock_and_stands_still(clock):
    assert isinstance(clock, Clock)
    before = (clock.now_ms(), clock.monotonic())
    await asyncio.sleep(0.01)
    assert (clock.now_ms(), clock.monotonic()) == before == (1000, 0.0)


async def test_time_goes_on_by_hand(clock):
    await clock.advance(1.5)
    assert (clock.now_ms(), clock.monotonic()) == (2500, 1.5)
    with pytest.raises(ValueError, match="jump_ms"):
        await clock.advance(-1)
    assert clock.monotonic() == 1.5


async def test_sleepers_wake_in_order_each_at_its_own_time(clock):
    woke = []

    async def sleeper(name, *naps):
        for nap in naps:
            await clock.sleep(nap)
            woke.append((name, clock.monotonic(), clock.now_ms()))

    tasks = [asyncio.create_task(sleeper("a", 2, 2)), asyncio.create_task(sleeper("b", 1, 1, 1, 5))]
    await clock.advance(4)
    # "a" began its second nap before "b" began its second.
    expected = [("b", 1), ("a", 2), ("b", 2), ("b", 3), ("a", 4)]
    assert sorted(woke) == sorted((name, float(at), 1000 + at * 1000) for name, at in expected)
    assert [at for _, at, _ in woke] == sorted(at for _, at, _ in woke)
    assert clock.sleeping == 1
    await clock.advance(4)
    assert all(task.done() for task in tasks)
    assert clock.sleeping == 0


async def test_nobody_wakes_early(clock):
    task = asyncio.create_task(clock.sleep(1))
    await clock.advance(0.999)
    assert not task.done()
    await clock.advance(0.001)
    assert task.done()


@pytest.mark.parametrize("seconds", [0, -1])
async def test_no_sleep_at_all(clock, seconds):
    await asyncio.wait_for(clock.sleep(seconds), 5)


async def test_who_is_cancelled_does_not_wake(clock):
    task = asyncio.create_task(clock.sleep(1))
    await clock.advance(0.5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert clock.sleeping == 0
    await clock.advance(5)
    assert (task.cancelled(), clock.monotonic()) == (True, 5.5)


async def test_a_clock_that_is_set(clock):
    task = asyncio.create_task(clock.sleep(10))
    await clock.advance(0)
    clock.jump_ms(3_600_000)
    assert (clock.now_ms(), clock.monotonic(), task.done()) == (3_601_000, 0.0, False)
    clock.jump_ms(-7_200_000)
    assert clock.now_ms() == -3_599_000
    await clock.advance(10)
    assert (clock.now_ms(), task.done()) == (-3_589_000, True)


async def test_two_may_turn_the_clock_and_it_never_goes_back(clock):
    async def turner():
        await clock.sleep(1)
        await clock.advance(100)

    tasks = [asyncio.create_task(turner()), *(asyncio.create_task(clock.sleep(at)) for at in (2, 3, 4))]
    await clock.advance(5)
    after = clock.monotonic()
    await asyncio.gather(*tasks)
    assert 101 < after == clock.monotonic()
    assert clock.now_ms() == 1000 + after * 1000


async def test_many_steps_make_no_drift(clock):
    for _ in range(1000):
        await clock.advance(0.0001)
    assert clock.now_ms() == 1100


@given(st.lists(st.floats(0, 10), max_size=8), st.lists(st.floats(0, 5), max_size=5))
def test_everybody_wakes_at_the_time_that_was_asked_for(naps, steps):
    async def run():
        clock, woke = VirtualClock(), []

        async def sleeper(seconds):
            await clock.sleep(seconds)
            woke.append((seconds, clock.monotonic()))

        async with asyncio.TaskGroup() as group:
            for nap in naps:
                group.create_task(sleeper(nap))
            for step in steps:
                await clock.advance(step)
                assert all(at == pytest.approx(seconds) for seconds, at in woke)
                assert len(woke) == sum(nap <= clock.monotonic() for nap in naps)
            await clock.advance(10)
        assert len(woke) == len(naps)

    asyncio.run(run())
