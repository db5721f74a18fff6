"""History out of a million points: over HTTP, against the same SQL and the same JSON without anything around."""

from __future__ import annotations

import contextlib
import http.client
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import apsw
import orjson
from past import BUCKET_S, METRIC, Past
from processes import HOST, Server, add_device, log_in, platform, running, set_up
from table import Row

POINTS = 1_000_000
EVERY_S = 3
CALLS = 300
FEW_CALLS = 30
GOAL = 2.5
LOAD = """
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1)
INSERT INTO storage_sqlite_points (series, ts, seq, kind, value, quality)
SELECT ?, ? + i * ?, 0, 0, 20.0 + (i % 1000) / 100.0, NULL FROM n
"""
Ask = Callable[[], bytes]


def benchmark(folder: Path) -> list[Row]:
    """Median times of single requests, one after another."""
    data_dir = folder / "history"
    file = data_dir / "neomind.db"
    end_s = int(time.time()) // BUCKET_S * BUCKET_S - 3600
    ours = platform(data_dir)
    with running(ours):
        token = set_up(ours)
        add_device(ours, token, "meter", [METRIC], store_raw=False)
        ours.call("POST", "/api/devices/meter/metrics", {"metric": METRIC, "value": 20.5}, token)
    load(file, end_s)
    served = Server([sys.executable, str(Path(__file__).with_name("past.py")), "{port}", str(file)], folder / "past",
                    health="/health")  # fmt: skip
    with running(ours), running(served):
        return measured(Client(ours, log_in(ours)), Client(served), Past(file), end_s)


def measured(ours: Client, served: Client, past: Past, end_s: int) -> list[Row]:
    short, long = (end_s - 1000 * EVERY_S, end_s - 1), (end_s - 20 * 86_400, end_s - 1)
    return [
        compared(
            "1,000 points",
            ours.asking(ours_path(short, 1000)),
            served.asking(f"/raw?{span(short)}"),
            lambda: past.raw(*short),
            goal=GOAL,
        ),
        compared(
            "100 buckets",
            ours.asking(ours_path(short, 101, "&bucketed=true&aggregate=avg")),
            served.asking(f"/buckets?{span(short)}"),
            lambda: past.buckets(*short),
        ),
        compared(
            "newest 1,000 of 20 days, with the total",
            ours.asking(ours_path(long, 1000)),
            served.asking(f"/counted?{span(long)}"),
            lambda: past.counted(*long),
            calls=FEW_CALLS,
        ),
    ]


def span(window: tuple[int, int]) -> str:
    return f"start={window[0]}&end={window[1]}"


def ours_path(window: tuple[int, int], limit: int, more: str = "") -> str:
    return f"/api/devices/meter/history?metric={METRIC}&{span(window)}&limit={limit}{more}"


def load(path: Path, end_s: int) -> None:
    """A million points into the only series, all older than the newest."""
    with contextlib.closing(apsw.Connection(str(path))) as db:
        series = db.execute("SELECT id FROM storage_sqlite_series").get
        db.execute(LOAD, (POINTS, series, (end_s - POINTS * EVERY_S) * 1000, EVERY_S * 1000))


class Client:
    """One connection that is kept."""

    def __init__(self, server: Server, token: str = "") -> None:
        self._connection = http.client.HTTPConnection(HOST, server.port, timeout=30)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def asking(self, path: str) -> Ask:
        def ask() -> bytes:
            self._connection.request("GET", path, headers=self._headers)
            answer = self._connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status} {body[:500]!r}")
            return body

        return ask


def compared(what: str, ours: Ask, served: Ask, bare: Ask, *, calls: int = CALLS, goal: float | None = None) -> Row:
    """Take turns, so that all meet the same machine; check that all found as much."""
    counts = [found(call()) for call in (ours, served, bare)]
    if len(set(counts)) > 1:
        raise RuntimeError(f"{what}: not all found as many rows: {counts}")
    times: list[list[float]] = [[], [], []]
    for _ in range(calls):
        for call, own in zip((ours, served, bare), times, strict=True):
            began = time.perf_counter()
            call()
            own.append((time.perf_counter() - began) * 1000)
    ours_ms, served_ms, bare_ms = map(statistics.median, times)
    note = f"{bare_ms:.2f} ms in process; {ours_ms / served_ms:.2f} x the same behind a bare route ({served_ms:.2f} ms)"
    return Row(what=f"history over HTTP: {what}", value=ours_ms, unit="ms", ratio=ours_ms / bare_ms,
               against="same SQL and JSON", goal=goal, note=note)  # fmt: skip


def found(answer: bytes) -> int:
    """How many rows an answer has, inside an envelope or not."""
    data = orjson.loads(answer)["data"]
    return len(data.get("data", data)[METRIC])
