"""Commits come in groups, and nobody is told before the disk has it."""

from __future__ import annotations

import asyncio

import peewee
import pytest

from neomind_sdk import Point
from neomind_sdk.tables import Model


class Parent(Model):
    class Meta:
        table_name = "groups_parents"


class Child(Model):
    parent = peewee.ForeignKeyField(Parent, deferrable="INITIALLY DEFERRED")

    class Meta:
        table_name = "groups_children"


def point(number, series="device:a:x"):
    return Point(series, number, number)


async def test_many_appends_share_a_commit(opened, disk):
    async with opened() as storage:
        before = disk.count("sync", "wal")
        await asyncio.gather(*(storage.telemetry.append([point(n)]) for n in range(1000)))
        assert disk.count("sync", "wal") - before < 50
        assert await storage.telemetry.count("device:a:x", 0, 1000) == 1000


async def test_connections_that_wait_for_each_answer_share_commits_too(opened, disk):
    async def connection(name):
        for number in range(20):
            await storage.telemetry.append([point(number, f"device:{name}:x")])

    async with opened() as storage:
        before = disk.count("sync", "wal")
        await asyncio.gather(*(connection(name) for name in range(32)))
        assert disk.count("sync", "wal") - before < 32 * 20 / 2


async def test_who_is_alone_is_committed_at_once(opened, disk):
    async with opened() as storage:
        for number in range(20):
            before = disk.count("sync", "wal")
            await storage.telemetry.append([point(number)])
            assert disk.count("sync", "wal") > before


@pytest.mark.parametrize("durability", ["durable", "fast"])
async def test_an_acknowledgement_comes_after_the_sync(opened, disk, durability):
    """With ``fast`` it does not, and this very check sees the difference."""
    async with opened(durability=durability) as storage:
        synced = []
        for number in range(10):
            await storage.telemetry.append([point(number)])
            synced.append(disk.synced())
            await storage.database.write(lambda: Parent._meta.database.execute_sql("PRAGMA user_version = 1"))
            synced.append(disk.synced())
        assert all(synced) is (durability == "durable")
        assert any(synced) is (durability == "durable")


async def test_order_is_kept_between_samples_and_works(storage, hold):
    seen = []

    def count():
        database = Parent._meta.database
        seen.append(database.execute_sql("SELECT count(*) FROM storage_sqlite_points").fetchone()[0])

    first = asyncio.create_task(storage.database.write(hold))
    await asyncio.to_thread(hold.running.wait, 20)
    tasks = []
    for number in range(5):
        tasks.append(asyncio.create_task(storage.telemetry.append([point(number), point(number)])))
        tasks.append(asyncio.create_task(storage.database.write(count)))
    await asyncio.sleep(0)
    hold.go.set()
    await asyncio.gather(first, *tasks)
    assert seen == [2, 4, 6, 8, 10]


async def test_a_group_that_takes_long_is_cut(opened, disk, hold):
    async with opened(group_ms=1) as storage:
        first = asyncio.create_task(storage.database.write(hold))
        await asyncio.to_thread(hold.running.wait, 20)
        slow = [asyncio.create_task(storage.database.write(lambda: sum(range(200_000)))) for _ in range(6)]
        samples = asyncio.create_task(storage.telemetry.append([point(1)]))
        await asyncio.sleep(0)
        before = disk.count("sync", "wal")
        hold.go.set()
        await asyncio.gather(first, *slow, samples)
        assert await storage.telemetry.count("device:a:x", 0, 9) == 1
        assert disk.count("sync", "wal") > before


async def test_a_broken_deferred_reference_fails_its_own_work_only(storage, hold):
    await storage.migrate(lambda database: database.create_tables([Parent, Child]))
    first = asyncio.create_task(storage.database.write(hold))
    await asyncio.to_thread(hold.running.wait, 20)
    broken = asyncio.create_task(storage.database.write(lambda: Child.create(parent=99)))
    samples = asyncio.create_task(storage.telemetry.append([point(1)]))
    fine = asyncio.create_task(storage.database.write(lambda: Child.create(parent=Parent.create().id)))
    await asyncio.sleep(0)
    hold.go.set()
    answers = await asyncio.gather(first, broken, samples, fine, return_exceptions=True)
    assert isinstance(answers[1], peewee.IntegrityError)
    assert not any(isinstance(answer, BaseException) for number, answer in enumerate(answers) if number != 1)
    assert await storage.database.read(lambda: Child.select().count()) == 1


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), GeneratorExit()])
async def test_a_work_cannot_end_the_platform(storage, error):
    def work():
        raise error

    with pytest.raises(RuntimeError, match=type(error).__name__):
        await storage.database.write(work)
    with pytest.raises(RuntimeError, match=type(error).__name__):
        await storage.database.read(work)
    await storage.telemetry.append([point(1)])


async def test_stop_iteration_reaches_its_caller(storage):
    with pytest.raises(RuntimeError, match="StopIteration"):
        await storage.database.write(lambda: next(iter(())))
    await storage.telemetry.append([point(1)])


async def test_more_series_than_are_remembered(storage, monkeypatch):
    from neomind_plugins.storage_sqlite import points

    monkeypatch.setattr(points, "MAX_KNOWN", 10)
    for start in range(0, 60, 6):
        await storage.telemetry.append([point(1, f"device:{n}:x") for n in range(start, start + 6)])
        await storage.telemetry.append([point(2, "device:0:x")])
    assert len(await storage.telemetry.series()) == 60
    assert await storage.telemetry.count("device:0:x", 2, 2) == 10
