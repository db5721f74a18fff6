"""Readers cannot write, see one state, and stand in nobody's way."""

from __future__ import annotations

import asyncio

import apsw
import peewee
import pytest

from neomind_plugins.storage_sqlite import queries
from neomind_sdk import Point, StorageBusy
from neomind_sdk.tables import Model


class Thing(Model):
    name = peewee.TextField()

    class Meta:
        table_name = "readers_things"


def count():
    return Thing.select().count()


@pytest.fixture
async def with_things(storage):
    await storage.migrate(lambda database: database.create_tables([Thing]))
    return storage


@pytest.mark.parametrize("sql", ["DELETE FROM readers_things", "DROP TABLE readers_things", "CREATE TABLE x (y)"])
async def test_readers_are_query_only(with_things, sql):
    await with_things.database.write(lambda: Thing.create(name="stays"))
    with pytest.raises((peewee.OperationalError, apsw.ReadOnlyError), match="readonly"):  # older peewees wrap it not
        await with_things.database.read(lambda: Thing._meta.database.execute_sql(sql))
    assert await with_things.database.read(count) == 1


async def test_a_long_read_sees_one_state_and_blocks_no_write(with_things, hold):
    def work():
        before = count()
        hold()
        return before, count()

    reading = asyncio.create_task(with_things.database.read(work))
    await asyncio.to_thread(hold.running.wait, 20)
    await with_things.database.write(lambda: Thing.create(name="new"))
    await with_things.telemetry.append([Point("device:a:x", 1, 1)])
    assert await with_things.database.read(count) == 1, "another reader sees what was committed"
    hold.go.set()
    assert await reading == (0, 0), "all of a read is on one snapshot"


async def test_nobody_sees_what_is_not_committed(with_things, hold):
    def work():
        Thing.create(name="not yet")
        hold()

    writing = asyncio.create_task(with_things.database.write(work))
    await asyncio.to_thread(hold.running.wait, 20)
    assert await with_things.database.read(count) == 0
    hold.go.set()
    await writing
    assert await with_things.database.read(count) == 1


async def test_a_query_that_escapes_its_thread_says_so(with_things):
    lazy = await with_things.database.read(Thing.select)
    with pytest.raises(RuntimeError, match=r"inside `await db\.read"):
        list(lazy)


async def test_who_was_cancelled_is_not_served(opened, hold):
    async with opened(readers=1) as storage:
        first = asyncio.create_task(storage.database.read(hold))
        await asyncio.to_thread(hold.running.wait, 20)
        served = []
        second = asyncio.create_task(storage.database.read(lambda: served.append("cancelled")))
        third = asyncio.create_task(storage.database.read(lambda: served.append("third")))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.sleep(0)
        hold.go.set()
        await asyncio.gather(first, third)
        assert served == ["third"]


async def test_too_many_reads_are_refused(opened, hold):
    async with opened(readers=1, queue_reads=2) as storage:
        first = asyncio.create_task(storage.database.read(hold))
        await asyncio.to_thread(hold.running.wait, 20)
        second = asyncio.create_task(storage.telemetry.series())
        await asyncio.sleep(0)
        with pytest.raises(StorageBusy) as refused:
            await storage.telemetry.latest([])
        assert refused.value.headers == {"Retry-After": "1"}
        hold.go.set()
        assert await asyncio.gather(first, second) == ["held", []]
        assert await storage.telemetry.latest([]) == {}


async def test_queries_use_the_cluster(storage):
    """No query but the list of series walks through a table."""
    for name in ("RANGE_NEWEST_FIRST", "COUNT", "LATEST", "LATEST_OF", "AGGREGATE_BUCKETS", "NEWEST_PER_BUCKET"):
        query = getattr(queries, name)
        parameters = (1,) * max(number for number in range(1, 6) if f"?{number}" in query)

        def plan(query=query, parameters=parameters):
            rows = Thing._meta.database.execute_sql(f"EXPLAIN QUERY PLAN {query}", parameters).fetchall()
            return [row[3] for row in rows]

        scans = [step for step in await storage.database.read(plan) if step.startswith("SCAN storage_sqlite")]
        assert not scans, name


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", b""),
        ("a", "b"),
        ("device:", "device;"),
        ("a\U0010ffff", "b"),
        ("\U0010ffff", b""),
        ("\ud7ff", "\ue000"),
    ],
)
def test_the_end_of_a_prefix(prefix, expected):
    assert queries.after(prefix) == expected
