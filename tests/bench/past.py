"""The least that serves history: Starlette, one connection, the same SQL. ``past.py <port> <database file>``.

``GET /raw|/counted|/buckets?start=<s>&end=<s>``. It asks SQLite in the event loop, which nobody with a second client
could do.
"""

from __future__ import annotations

import sys
from pathlib import Path

import apsw
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

METRIC = "temperature"
BUCKET_S = 30
RAW = """SELECT ts, value FROM storage_sqlite_points WHERE series = ? AND ts BETWEEN ? AND ?
ORDER BY ts DESC LIMIT 1000"""
COUNT = "SELECT count(*) FROM storage_sqlite_points WHERE series = ? AND ts BETWEEN ? AND ?"
BUCKETS = f"""SELECT ts / {BUCKET_S * 1000} * {BUCKET_S}, avg(value), count(*), min(value), max(value), sum(value)
FROM storage_sqlite_points WHERE series = ? AND ts BETWEEN ? AND ? GROUP BY 1 ORDER BY 1"""
NAMES = ("timestamp", "value", "count", "min", "max", "sum")


class Past:
    """A connection to the platform's file, and nothing else."""

    def __init__(self, path: Path) -> None:
        self._db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        self._series = self._db.execute("SELECT id FROM storage_sqlite_series").get

    def raw(self, start_s: int, end_s: int) -> bytes:
        rows = self._db.execute(RAW, (self._series, start_s * 1000, end_s * 1000))
        return orjson.dumps({"data": {METRIC: [{"timestamp": ts / 1000, "value": value} for ts, value in rows]}})

    def counted(self, start_s: int, end_s: int) -> bytes:
        self._db.execute(COUNT, (self._series, start_s * 1000, end_s * 1000)).fetchall()
        return self.raw(start_s, end_s)

    def buckets(self, start_s: int, end_s: int) -> bytes:
        rows = self._db.execute(BUCKETS, (self._series, start_s * 1000, end_s * 1000))
        return orjson.dumps({"data": {METRIC: [dict(zip(NAMES, row, strict=True)) for row in rows]}})


def application(past: Past) -> Starlette:
    async def ask(request: Request) -> Response:
        query = request.query_params
        kind = {"raw": past.raw, "counted": past.counted, "buckets": past.buckets}[request.path_params["kind"]]
        return Response(kind(int(query["start"]), int(query["end"])), media_type="application/json")

    async def health(_request: Request) -> Response:
        return Response(b"{}", media_type="application/json")

    return Starlette(routes=[Route("/health", health), Route("/{kind}", ask)])


if __name__ == "__main__":
    uvicorn.run(
        application(Past(Path(sys.argv[2]))), host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools",
        access_log=False, log_level="warning", lifespan="off",
    )  # fmt: skip
