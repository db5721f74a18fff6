"""Closing: what was accepted is committed, it takes a bounded time, and the file is left tidy."""

from __future__ import annotations

import asyncio

import apsw
import peewee
import pytest

from neomind_plugins.storage_sqlite import errors, store
from neomind_plugins.storage_sqlite.files import FILE_NAME
from neomind_plugins.storage_sqlite.models import SqliteSettings
from neomind_sdk import Point, StorageFailed


async def open_here(tmp_path, **settings):
    return await store.open_store(tmp_path, SqliteSettings(**settings))


async def test_the_log_is_gone_afterwards(tmp_path):
    storage = await open_here(tmp_path)
    await storage.telemetry.append([Point("device:a:x", 1, 1)])
    assert (await storage.info()).size_bytes > 0
    await storage.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [FILE_NAME, "neomind.lock"]


async def test_info_names_what_was_set(tmp_path):
    storage = await open_here(tmp_path, durability="fast")
    info = await storage.info()
    await storage.close()
    assert (info.engine, info.durability) == ("sqlite", "fast")
    assert info.version.startswith("3.")
    assert info.size_bytes >= 8192


async def test_a_writer_that_hangs_is_not_waited_for(tmp_path, hold, monkeypatch):
    monkeypatch.setattr(store, "WRITER_CLOSE_S", 0.1)
    storage = await open_here(tmp_path)
    held = asyncio.create_task(storage.database.write(hold))
    await asyncio.to_thread(hold.running.wait, 20)
    waiting = asyncio.create_task(storage.telemetry.append([Point("device:a:x", 1, 1)]))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await storage.close()
        answers = await asyncio.gather(held, waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StorageFailed, StorageFailed]
    assert "not known whether" in str(answers[1])
    hold.go.set()
    await storage.close()  # now the thread ends, and gives the lock back
    again = await open_here(tmp_path)
    await again.close()


async def test_a_query_that_runs_long_is_interrupted(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "READERS_CLOSE_S", 0.1)
    storage = await open_here(tmp_path)
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    reading = asyncio.create_task(storage._readers.run(lambda database: database.execute_sql(endless).fetchone()))
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await storage.close()
        with pytest.raises(StorageFailed):
            await reading


def test_who_was_interrupted_is_told_that_the_storage_is_closed():
    """Whichever is first, the thread that was interrupted or the one that gives up on it."""
    interrupted = peewee.OperationalError("interrupted")
    interrupted.orig = apsw.InterruptError("interrupted")
    told = errors.for_caller(interrupted)
    assert isinstance(told, StorageFailed)
    assert str(told) == "The storage is closed"


async def test_close_does_not_wait_for_an_idle_moment(tmp_path):
    storage = await open_here(tmp_path)
    await storage.telemetry.append([Point("device:a:x", 1, 1)])
    async with asyncio.timeout(0.9):
        await storage.close()
