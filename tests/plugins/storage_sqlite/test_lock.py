"""One process per data directory."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys

import pytest

from neomind_plugins.storage_sqlite.errors import StorageUnusable
from neomind_plugins.storage_sqlite.models import SqliteSettings
from neomind_plugins.storage_sqlite.store import open_store

HOLDER = """
import asyncio, pathlib, sys
from neomind_plugins.storage_sqlite.models import SqliteSettings
from neomind_plugins.storage_sqlite.store import open_store

async def main():
    await open_store(pathlib.Path(sys.argv[1]), SqliteSettings())
    print("open", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_second_process_is_told_who_has_it(tmp_path):
    pipe = asyncio.subprocess.PIPE
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLDER, str(tmp_path), stdout=pipe)
    try:
        assert await holder.stdout.readline() == b"open\n"
        with pytest.raises(StorageUnusable) as refused:
            await open_store(tmp_path, SqliteSettings())
        assert str(refused.value) == (
            f"the data directory {tmp_path} is in use by another process (pid {holder.pid}); "
            "stop that one, or choose another data directory"
        )
    finally:
        holder.kill()
        await holder.communicate()
    storage = await open_store(tmp_path, SqliteSettings())  # a dead process holds nothing
    await storage.close()


async def test_the_same_process_cannot_open_it_twice(tmp_path):
    storage = await open_store(tmp_path, SqliteSettings())
    with pytest.raises(StorageUnusable, match=f"pid {os.getpid()}"):
        await open_store(tmp_path, SqliteSettings())
    await storage.close()
    again = await open_store(tmp_path, SqliteSettings())
    await again.close()


async def test_a_directory_that_cannot_be_used(tmp_path):
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(StorageUnusable, match="cannot be written"):
        await open_store(tmp_path / "file", SqliteSettings())


async def test_a_failed_open_leaves_no_lock(tmp_path):
    (tmp_path / "neomind.db").write_bytes(b"nonsense" * 1000)
    for _ in range(2):
        with pytest.raises(StorageUnusable, match="cannot be used as a database"):
            await open_store(tmp_path, SqliteSettings())
    (tmp_path / "neomind.db").unlink()
    storage = await open_store(tmp_path, SqliteSettings())
    await storage.close()


async def test_a_cancelled_open_leaves_no_lock(tmp_path):
    task = asyncio.create_task(open_store(tmp_path, SqliteSettings()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    for _ in range(1000):
        with contextlib.suppress(StorageUnusable):  # the thread may be on its way out still
            storage = await open_store(tmp_path, SqliteSettings())
            break
    await storage.close()
