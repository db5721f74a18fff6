"""Foreign code: in a thread nobody waits for, or awaited and contained."""

from __future__ import annotations

import asyncio
import threading

import pytest

from neomind_core.host.guard import LoopBlocked, LoopGuard
from neomind_core.host.threads import ForeignError, TooSlow, call, contain, describe, within


class Odd(BaseException):
    pass


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("not even this works")


ERRORS = [ValueError("a\n b"), SystemExit(2), KeyboardInterrupt(), Odd("c"), Unprintable(), StopIteration(1)]


async def test_the_result_and_another_thread():
    assert await call(lambda: threading.current_thread().name, 5) == "neomind-foreign"


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_whatever_it_raises_comes_back(error):
    def work():
        raise error

    with pytest.raises(ForeignError) as caught:
        await call(work, 5)
    assert caught.value.error is error
    assert str(caught.value).startswith(type(error).__name__)


async def test_what_never_returns_is_left_behind():
    release, ended = threading.Event(), threading.Event()

    def work():
        release.wait()
        ended.set()

    with pytest.raises(TimeoutError):
        await call(work, 0.02)
    release.set()
    assert await asyncio.to_thread(ended.wait, 5)
    await asyncio.sleep(0)  # its late answer harms nobody


def test_a_late_answer_after_the_loop_is_gone():
    release, ended = threading.Event(), threading.Event()
    late = []

    def work():
        late.append(threading.current_thread())
        release.wait()
        ended.set()

    async def run():
        with pytest.raises(TimeoutError):
            await call(work, 0.02)

    asyncio.run(run())
    release.set()
    assert ended.wait(5)
    late[0].join(5)  # an exception in the thread would be a warning, and so an error


def test_describe():
    assert describe(ValueError("a\n  b")) == "ValueError: a b"
    assert describe(Odd()) == "Odd"
    assert describe(Unprintable()) == "Unprintable"


async def test_contain_passes_what_is_harmless():
    async def answer():
        return 4

    async def fail():
        raise ValueError("x")

    assert await contain(answer()) == 4
    with pytest.raises(ValueError):
        await contain(fail())


@pytest.mark.parametrize("error", [SystemExit(1), asyncio.CancelledError(), Odd("x")], ids=repr)
async def test_contain_catches_what_would_end_the_loop(error):
    async def work():
        await asyncio.sleep(0)
        raise error

    with pytest.raises(ForeignError) as caught:
        await asyncio.create_task(contain(work()))
    assert caught.value.error is error


async def test_contain_lets_our_own_cancellation_pass():
    task = asyncio.create_task(contain(asyncio.Event().wait()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await contain(asyncio.Event().wait())


async def test_within_gives_what_comes_in_time():
    async def fail(error):
        raise error

    assert await within(asyncio.sleep(0, "done"), 5) == "done"
    with pytest.raises(TimeoutError, match="its own"):
        await within(fail(TimeoutError("its own")), 5)
    with pytest.raises(ForeignError, match="SystemExit: 3"):
        await within(fail(SystemExit(3)), 5)
    with pytest.raises(ForeignError, match="CancelledError"):
        await within(fail(asyncio.CancelledError()), 5)


async def test_within_lets_cleaning_up_happen():
    ended = asyncio.Event()

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.set()

    with pytest.raises(TooSlow, match=r"took over 0\.02 s"):
        await within(work(), 0.02)
    assert ended.is_set()


async def test_within_does_not_wait_for_who_does_not_heed():
    release = asyncio.Event()

    async def work():
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        raise ValueError("late, and nobody listens")

    with pytest.raises(TooSlow):
        async with asyncio.timeout(5):
            await within(work(), 0.02)
    release.set()
    await asyncio.sleep(0.01)


async def test_within_is_cancelled_with_its_caller():
    ended = asyncio.Event()

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(within(work(), 60))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_the_guard_interrupts_what_blocks_the_loop():
    pause = threading.Event()
    with LoopGuard(0.1), pytest.raises(LoopBlocked, match=r"blocked the event loop for over 0\.1 s"):
        pause.wait(10)


async def test_the_guard_lets_a_busy_loop_alone():
    with LoopGuard(0.1):
        for _ in range(30):
            await asyncio.sleep(0.01)


async def test_the_guard_is_gone_afterwards():
    with LoopGuard(0.05):
        await asyncio.sleep(0)
    threading.Event().wait(0.12)


async def test_the_guard_does_nothing_in_another_thread():
    def work():
        with LoopGuard(0.01):
            threading.Event().wait(0.05)
        return True

    assert await asyncio.to_thread(work)
