"""Waiting on the clock of the platform."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from neomind_sdk.foreign import ForeignError
from neomind_sdk.testing import VirtualClock
from neomind_sdk.waiting import TooSlow, done_within, ended, until, watched, within


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


class Work:
    """Runs for ever, and says when it began and ended."""

    def __init__(self) -> None:
        self.began, self.ended = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> None:
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.ended.set()


async def cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# ---- until ----


async def test_an_event_ends_the_wait(clock: VirtualClock) -> None:
    for seconds in (None, 60.0):
        event = asyncio.Event()
        task = asyncio.create_task(until(clock, seconds, event))
        await asyncio.sleep(0)
        assert not task.done()
        event.set()
        await task


async def test_time_ends_the_wait(clock: VirtualClock) -> None:
    task = asyncio.create_task(until(clock, 2.0, asyncio.Event()))
    await clock.advance(1.9)
    assert not task.done()
    await clock.advance(0.1)
    assert task.done()


@pytest.mark.parametrize("seconds", [None, 60.0])
async def test_a_wait_that_is_cancelled_leaves_nothing(clock: VirtualClock, seconds: float | None) -> None:
    before = asyncio.all_tasks()
    task = asyncio.create_task(until(clock, seconds, asyncio.Event()))
    await asyncio.sleep(0)
    await cancelled(task)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


# ---- within ----


async def test_a_result_comes_back(clock: VirtualClock) -> None:
    async def work() -> int:
        await clock.sleep(1.0)
        return 7

    task = asyncio.create_task(within(clock, 2.0, work))
    await clock.advance(1.0)
    assert await task == 7


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), asyncio.CancelledError()], ids=repr)
async def test_whatever_is_raised_becomes_one_exception(clock: VirtualClock, error: BaseException) -> None:
    async def work() -> None:
        raise error

    with pytest.raises(ForeignError) as failed:
        await within(clock, 2.0, work)
    assert failed.value.error is error


async def test_what_is_too_slow_has_ended_when_that_is_said(clock: VirtualClock) -> None:
    work = Work()
    task = asyncio.create_task(within(clock, 2.5, work))
    await work.began.wait()
    await clock.advance(2.5)
    with pytest.raises(TooSlow, match=r"^took over 2\.5 s$"):
        await task
    assert work.ended.is_set()


async def test_what_is_cancelled_has_ended(clock: VirtualClock) -> None:
    work = Work()
    task = asyncio.create_task(within(clock, 2.5, work))
    await work.began.wait()
    await cancelled(task)
    assert work.ended.is_set()


async def test_what_refuses_to_end_is_left_behind(clock: VirtualClock) -> None:
    began, released = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        began.set()
        while not released.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await released.wait()

    task = asyncio.create_task(within(clock, 1.0, stubborn))
    await began.wait()
    await clock.advance(1.0)
    with pytest.raises(TooSlow):
        await task
    released.set()


# ---- the rest ----


async def test_work_that_is_not_done_in_time_goes_on(clock: VirtualClock) -> None:
    work = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(done_within(clock, 1.0, work))
    await clock.advance(1.0)
    assert await task is False
    assert not work.done()
    work.set_result(None)
    assert await done_within(clock, 1.0, work) is True


async def test_a_task_is_ended_once() -> None:
    work = Work()
    task = watched(work())
    await work.began.wait()
    await ended(task)
    assert task.cancelled()
    assert work.ended.is_set()
    await ended(task)
