"""Work runs to its end, and changes take turns."""

from __future__ import annotations

import asyncio

import pytest

from neomind_sdk.turns import Finisher, Turns


async def test_one_after_another() -> None:
    turns, seen = Turns(), []

    async def change(name: str) -> str:
        seen.append(f"{name} begins")
        await asyncio.sleep(0)
        seen.append(f"{name} ends")
        return name

    assert await asyncio.gather(turns.run(lambda: change("a")), turns.run(lambda: change("b"))) == ["a", "b"]
    assert seen == ["a begins", "a ends", "b begins", "b ends"]


async def test_a_change_outlives_its_caller() -> None:
    turns, go, done = Turns(), asyncio.Event(), []

    async def change() -> None:
        await go.wait()
        done.append(True)

    caller = asyncio.create_task(turns.run(change))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go.set()
    await turns.close()
    assert done == [True]


async def test_an_error_comes_back_and_the_next_has_its_turn() -> None:
    turns = Turns()

    async def broken() -> None:
        raise KeyError("x")

    async def sound() -> int:
        return 1

    with pytest.raises(KeyError):
        await turns.run(broken)
    assert await turns.run(sound) == 1


async def test_work_outlives_who_asked_for_it_and_waits_for_nobody() -> None:
    finisher, go, done = Finisher(), asyncio.Event(), []

    async def work(name: str) -> str:
        await go.wait()
        done.append(name)
        return name

    gone, stays = asyncio.create_task(finisher.run(work("a"))), asyncio.create_task(finisher.run(work("b")))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    closing = asyncio.create_task(finisher.close())
    await asyncio.sleep(0)
    assert not closing.done()
    go.set()
    await closing
    assert done == ["a", "b"]
    assert await stays == "b"


async def test_an_error_of_the_work_is_its_callers() -> None:
    finisher = Finisher()

    async def broken() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await finisher.run(broken())
    await finisher.close()
