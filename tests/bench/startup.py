"""From the start of the process to the first healthy answer, and what it takes of memory while nothing happens."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from processes import platform
from table import Row

STARTS = 3
IDLE_S = 3.0
GOAL_S = 1.5
GOAL_MB = 110.0


def benchmark(folder: Path) -> list[Row]:
    """The first start, which makes the database, and later ones."""
    server = platform(folder / "startup")
    try:
        first = server.start()
        time.sleep(IDLE_S)
        idle = server.rss_mb()
        server.stop()
        later = []
        for _ in range(STARTS):
            later.append(server.start())
            server.stop()
    finally:
        server.kill()
    return [
        Row(what="first start to healthy", value=first, unit="s", goal=GOAL_S),
        Row(what="later starts to healthy", value=statistics.median(later), unit="s", goal=GOAL_S),
        Row(what="idle memory", value=idle, unit="MB", goal=GOAL_MB),
    ]
