"""How this process is called among those that share a storage."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

LENGTH = 16


class Node:
    """A name in a file of the data directory, which is locked for as long as the process lives.

    So a process that was killed finds its name again, and with it what it held; a second one on the same directory gets
    a name of its own. Of its 16 characters all are ASCII letters or digits.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "node"
        self._file: int | None = None

    def open(self) -> str:
        """The name; one that is forgotten afterwards where no file can be had."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return _read(self._file) or _written(self._file)
        except OSError:
            self.close()
            return _new()

    def close(self) -> None:
        """Let another process have the name."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def _read(file: int) -> str | None:
    found = os.pread(file, LENGTH + 1, 0).decode(errors="replace")
    return found if len(found) == LENGTH and found.isalnum() and found.isascii() else None


def _written(file: int) -> str:
    name = _new()
    os.ftruncate(file, 0)
    os.pwrite(file, name.encode(), 0)
    return name


def _new() -> str:
    return secrets.token_hex(LENGTH // 2)
