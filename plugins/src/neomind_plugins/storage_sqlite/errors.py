"""What can go wrong below, and what callers are told."""

from __future__ import annotations

from collections.abc import Iterator

import apsw
import peewee

from neomind_sdk import StorageFailed, StorageFull

DISK_FAULTS = (apsw.IOError, apsw.CorruptError, apsw.NotADBError, apsw.CantOpenError, apsw.NoMemError, apsw.BusyError)
FAILED = "The storage reported an error; nothing was stored"
CLOSED = "The storage is closed"


class StorageUnusable(Exception):
    """The data directory cannot be used; one sentence with the reason and what to do."""


def is_full(error: BaseException) -> bool:
    """Whether the disk (or the largest size that was set) took no more."""
    return any(isinstance(cause, apsw.FullError) for cause in _causes(error))


def is_disk_fault(error: BaseException) -> bool:
    """Whether the disk or the file is at fault, so that the connection is not trusted any more."""
    return any(isinstance(cause, DISK_FAULTS) for cause in _causes(error))


def is_interrupted(error: BaseException) -> bool:
    """Whether the storage was closed meanwhile, and had no time left for it."""
    return any(isinstance(cause, apsw.InterruptError) for cause in _causes(error))


def for_caller(error: BaseException) -> BaseException:
    """The error of a work as its caller sees it: its own, unless the disk was at fault."""
    if is_full(error):
        return StorageFull()
    if is_disk_fault(error):
        return StorageFailed(FAILED)
    if is_interrupted(error):
        return StorageFailed(CLOSED)
    if isinstance(error, Exception):
        return error
    return RuntimeError(f"a storage work raised {type(error).__name__}")  # SystemExit must not end the platform


def one_line(error: BaseException) -> str:
    """An exception in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and the one of SQLite that peewee wrapped."""
    yield error
    wrapped = getattr(error, "orig", None)
    if isinstance(error, peewee.PeeweeException) and isinstance(wrapped, BaseException):
        yield wrapped
