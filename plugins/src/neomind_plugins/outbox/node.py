"""Under which name this process takes leases."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

FILE = "node"


class Node:
    """A name that survives restarts, so that a process that was killed has its own leases back at once.

    It is in a file, which is locked while the process lives: a second process on the same directory gets a name of its
    own, and waits for the leases of the other.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._file: int | None = None

    def open(self) -> str:
        """The name; raises ``OSError``."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return _new_name()
        self._file = file
        return self._name(file)

    def close(self) -> None:
        """Let another process have the name."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _name(self, file: int) -> str:
        known = os.read(file, 100).decode(errors="replace").strip()
        if known.isalnum() and known.isascii():
            return known
        name = _new_name()
        os.ftruncate(file, 0)
        os.pwrite(file, name.encode(), 0)
        return name


def _new_name() -> str:
    return secrets.token_hex(8)
