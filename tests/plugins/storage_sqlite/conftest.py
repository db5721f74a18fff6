"""A storage in a temporary directory, and a disk that fails when it is told to."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import apsw
import attrs
import pytest

from neomind_plugins.storage_sqlite.models import SqliteSettings
from neomind_plugins.storage_sqlite.store import SqliteStorage, open_store

Opener = Callable[..., Any]


@pytest.fixture
def opened(tmp_path: Path) -> Opener:
    """``async with opened(queue_rows=5) as storage``: a storage in ``tmp_path`` with these settings."""

    @asynccontextmanager
    async def open_one(**settings: Any) -> AsyncIterator[SqliteStorage]:
        storage = await open_store(tmp_path, SqliteSettings(**settings))
        try:
            yield storage
        finally:
            await storage.close()

    return open_one


@pytest.fixture
async def storage(opened: Opener) -> AsyncIterator[SqliteStorage]:
    async with opened() as one:
        yield one


class Hold:
    """A work that keeps its storage thread until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.running = threading.Event()

    def __call__(self) -> str:
        self.running.set()
        assert self.go.wait(20)
        return "held"


@pytest.fixture
def hold() -> Iterator[Hold]:
    one = Hold()
    yield one
    one.go.set()


@attrs.define
class Disk:
    """Everything that SQLite does to its files goes through here.

    ``events``  what was done: ``open``, ``write`` or ``sync``, to a file of the kind ``db``, ``wal`` or ``other``
    ``broken``  events that fail from now on, and how
    """

    events: list[tuple[str, str]] = attrs.field(factory=list)
    broken: dict[tuple[str, str], Exception] = attrs.field(factory=dict)

    def count(self, what: str, kind: str) -> int:
        return self.events.count((what, kind))

    def synced(self) -> bool:
        """Whether nothing was written to the log since it was last made durable."""
        wal = [what for what, kind in self.events if kind == "wal" and what != "open"]  # readers open it when they like
        return not wal or wal[-1] == "sync"

    def note(self, what: str, kind: str) -> None:
        self.events.append((what, kind))
        if (what, kind) in self.broken:
            raise self.broken[what, kind]


def _shim(disk: Disk) -> apsw.VFS:
    real = apsw.vfs_names()[0]  # the default comes first

    class File(apsw.VFSFile):
        def __init__(self, name: Any, flags: list[int]) -> None:
            filename = name.filename() if isinstance(name, apsw.URIFilename) else name
            self.kind = {"db": "db", "db-wal": "wal"}.get(str(filename).rpartition(".")[2], "other")
            disk.note("open", self.kind)
            super().__init__(real, name, flags)

        def xWrite(self, data: bytes, offset: int) -> None:
            disk.note("write", self.kind)
            super().xWrite(data, offset)

        def xSync(self, flags: int) -> None:
            disk.note("sync", self.kind)
            super().xSync(flags)

        def excepthook(self, *_error: Any) -> None:
            """What is raised on purpose needs no report; SQLite gets the result code."""

    class Shim(apsw.VFS):
        def __init__(self) -> None:
            super().__init__("shim", real, makedefault=True)

        def xOpen(self, name: Any, flags: list[int]) -> File:
            return File(name, flags)

    return Shim()


@pytest.fixture
def disk() -> Iterator[Disk]:
    """The disk of every storage that is opened while the test runs."""
    one = Disk()
    vfs = _shim(one)
    yield one
    vfs.unregister()
