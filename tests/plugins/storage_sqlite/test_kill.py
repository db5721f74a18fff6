"""``kill -9`` at random moments: what was acknowledged is there, and the file is whole."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

import apsw
import pytest

from neomind_plugins.storage_sqlite.files import FILE_NAME

APPENDER = Path(__file__).with_name("appender.py")


async def acknowledged(data_dir, first, *flags):
    """Let a process append for a random while, kill it, and return what it had been told was stored."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(APPENDER), str(data_dir), str(first), *flags, stdout=pipe
    )
    lines = [await process.stdout.readline()]
    for _ in range(random.randrange(20, 800)):
        lines.append(await process.stdout.readline())
    process.kill()
    rest, _ = await process.communicate()
    lines += rest.splitlines(keepends=True)
    return [line.split() for line in lines if line.endswith(b"\n")]


def lost(data_dir, acks):
    """The acknowledged numbers that are not in the file, which must be whole."""
    connection = apsw.Connection(str(data_dir / FILE_NAME))
    assert connection.execute("PRAGMA integrity_check").get == "ok"
    points = connection.execute("SELECT value FROM storage_sqlite_points GROUP BY value HAVING count(*) = 2").get
    rows = connection.execute("SELECT number FROM appender_rows").get
    connection.close()
    stored = {b"point": set(points or ()), b"row": set(rows or ())}
    return [(kind, number) for kind, number in acks if int(number) not in stored[kind]]


async def rounds(data_dir, count, *flags):
    acks, missing = [], []
    for number in range(count):
        acks += await acknowledged(data_dir, number * 1_000_000, *flags)
        missing = lost(data_dir, acks)
        if missing:
            break
    return acks, missing


async def test_nothing_acknowledged_is_lost(tmp_path):
    acks, missing = await rounds(tmp_path, 3)
    assert len(acks) > 60
    assert missing == []


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_nothing_acknowledged_is_lost_in_many_rounds(tmp_path):
    acks, missing = await rounds(tmp_path, 20)
    assert len(acks) > 400
    assert missing == []


async def test_an_acknowledgement_before_the_commit_is_found_out(tmp_path):
    _acks, missing = await rounds(tmp_path, 5, "early")
    assert missing
