"""What outlives a run of the host: the lock on the data directory, the crash counter, the last report."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import attrs
import orjson

from ..contracts import PluginInfo

CRASHES_TO_SAFE_MODE = 3
STABLE_AFTER_S = 60.0
SECOND_TRY_AFTER_S = 0.05


class DataDirectoryInUse(Exception):
    """Another process works on the data directory; the message names it."""


@attrs.frozen(kw_only=True)
class Run:
    """The last run as it was noted: ``crashes`` in a row within 60 s of their start."""

    crashes: int = 0
    clean: bool = True
    stable: bool = True


class StateFile:
    """``<data>/run/``: held by one process at a time."""

    def __init__(self, data_dir: Path) -> None:
        self._dir = data_dir / "run"
        self._lock: IO[str] | None = None

    def lock(self) -> None:
        """Take the data directory; raises ``DataDirectoryInUse`` or ``OSError``."""
        self._make()
        handle = (self._dir / "lock").open("a+", encoding="ascii")
        if not _flock(handle, fcntl.LOCK_EX):
            time.sleep(SECOND_TRY_AFTER_S)  # somebody may just have looked who holds it, see holder()
            if not _flock(handle, fcntl.LOCK_EX):
                pid = _pid(handle)
                handle.close()
                raise DataDirectoryInUse(f"{self._dir.parent} is in use by the process {pid}")
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        self._lock = handle

    def unlock(self) -> None:
        if self._lock:
            self._lock.close()
            self._lock = None

    def holder(self) -> str | None:
        """The id of the process that works on the data directory now; ``None`` when none does."""
        try:
            with (self._dir / "lock").open(encoding="ascii") as handle:
                return None if _flock(handle, fcntl.LOCK_SH) else _pid(handle)
        except OSError:
            return None

    def last_run(self) -> Run:
        """How the last run went, as far as it was noted."""
        last = self._read("state.json")
        names = ("crashes", "clean", "stable")
        return Run(**{name: last[name] for name in names if isinstance(last.get(name), int)})

    def begin(self) -> int:
        """Note that a run begins; how many runs in a row crashed soon after their start."""
        last = self._read("state.json")
        crashed = not last.get("clean", True) and not last.get("stable", True)
        before = last.get("crashes", 0)
        crashes = (before if isinstance(before, int) else 0) + 1 if crashed else 0
        self._write("state.json", {"crashes": crashes, "clean": False, "stable": False})
        return crashes

    def stable(self) -> None:
        """Note that the run has lasted."""
        self._write("state.json", {"crashes": 0, "clean": False, "stable": True})

    def end(self, *, crashes: int = 0) -> None:
        """Note that the run ended as it should."""
        self._write("state.json", {"crashes": crashes, "clean": True, "stable": True})

    def report(self, plugins: Sequence[PluginInfo], now_ms: int) -> None:
        """Keep what became of each plugin, for ``neomind plugins``."""
        self._write("plugins.json", {"at_ms": now_ms, "plugins": [attrs.asdict(info) for info in plugins]})

    def last_report(self) -> dict[str, Any]:
        return self._read("plugins.json")

    def _make(self) -> None:
        """The data directory is for its owner alone: password hashes and keys are in it."""
        self._dir.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._dir.mkdir(exist_ok=True)

    def _read(self, name: str) -> dict[str, Any]:
        try:
            found = orjson.loads((self._dir / name).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, name: str, value: Any) -> None:
        self._make()
        temporary = self._dir / f"{name}.new"
        temporary.write_bytes(orjson.dumps(value))
        temporary.replace(self._dir / name)


def _flock(handle: IO[str], how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid(handle: IO[str]) -> str:
    handle.seek(0)
    return handle.read().strip() or "unknown"
