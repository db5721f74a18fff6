"""The floor: what storing before answering costs where nothing else is done. ``floor.py <port> <database file>``."""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
import time
from typing import Any

import apsw
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

MOST = 500
INSERT = """INSERT INTO points SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)"""
waiting: queue.SimpleQueue[tuple[list[Any], asyncio.Future[None]]] = queue.SimpleQueue()
series: dict[str, int] = {}
numbers = iter(range(1 << 62))


def write(path: str) -> None:
    """The one thread that writes: takes what waits, commits it by one statement, tells the callers."""
    db = apsw.Connection(path)
    db.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE points (series, ts, seq, value, PRIMARY KEY (series, ts, seq)) WITHOUT ROWID")
    while True:
        group = [waiting.get()]
        while len(group) < MOST and not waiting.empty():
            group.append(waiting.get())
        db.execute(INSERT, (orjson.dumps([row for rows, _ in group for row in rows]).decode(),))
        group[0][1].get_loop().call_soon_threadsafe(tell, [future for _, future in group])


def tell(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


async def health(_request: Request) -> Response:
    return Response(b"{}", media_type="application/json")


async def webhook(request: Request) -> Response:
    values, device_id, now_ms = orjson.loads(await request.body()), request.path_params["device_id"], time.time_ns()
    names = [f"device:{device_id}:{name}" for name in values]
    rows = [
        (series.setdefault(name, len(series)), now_ms // 1_000_000, next(numbers), value)
        for name, value in zip(names, values.values(), strict=True)
    ]
    future = asyncio.get_running_loop().create_future()
    waiting.put((rows, future))
    await future
    answer = {"success": True, "device_id": device_id, "metrics_received": len(rows)}
    return Response(orjson.dumps(answer), media_type="application/json")


app = Starlette(
    routes=[Route("/health", health), Route("/api/devices/{device_id}/webhook", webhook, methods=["POST"])],
)

if __name__ == "__main__":
    threading.Thread(target=write, args=(sys.argv[2],), daemon=True).start()
    uvicorn.run(
        app, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False,
        log_level="warning", lifespan="off",
    )  # fmt: skip
