"""The database file: its connections, its settings, its own tables."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import apsw
import peewee
from playhouse.apsw_ext import APSWDatabase

from .errors import StorageUnusable, one_line
from .models import SqliteSettings

FILE_NAME = "neomind.db"
BUSY_S = 5
PAGE_BYTES = 4096
# Values go in and come out as JSON text; from here on SQLite reads and writes every double in it exactly, and its
# write-ahead log has no reset race (https://sqlite.org/wal.html#walresetbug).
OLDEST_SQLITE = (3, 54, 0)
# The log keeps this much of its file when it starts anew, so that there is room to delete something on a full disk.
KEPT_LOG_BYTES = 16 * 1024 * 1024
SCHEMA_VERSION = 1
SCHEMA = (
    "CREATE TABLE storage_sqlite_series (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    """CREATE TABLE storage_sqlite_points (
        series INTEGER NOT NULL, ts INTEGER NOT NULL, seq INTEGER NOT NULL,
        kind INTEGER NOT NULL, value NOT NULL, quality REAL,
        PRIMARY KEY (series, ts, seq)
    ) WITHOUT ROWID""",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)


def writing(path: Path, settings: SqliteSettings) -> APSWDatabase:
    """The database of the writer thread, not connected yet."""
    pragmas = {
        "page_size": PAGE_BYTES,
        "journal_mode": "wal",
        "synchronous": "full" if settings.durability == "durable" else "normal",
        "wal_autocheckpoint": 0,  # the writer does it, after it has told its callers
        "journal_size_limit": KEPT_LOG_BYTES,
        "foreign_keys": 1,
    }
    return APSWDatabase(str(path), pragmas=pragmas | _shared(settings), timeout=BUSY_S, autoconnect=False)


def reading(path: Path, settings: SqliteSettings) -> APSWDatabase:
    """The database of the reader threads, each of which has a connection of its own."""
    return APSWDatabase(str(path), pragmas={"query_only": 1} | _shared(settings), timeout=BUSY_S, autoconnect=False)


def _shared(settings: SqliteSettings) -> dict[str, str | int]:
    # No memory mapping: a read error of a worn-out card would be a signal that ends the process.
    return {"cache_size": -settings.cache_kib, "mmap_size": 0, "temp_store": "memory"}


def prepare(database: APSWDatabase) -> None:
    """Connect and bring the storage's own tables into being; raises ``StorageUnusable``."""
    if database.server_version < OLDEST_SQLITE:
        found, wanted = (".".join(map(str, version)) for version in (database.server_version, OLDEST_SQLITE))
        raise StorageUnusable(f"SQLite {found} is too old, at least {wanted} is needed; install a newer apsw")
    with _explained(database.database):
        database.connect()
        if database.pragma("journal_mode") != "wal":
            raise StorageUnusable(
                f"the file system of {database.database} cannot do a write-ahead log; use a local disk"
            )
        with database.transaction("IMMEDIATE"):
            _create(database)


def _create(database: APSWDatabase) -> None:
    version = database.pragma("user_version")
    if version > SCHEMA_VERSION:
        raise StorageUnusable(f"{database.database} was written by a newer version; install that one again")
    for statement in SCHEMA if version == 0 else ():
        database.execute_sql(statement)


def probe(database: APSWDatabase) -> None:
    """Commit something harmless; raises when the disk does not take it."""
    with database.transaction("IMMEDIATE"):
        database.execute_sql(SCHEMA[-1])


@contextlib.contextmanager
def _explained(path: str) -> Iterator[None]:
    try:
        yield
    except (peewee.DatabaseError, apsw.Error) as error:
        text = f"{path} cannot be used as a database ({one_line(error)})"
        raise StorageUnusable(f"{text}; restore a backup, or move the file away to start anew") from error


def size_on_disk(path: Path) -> int:
    """Bytes of the database and its log."""
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
