"""A client that does not read: it is told, then cut, and nobody else notices."""

from __future__ import annotations

import asyncio
import socket
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

import pytest

from neomind_sdk import CustomPublished

from .conftest import Client, Served, stored, until

HANDSHAKE = (
    "GET /api/events?token=vic HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SSE = "GET /api/events?token=vic HTTP/1.1\r\nHost: localhost\r\n\r\n"
BIG = CustomPublished(custom_type="big", data="x" * 50_000)
ROUNDS = 60


@pytest.fixture(autouse=True)
def no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every event at once: what is measured here is not how long one waits for company."""
    monkeypatch.setattr("neomind_plugins.realtime.groups.WINDOW_S", 0.0)


@asynccontextmanager
async def deaf(served: Served, request: str) -> AsyncIterator[Any]:
    """A stream whose client never reads; gives the server's end of it."""
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        host, port = served.url.removeprefix("http://").split(":")
        await asyncio.get_running_loop().sock_connect(raw, (host, int(port)))
        await asyncio.get_running_loop().sock_sendall(raw, request.encode())
        await until(lambda: len(served.streams) == 2)
        yield served.streams[-1]


async def stuff(served: Served, client: Client, stream: Any) -> None:
    """Publish until the deaf client's window is full; the other client reads along."""
    for _ in range(400):
        served.publish(BIG)
        await client.event()
        if stream.outbox.waiting > 3:
            return
    raise AssertionError("the window never filled")


async def delays(served: Served, client: Client) -> list[float]:
    """How long events take to a client, in seconds."""
    found = []
    for number in range(ROUNDS):
        began = perf_counter()
        served.publish(stored(number))
        event = await client.event()
        found.append(perf_counter() - began)
        assert event["data"]["value"] == number
    return found


@pytest.mark.parametrize("request_text", [HANDSHAKE, SSE], ids=["websocket", "sse"])
async def test_nobody_else_notices(served: Served, request_text: str) -> None:
    client = await served.socket()
    before = await delays(served, client)
    async with deaf(served, request_text) as stream:
        await stuff(served, client, stream)
        during = await delays(served, client)
        # Who waited for the deaf client would wait for ever; the factor is for the noise of the machine.
        assert statistics.median(during) < 5 * statistics.median(before)
        assert stream.outbox.busy_since is not None
        await served.host.clock.advance(31)
        assert served.streams != []
        assert stream not in served.streams
        served.publish(stored("still here"))
        assert (await client.event())["data"]["value"] == "still here"


async def test_memory_is_bounded_and_the_newest_values_come_when_it_reads_again(served: Served) -> None:
    client, slow = await served.socket(), await served.socket("token=vic", max_queue=1)
    stream = served.streams[-1]
    await stuff(served, client, stream)
    for number in range(300):
        served.publish(BIG, stored(number, device=f"d{number % 3}"))
        await client.events(2)
    held = stream.outbox._bytes + (stream.outbox._backlog._bytes if stream.outbox._backlog else 0)
    assert held < 1.2 * 1024 * 1024
    assert stream.outbox.waiting <= 1000
    found: list[dict[str, Any]] = []
    while not found or found[-1].get("data", {}).get("value") != 299:
        frame = await slow.frame()
        found += frame.get("events", [frame])
    lagged = [one["dropped"] for one in found if one["type"] == "Lagged"]
    values = {one["data"]["device_id"]: one["data"]["value"] for one in found if one["type"] == "DeviceMetric"}
    assert lagged
    assert sum(lagged) > 100
    assert values == {"d0": 297, "d1": 298, "d2": 299}
    seqs = [one["seq"] for one in found if "seq" in one]
    assert seqs == sorted(seqs)
