"""Requests end in time, whatever they do, and nothing else is taken for that."""

from __future__ import annotations

import asyncio

import pytest

from neomind_core.host.http import deadlines
from neomind_core.host.http.deadlines import Deadlines, Expired


@pytest.fixture(params=["precise", "shared"])
def limit(request, monkeypatch):
    """A short limit, by a timer of its own and by the one that all share."""
    if request.param == "shared":
        monkeypatch.setattr(deadlines, "PRECISE_BELOW_S", 0.0)
        monkeypatch.setattr(deadlines, "TICK_S", 0.005)
    return 0.02


async def never():
    await asyncio.Event().wait()


async def test_a_result_comes_back(limit):
    async def seven():
        await asyncio.sleep(0)
        return 7

    for seconds in (limit, 60.0, None):
        assert await Deadlines().within(seconds, seven()) == 7


async def test_what_takes_too_long_is_cancelled(limit):
    task = asyncio.current_task()
    with pytest.raises(Expired):
        await Deadlines().within(limit, never())
    assert task.cancelling() == 0


async def test_one_inside_the_other(limit):
    ours = Deadlines()
    with pytest.raises(Expired):
        await ours.within(60.0, ours.within(limit, never()))
    with pytest.raises(Expired):
        await ours.within(limit, ours.within(60.0, never()))


async def test_errors_of_the_work_pass(limit):
    async def late():
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await Deadlines().within(limit, late())


async def test_the_cancellation_of_the_caller_passes(limit):
    async def caller():
        await Deadlines().within(60.0, never())

    task = asyncio.create_task(caller())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nothing_is_left_behind(limit):
    ours = Deadlines()
    for _ in range(3):
        await ours.within(60.0, asyncio.sleep(0))
    assert not ours._tickets


async def test_many_at_once_end_each_for_itself(limit):
    ours = Deadlines()

    async def one(number):
        try:
            await ours.within(limit if number % 2 else 60.0, asyncio.sleep(0.001) if number % 3 else never())
        except Expired:
            return "expired"
        return "done"

    numbers = [number for number in range(60) if number % 2 or number % 3]
    found = await asyncio.gather(*(one(number) for number in numbers))
    assert found == ["done" if number % 3 else "expired" for number in numbers]
