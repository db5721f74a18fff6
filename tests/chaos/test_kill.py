"""``kill -9`` at random moments under load: every acknowledged reading is there afterwards, once; the file is whole.

The server is the real one, in a process of its own; it is started again on the same data directory after each kill.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

import apsw
import pytest

from neomind_sdk.testing import needs

from ..bench.processes import Server, add_device, platform, set_up
from .traffic import DEVICE, METRIC, Traffic

PAGE = 1000
pytestmark = needs("accounts", "devices", "storage_sqlite", "system", "telemetry", "transport_webhook")
EARLY_ACK = Path(__file__).with_name("early_ack.py")


class Rounds:
    """A platform that is killed and started again."""

    def __init__(self, data_dir: Path) -> None:
        self.server: Server = platform(data_dir)
        self.traffic = Traffic()
        self._data_dir = data_dir
        self._token = ""

    def begin(self) -> None:
        self.server.start()
        self._token = set_up(self.server)
        add_device(self.server, self._token, DEVICE, [METRIC])

    def one(self) -> list[int]:
        """Load, kill, look at the file, start again; returns what was acknowledged and is not there exactly once."""
        asyncio.run(self.traffic.until_killed(self.server, random.uniform(0.05, 0.5)))
        assert integrity(self._data_dir / "neomind.db") == "ok"
        self.server.start()
        stored = Counter(self.stored())
        return [number for number in self.traffic.acknowledged if stored[number] != 1]

    def stored(self) -> list[int]:
        """All readings, page by page, over REST."""
        asked: dict[str, object] = {"metric": METRIC, "time_range": "24h", "limit": PAGE}
        found: list[int] = []
        while True:
            answer = self.server.call("GET", f"/api/devices/{DEVICE}/history?{urlencode(asked)}", token=self._token)
            found += [point["value"] for point in answer["data"]["data"][METRIC]]
            asked["cursor"] = answer["data"]["pagination"]["next_cursor"]
            if asked["cursor"] is None:
                return found


def integrity(path: Path) -> str:
    """What SQLite says about the file, after it has recovered the log."""
    connection = apsw.Connection(str(path))
    try:
        return str(connection.execute("PRAGMA integrity_check").get)
    finally:
        connection.close()


def run(data_dir: Path, count: int) -> list[int]:
    """So many rounds, or until something is missing."""
    rounds = Rounds(data_dir)
    missing: list[int] = []
    try:
        rounds.begin()
        for _ in range(count):
            missing = rounds.one()
            if missing:
                break
    finally:
        rounds.server.kill()
    return missing


def test_nothing_acknowledged_is_lost(tmp_path):
    assert run(tmp_path / "data", 3) == []


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_in_many_rounds(tmp_path):
    assert run(tmp_path / "data", 20) == []


def test_an_acknowledgement_before_the_commit_is_found_out(tmp_path):
    """The same check, with a stranger in the extensions directory that breaks the promise, is red."""
    for attempt in range(3):
        data_dir = tmp_path / f"data{attempt}"
        (data_dir / "extensions").mkdir(parents=True)
        (data_dir / "extensions" / EARLY_ACK.name).write_text(EARLY_ACK.read_text())
        if run(data_dir, 2):
            return
    pytest.fail("acknowledgements came before the commit, and nothing was missing")
