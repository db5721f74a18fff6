"""The live stream: one update to many WebSockets, and what a client that stops reading costs the others.

The clients speak just enough of the protocol to see that an update has come, so that they are not what is measured.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import os
import socket
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from processes import HOST, Server, add_device, platform, running, set_up
from table import Row

MANY = 200
FEW = 100
UPDATES = 60
PADDING = "x" * 16_384
WAIT_S = 20.0
GOAL = 1.5


class Client(asyncio.Protocol):
    """A WebSocket that knows which update it saw last."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._wanted = b""
        self._tail = b""
        self._seen: asyncio.Future[float] | None = None
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(handshake(self._token))

    def data_received(self, data: bytes) -> None:
        found = self._tail + data
        if not self.open.done() and b"Authenticated" in found:
            self.open.set_result(None)
        if self._seen is not None and not self._seen.done() and self._wanted in found:
            self._seen.set_result(time.perf_counter())
        self._tail = found[-64:]

    def expect(self, marker: bytes) -> asyncio.Future[float]:
        self._wanted, self._tail = marker, b""
        self._seen = asyncio.get_running_loop().create_future()
        return self._seen


def handshake(token: str) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = (
        f"GET /api/events?category=device&token={token} HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def benchmark(folder: Path) -> list[Row]:
    """The last of 200 clients; and the 99th percentile of 100 with and without one that does not read."""
    ours = platform(folder / "live")
    with running(ours):
        token = set_up(ours)
        add_device(ours, token, "lamp", ["state"], store_raw=False)
        many = asyncio.run(spread(ours, token, MANY, padding=""))
        plain, beside = asyncio.run(compared(ours, token))
    last = [max(times) for times in many]
    slowed = percentile(beside) / percentile(plain)
    return [
        Row(what=f"update to {MANY} WebSockets, last one, median", value=statistics.median(last), unit="ms"),
        Row(
            what=f"update to {FEW} WebSockets beside one that does not read, p99",
            value=percentile(beside),
            unit="ms",
            ratio=slowed,
            against="without it",
            goal=GOAL,
            note=f"without it {percentile(plain):.1f} ms",
        ),
    ]


async def compared(server: Server, token: str) -> tuple[list[float], list[float]]:
    plain = [one for times in await spread(server, token, FEW, padding=PADDING) for one in times]
    with socket.create_connection((HOST, server.port)) as deaf:
        deaf.sendall(handshake(token))
        beside = [one for times in await spread(server, token, FEW, padding=PADDING) for one in times]
    return plain, beside


async def spread(server: Server, token: str, number: int, *, padding: str) -> list[list[float]]:
    """Per update the milliseconds until each client had it, from before it was posted."""
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: Client(token), HOST, server.port) for _ in range(number)]
    clients = [client for _, client in made]
    await asyncio.wait_for(asyncio.gather(*(client.open for client in clients)), WAIT_S)
    device, found = http.client.HTTPConnection(HOST, server.port, timeout=WAIT_S), []
    for update in range(UPDATES):
        found.append(await one_update(device, clients, f"update-{number}-{update}.", padding))
    for client in clients:
        client.transport.abort()
    device.close()
    return found


async def one_update(
    device: http.client.HTTPConnection, clients: Sequence[Client], marker: str, padding: str
) -> list[float]:
    waiting = [client.expect(marker.encode()) for client in clients]
    began = time.perf_counter()
    await asyncio.to_thread(post, device, {"state": marker + padding})
    seen = await asyncio.wait_for(asyncio.gather(*waiting), WAIT_S)
    await asyncio.sleep(0.06)  # the next update finds no batch open
    return [(at - began) * 1000 for at in seen]


def post(device: http.client.HTTPConnection, body: dict[str, str]) -> None:
    device.request("POST", "/api/devices/lamp/webhook", json.dumps(body), {"Content-Type": "application/json"})
    answer = device.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"the update was answered {answer.status}")


def percentile(values: Sequence[float]) -> float:
    """The 99th."""
    return statistics.quantiles(values, n=100)[98]
