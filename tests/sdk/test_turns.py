"""Changes take turns and run to their end."""

from __future__ import annotations

import asyncio

import pytest

from neomind_sdk.turns import Turns


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
