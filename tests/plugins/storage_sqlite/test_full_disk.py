"""On a disk that is really full."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("full_disk.py")


@pytest.mark.chaos
async def test_a_full_disk(tmp_path):
    """In a small file system of a user namespace, where the kernel lets us have one."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare(1)")
    run = 'mount -t tmpfs -o size=4m none "$3" && echo mounted && exec "$1" "$2" "$3"'
    words = ("unshare", "-Urm", "sh", "-c", run, "sh", sys.executable, str(SCRIPT), str(tmp_path))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*words, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    if not out.startswith(b"mounted"):
        pytest.skip(f"no file system of our own here: {err.decode().strip()}")
    assert process.returncode == 0, err.decode()
    assert b"well" in out
