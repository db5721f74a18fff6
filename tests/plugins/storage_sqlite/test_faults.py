"""The disk is full, or fails: nobody is told what is not true, and work goes on when the disk does."""

from __future__ import annotations

import asyncio
import threading

import apsw
import peewee
import pytest

from neomind_plugins.storage_sqlite import writer as writer_module
from neomind_plugins.storage_sqlite.errors import StorageUnusable
from neomind_plugins.storage_sqlite.files import FILE_NAME
from neomind_plugins.storage_sqlite.models import SqliteSettings
from neomind_plugins.storage_sqlite.store import open_store
from neomind_sdk import Point, StorageFailed, StorageFull
from neomind_sdk.tables import Model

CONNECTIONS = 1 + SqliteSettings().readers
WRITE, SYNC = ("write", "wal"), ("sync", "wal")


class Thing(Model):
    name = peewee.TextField()

    class Meta:
        table_name = "faults_things"


def point(number, series="device:a:x"):
    return Point(series, number, number)


async def values(storage):
    return [sample.value for sample in await storage.telemetry.range("device:a:x", 0, 999, limit=999)]


async def until(condition):
    """Wait for what another thread does; there is no event of it to wait for."""

    def wait():
        for _ in range(1000):
            if condition():
                return True
            threading.Event().wait(0.01)
        return False

    assert await asyncio.to_thread(wait)


def full():
    return apsw.FullError("no space left")


def broken():
    return apsw.IOError("input/output error")


@pytest.mark.parametrize(("event", "error", "answer", "status"), [
    (WRITE, full(), StorageFull, 507),
    (WRITE, broken(), StorageFailed, 503),
    (SYNC, broken(), StorageFailed, 503),
])  # fmt: skip
async def test_a_failing_commit_is_never_acknowledged(opened, disk, hold, event, error, answer, status):
    async with opened() as storage:
        await storage.migrate(lambda database: database.create_tables([Thing]))
        await storage.telemetry.append([point(1)])
        await until(lambda: disk.count("open", "db") == CONNECTIONS)
        first = asyncio.create_task(storage.database.write(hold))
        await asyncio.to_thread(hold.running.wait, 20)
        group = [
            asyncio.create_task(storage.telemetry.append([point(2)])),
            asyncio.create_task(storage.telemetry.append([point(3, "device:new:x")])),
            asyncio.create_task(storage.database.write(lambda: Thing.create(name="lost"))),
        ]
        await asyncio.sleep(0)
        disk.broken[event] = error
        hold.go.set()
        answers = await asyncio.gather(*group, return_exceptions=True)
        assert [type(one) for one in answers] == [answer] * 3
        assert {one.status for one in answers} == {status}
        await asyncio.wait([first])
        assert not (await storage.health()).ok
        with pytest.raises(answer):
            await storage.telemetry.append([point(4)])
        assert await values(storage) == [1], "reading still works"

        disk.broken.clear()
        before = disk.count("open", "db")
        await storage.telemetry.append([point(5), point(6, "device:new:x")])
        reopened = disk.count("open", "db") - before
        assert reopened == (answer is StorageFailed), "a connection is not trusted after an error other than 'full'"
        await storage.database.write(lambda: Thing.create(name="kept"))
        assert (await storage.health()).ok
        assert await values(storage) == [5, 1]
        assert await storage.telemetry.series() == ["device:a:x", "device:new:x"]
        assert await storage.database.read(lambda: [thing.name for thing in Thing.select()]) == ["kept"]
    async with opened() as storage:
        assert await values(storage) == [5, 1], "and what was refused does not come back with a new start"


async def test_health_recovers_without_traffic(opened, disk, monkeypatch):
    monkeypatch.setattr(writer_module, "RETRY_S", 0.01)
    async with opened() as storage:
        await storage.telemetry.append([point(1)])
        await until(lambda: disk.count("open", "db") == CONNECTIONS)
        disk.broken[SYNC] = broken()
        with pytest.raises(StorageFailed):
            await storage.telemetry.append([point(2)])
        await until(lambda: "does not work yet" in storage._writer.trouble)
        assert "input/output" in (await storage.health()).detail
        disk.broken.clear()
        await until(lambda: not storage._writer.trouble)
        assert (await storage.health()).ok
        assert await values(storage) == [1]


async def test_a_checkpoint_that_fails_harms_no_commit(opened, disk):
    async with opened(checkpoint_kib=64) as storage:
        disk.broken["write", "db"] = broken()
        for number in range(60):
            await storage.telemetry.append([point(number)])
        assert "cannot be moved" in (await storage.health()).detail or (await storage.health()).ok
        assert await storage.telemetry.count("device:a:x", 0, 999) == 60
        disk.broken.clear()
    async with opened() as storage:
        assert await storage.telemetry.count("device:a:x", 0, 999) == 60


async def test_the_log_is_moved_into_the_database(opened, disk, monkeypatch, tmp_path):
    monkeypatch.setattr(writer_module, "IDLE_S", 0.01)
    async with opened(checkpoint_kib=64) as storage:
        for number in range(300):
            await storage.telemetry.append([point(number)])
        assert disk.count("sync", "db") >= 3
        assert (tmp_path / f"{FILE_NAME}-wal").stat().st_size < 1_000_000
        before = disk.count("sync", "db")
        await storage.telemetry.append([point(301)])
        await until(lambda: disk.count("sync", "db") > before)


async def test_an_unexpected_error_fails_those_who_wait_and_shows(opened, monkeypatch):
    async with opened() as storage:
        await storage.telemetry.append([point(1)])
        with monkeypatch.context() as patch:
            patch.setattr(storage._writer.points, "_rows", lambda points: 1 / 0)
            with pytest.raises(StorageFailed):
                await storage.telemetry.append([point(2)])
            assert "ZeroDivisionError" in (await storage.health()).detail
        await storage.telemetry.append([point(3)])
        assert (await storage.health()).ok


async def test_the_thread_never_dies_silently(opened, monkeypatch, hold):
    async with opened() as storage:
        first = asyncio.create_task(storage.database.write(hold))
        await asyncio.to_thread(hold.running.wait, 20)
        waiting = [asyncio.create_task(storage.telemetry.append([point(n)])) for n in range(3)]
        await asyncio.sleep(0)
        monkeypatch.setattr(storage._writer, "_gather", lambda entry: 1 / 0)
        hold.go.set()
        assert await first == "held"
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(answer) for answer in answers] == [StorageFailed] * 3
        assert "not known" in str(answers[0])
        assert "ZeroDivisionError" in (await storage.health()).detail
        with pytest.raises(StorageFailed, match="ended unexpectedly"):
            await storage.telemetry.append([point(9)])


async def test_a_read_error_is_told_and_survived(storage, monkeypatch):
    calls = []

    def work():
        calls.append(1)
        raise broken()

    await storage.telemetry.append([point(1)])
    for _ in range(4):
        with pytest.raises(StorageFailed):
            await storage.database.read(work)
    assert await values(storage) == [1]


@pytest.mark.parametrize("content", [b"this is no database, " * 500, b"SQLite format 3\0" + b"\xff" * 5000])
async def test_a_corrupt_file_is_said_in_a_sentence(tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(StorageUnusable, match=r"neomind\.db cannot be used as a database .*restore a backup"):
        await open_store(tmp_path, SqliteSettings())
    assert (tmp_path / FILE_NAME).read_bytes() == content


async def test_data_of_a_newer_version_are_left_alone(tmp_path, opened):
    async with opened():
        pass
    with apsw.Connection(str(tmp_path / FILE_NAME)) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StorageUnusable, match="newer version"):
        await open_store(tmp_path, SqliteSettings())


async def test_an_old_sqlite_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("neomind_plugins.storage_sqlite.files.OLDEST_SQLITE", (99, 0, 0))
    with pytest.raises(StorageUnusable, match=r"SQLite 3\.\S+ is too old, at least 99\.0\.0 is needed"):
        await open_store(tmp_path, SqliteSettings())
