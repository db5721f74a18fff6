"""What dashboards show of the machine. Reading it blocks: call it in a thread."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import attrs

MEMINFO = Path("/proc/meminfo")
LINES = {"MemTotal": "total_memory", "MemFree": "free_memory", "MemAvailable": "available_memory"}


@attrs.frozen
class Machine:
    """``version`` and ``started_ms`` are the platform's."""

    version: str
    started_ms: int

    def read(self, now_ms: int) -> dict[str, Any]:
        """All metrics: bytes, seconds, percent and words. Of memory that cannot be read everything is 0."""
        found = memory(MEMINFO)
        used = found["total_memory"] - found["available_memory"]
        return {
            **found,
            "used_memory": used,
            "memory_percent": round(100 * used / found["total_memory"], 1) if found["total_memory"] else 0.0,
            "uptime": max(0, now_ms - self.started_ms) // 1000,
            "cpu_count": os.cpu_count() or 1,
            "platform": platform.system().lower(),
            "arch": platform.machine(),
            "version": self.version,
        }


def memory(path: Path) -> dict[str, int]:
    """Bytes, from ``/proc/meminfo`` (proc_meminfo(5))."""
    found = dict.fromkeys(LINES.values(), 0)
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeError):
        return found
    for line in lines:
        name, _, rest = line.partition(":")
        if name in LINES and rest.split()[:1] and rest.split()[0].isdigit():
            found[LINES[name]] = int(rest.split()[0]) * 1024
    return found
