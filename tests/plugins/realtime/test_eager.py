"""Coroutines that are begun by hand and finished by a task."""

from __future__ import annotations

import asyncio

import pytest

from neomind_plugins.realtime.eager import begin


async def test_what_does_not_wait_is_done() -> None:
    done = []

    async def work() -> None:
        done.append(1)

    assert begin(work()) is None
    assert done == [1]


async def test_the_rest_goes_on_where_it_waited() -> None:
    first, second, done = asyncio.Event(), asyncio.Event(), []

    async def work() -> None:
        await first.wait()
        done.append(1)
        await second.wait()
        done.append(2)

    rest = begin(work())
    assert rest is not None
    first.set()  # even before anybody awaits the rest

    async def finish() -> None:
        await rest

    task = asyncio.create_task(finish())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert done == [1]
    second.set()
    await task
    assert done == [1, 2]


@pytest.mark.parametrize("waits", [False, True])
async def test_errors_are_raised_where_the_rest_is_awaited(waits: bool) -> None:
    async def work() -> None:
        if waits:
            await asyncio.sleep(0)
        raise LookupError("gone")

    rest = begin(work())
    assert rest is not None
    with pytest.raises(LookupError, match="gone"):
        await rest


async def test_the_rest_can_be_cancelled() -> None:
    cleaned = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(1)

    rest = begin(work())
    assert rest is not None
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await rest
    assert cleaned == [1]
