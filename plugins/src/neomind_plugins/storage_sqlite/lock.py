"""One process per data directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from .errors import StorageUnusable

FILE_NAME = "neomind.lock"


class DirectoryLock:
    """An exclusive lock on a directory: a locked file in it that holds the process id.

    The kernel gives the lock back when the process ends, however it ends. The file stays: removing it would let two
    processes lock two different files of the same name.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._handle: int | None = None

    def acquire(self) -> None:
        """Raise ``StorageUnusable`` when another process has the lock, or when the directory cannot be used."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._directory / FILE_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StorageUnusable(f"the data directory {self._directory} cannot be written: {error}") from error
        try:
            self._lock(handle)
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle

    def release(self) -> None:
        """Give the lock back; nothing happens without one."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def _lock(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
            text = f"the data directory {self._directory} is in use by another process (pid {owner})"
            raise StorageUnusable(f"{text}; stop that one, or choose another data directory") from error
        except OSError as error:
            raise StorageUnusable(f"the data directory {self._directory} cannot be locked: {error}") from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
