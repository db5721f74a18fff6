"""A load generator: keeps some connections busy with one request after another, for a number of seconds.

``load.py <port> <path> <connections> <seconds>`` prints one line of JSON. It speaks HTTP/1.1 by
itself, with as little work as it can: on few processors a client that is slow measures itself.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

import uvloop
from processes import HOST

MAX_REQUESTS = 1_000_000
WARM_UP_S = 0.5
LATE_S = 5.0


class Load:
    """What all connections count together."""

    def __init__(self, path: str, seconds: float) -> None:
        self.head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n".encode()
        self.begin = time.perf_counter() + WARM_UP_S
        self.end = self.begin + seconds
        self.latencies: list[float] = []
        self.failed: dict[str, int] = {}
        self.numbers = self.answers = 0

    def request(self) -> bytes | None:
        """The next request; ``None`` when the time is over."""
        if time.perf_counter() > self.end or self.numbers > MAX_REQUESTS:
            return None
        self.numbers += 1
        body = b'{"temperature":21.5,"humidity":%d,"number":%d}' % (self.numbers % 100, self.numbers)
        return b"%sContent-Length: %d\r\n\r\n%s" % (self.head, len(body), body)

    def answered(self, status: bytes, began: float) -> None:
        now = time.perf_counter()
        self.answers += 1
        if status != b"200":
            self.failed[status.decode()] = self.failed.get(status.decode(), 0) + 1
        elif began >= self.begin and now <= self.end:
            self.latencies.append(now - began)


class Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = b""
        self._began = 0.0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, blank, rest = self._buffer.partition(b"\r\n\r\n")
        if blank and len(rest) >= _length(head):
            self._buffer = b""
            self._load.answered(head[9:12], self._began)
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.over.done():
            self._load.failed["lost"] = self._load.failed.get("lost", 0) + 1
            self.over.set_result(None)

    def _next(self) -> None:
        request = self._load.request()
        self._began = time.perf_counter()
        if request is not None:
            self._transport.write(request)
        elif not self.over.done():
            self.over.set_result(None)
            self._transport.close()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def measure(port: int, path: str, connections: int, seconds: float) -> dict[str, object]:
    """Run the load; rates per second, times in milliseconds."""
    load, loop = Load(path, seconds), asyncio.get_running_loop()
    opened = [await loop.create_connection(lambda: Connection(load), HOST, port) for _ in range(connections)]
    await asyncio.wait([protocol.over for _, protocol in opened], timeout=WARM_UP_S + seconds + LATE_S)
    times = sorted(load.latencies) or [0.0]
    return {
        "answered": load.answers,
        "rate": len(load.latencies) / seconds,
        "p50_ms": times[len(times) // 2] * 1000,
        "p99_ms": times[int(len(times) * 0.99)] * 1000,
        "failed": load.failed,
    }


if __name__ == "__main__":
    port, path, connections, seconds = sys.argv[1:]
    print(json.dumps(uvloop.run(measure(int(port), path, int(connections), float(seconds)))))
