"""Fill a file system of a few megabytes, make room, and see that all is well: ``full_disk.py <data dir>``."""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

import apsw

from neomind_plugins.storage_sqlite.files import FILE_NAME
from neomind_plugins.storage_sqlite.models import SqliteSettings
from neomind_plugins.storage_sqlite.store import open_store
from neomind_sdk import Point, StorageFull


async def fill(storage, numbers, acked):
    """Append until the disk is full."""
    while True:
        batch = [next(numbers) for _ in range(100)]
        try:
            await storage.telemetry.append([Point("device:a:x", number, f"{number} " * 20) for number in batch])
        except StorageFull:
            return
        acked += batch


async def check(storage, acked):
    found = [sample.ts_ms for sample in await storage.telemetry.range("device:a:x", 0, 10**9, limit=10**9)]
    assert sorted(found) == acked, "what was acknowledged is there, and nothing else"


async def main(data_dir):
    ballast = data_dir / "ballast"
    ballast.write_bytes(bytes(1_000_000))
    storage = await open_store(data_dir, SqliteSettings(checkpoint_kib=64))
    numbers, acked = itertools.count(), []
    await fill(storage, numbers, acked)
    await check(storage, acked)
    health = await storage.health()
    assert not health.ok
    assert "full" in health.detail
    deleted = await storage.telemetry.delete_before(50)  # there is room for that in the log
    assert deleted == 50
    acked = acked[50:]
    ballast.unlink()
    before = len(acked)
    await fill(storage, numbers, acked)
    assert len(acked) > before
    await check(storage, acked)
    await storage.close()
    connection = apsw.Connection(str(data_dir / FILE_NAME))
    assert connection.execute("PRAGMA integrity_check").get == "ok"
    print("well", len(acked))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
