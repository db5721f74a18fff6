"""What may wait is bounded; more is refused at once, and nothing that was accepted is dropped."""

from __future__ import annotations

import asyncio
import time

import pytest

from neomind_sdk import Point, StorageBusy


def points(count, series="device:a:x"):
    return [Point(series, n, n) for n in range(count)]


async def test_too_many_samples_are_refused(opened, hold):
    async with opened(queue_rows=10) as storage:
        first = asyncio.create_task(storage.database.write(hold))
        await asyncio.to_thread(hold.running.wait, 20)
        accepted = [asyncio.create_task(storage.telemetry.append(points(3))) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(StorageBusy) as refused:
            await storage.telemetry.append(points(2))
        assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "1"})
        fits = asyncio.create_task(storage.telemetry.append(points(1)))
        await asyncio.sleep(0)
        hold.go.set()
        await asyncio.gather(first, *accepted, fits)
        assert await storage.telemetry.count("device:a:x", 0, 9) == 10
        await storage.telemetry.append(points(10))


async def test_one_large_batch_is_taken_when_nothing_waits(opened):
    async with opened(queue_rows=10, group_rows=5) as storage:
        await storage.telemetry.append(points(1000))
        assert await storage.telemetry.count("device:a:x", 0, 1000) == 1000


async def test_too_many_works_are_refused(opened, hold):
    async with opened(queue_works=3) as storage:
        tasks = [asyncio.create_task(storage.database.write(hold)) for _ in range(3)]
        await asyncio.to_thread(hold.running.wait, 20)
        with pytest.raises(StorageBusy):
            await storage.database.write(lambda: None)
        hold.go.set()
        await asyncio.gather(*tasks)
        await storage.database.write(lambda: None)


async def test_places_of_cancelled_callers_become_free(opened, hold):
    async with opened(queue_rows=4) as storage:
        first = asyncio.create_task(storage.database.write(hold))
        await asyncio.to_thread(hold.running.wait, 20)
        cancelled = asyncio.create_task(storage.telemetry.append(points(4)))
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.wait([cancelled])
        with pytest.raises(StorageBusy):
            await storage.telemetry.append(points(1))  # the place is taken until the samples are stored
        hold.go.set()
        await first
        await storage.database.write(lambda: None)  # is behind the samples
        await storage.telemetry.append(points(4))
        assert await storage.telemetry.count("device:a:x", 0, 9) == 8


async def test_a_busy_event_loop_does_not_starve_the_threads(storage):
    """Without the pauses of ``Courtesy`` each of these answers takes a second or more."""
    until = time.monotonic() + 20
    done = asyncio.Event()

    async def busy():
        while not done.is_set() and time.monotonic() < until:
            sum(range(20_000))
            await asyncio.sleep(0)

    spinning = asyncio.create_task(busy())
    for number in range(20):
        await storage.telemetry.append([Point("device:a:x", number, number)])
        assert len(await storage.telemetry.range("device:a:x", 0, 99, limit=99)) == number + 1
    done.set()
    await spinning
    assert time.monotonic() < until - 10
