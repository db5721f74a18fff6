"""The open storage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from playhouse.apsw_ext import APSWDatabase

from neomind_sdk import Database, Health, OpenStorage, StorageInfo, TelemetryStore

from . import files
from .lock import DirectoryLock
from .models import SqliteSettings
from .readers import Readers
from .telemetry import SqliteTelemetry
from .writer import Writer

T = TypeVar("T")
READERS_CLOSE_S = 0.5
WRITER_CLOSE_S = 1.5


async def open_store(data_dir: Path, settings: SqliteSettings) -> SqliteStorage:
    """Open, or make, the database in ``data_dir``; raises ``StorageUnusable`` with one sentence."""
    path = data_dir / files.FILE_NAME
    writer = Writer(files.writing(path, settings), DirectoryLock(data_dir), settings)
    await writer.open()
    return SqliteStorage(path, settings, writer, Readers(files.reading(path, settings), settings))


class SqliteDatabase(Database):
    """Works run by the writer, each in a savepoint of its group, and by the readers, each on one snapshot."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def read(self, work: Callable[[], T]) -> T:
        return await self._readers.run(lambda database: _on_snapshot(database, work))

    async def write(self, work: Callable[[], T]) -> T:
        return await self._writer.intake.run(lambda _database: work())


class SqliteStorage(OpenStorage):
    """One file, one writer, some readers."""

    def __init__(self, path: Path, settings: SqliteSettings, writer: Writer, readers: Readers) -> None:
        self.database: Database = SqliteDatabase(writer, readers)
        self.telemetry: TelemetryStore = SqliteTelemetry(writer, readers)
        self._path = path
        self._settings = settings
        self._writer = writer
        self._readers = readers

    async def migrate(self, work: Callable[[Any], T]) -> T:
        return await self._writer.intake.run(work)

    async def info(self) -> StorageInfo:
        size = await self._readers.run(lambda _database: files.size_on_disk(self._path))
        version = ".".join(map(str, APSWDatabase.server_version))
        return StorageInfo(engine="sqlite", durability=self._settings.durability, size_bytes=size, version=version)

    async def health(self) -> Health:
        problem = self._writer.trouble or self._writer.intake.closed
        return Health(ok=not problem, detail=problem)

    async def close(self) -> None:
        await self._readers.close(READERS_CLOSE_S)
        await self._writer.close(WRITER_CLOSE_S)


def _on_snapshot(database: APSWDatabase, work: Callable[[], T]) -> T:
    with database.transaction():
        return work()
