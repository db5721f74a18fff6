"""``python tests/bench``, in the repository's root: measures, and prints one table.

Absolute figures belong to the machine; the ratios, all taken within one run, are what the goals are about. The exit
code is 1 with ``--check`` when a goal is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import calls
import drain
import history
import ingest
import live
import mqtt
import rules
import startup
from table import Row, table

SECONDS = 4.0
PARTS = ("startup", "ingest", "history", "mqtt", "live", "rules", "drain", "calls")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python tests/bench", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of load per round (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=None)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a goal is missed")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="neomind-bench-") as temporary:
        folder = Path(temporary)
        parts: dict[str, Callable[[], list[Row]]] = {
            "startup": lambda: startup.benchmark(folder),
            "ingest": lambda: ingest.benchmark(folder, asked.seconds),
            "history": lambda: history.benchmark(folder),
            "mqtt": lambda: mqtt.benchmark(folder),
            "live": lambda: live.benchmark(folder),
            "rules": lambda: rules.benchmark(folder, asked.seconds),
            "drain": lambda: drain.benchmark(folder),
            "calls": lambda: [*calls.hooks(), *calls.bus()],
        }
        rows = [row for name, part in parts.items() if name in (asked.only or parts) for row in part()]
    print(table(rows))
    return int(asked.check and any(row.met is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
