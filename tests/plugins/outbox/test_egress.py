"""Against a real socket: what receivers of webhooks do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from neomind_core.host.clock import SystemClock
from neomind_sdk import ADMIN_TARGET, Delivery
from neomind_sdk.signing import new_secret, signed, verify

from .conftest import Receiver, World


@asynccontextmanager
async def sink(answer: Callable[[asyncio.StreamWriter, bytes, bytes], Any]) -> AsyncIterator[str]:
    """An HTTP server that hands each request's head and body to ``answer``; gives its URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
                await answer(writer, head, await reader.readexactly(length))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()


def posts_to(url: str, secret: str | None = None) -> Any:
    async def post(order: Any, tools: Any) -> Delivery:
        body = b'{"n": %d}' % order.payload["n"]
        headers = signed(tools, secret, body) if secret else tools.headers
        answer = await tools.egress.request("POST", url, headers=headers, content=body, trust=ADMIN_TARGET)
        return Delivery.of(answer, tools.clock.now_ms())

    return post


async def say(writer: asyncio.StreamWriter, status: str, *headers: str) -> None:
    writer.write("\r\n".join([f"HTTP/1.1 {status}", "content-length: 0", *headers, "", ""]).encode())


async def test_a_receiver_can_verify_what_it_gets(world: World, receiver: Receiver) -> None:
    secret, seen = new_secret(), []

    async def answer(writer: asyncio.StreamWriter, head: bytes, body: bytes) -> None:
        lines = head.decode().lower().split("\r\n")[1:-2]
        headers = dict(line.split(": ", 1) for line in lines)
        original = head.decode().partition("webhook-signature: ")[2].partition("\r\n")[0]
        delivery_id = head.decode().partition("webhook-id: ")[2].partition("\r\n")[0]
        at_s = int(headers["webhook-timestamp"])
        seen.append((delivery_id, verify(secret, delivery_id, at_s, body, original, now_s=at_s)))
        await say(writer, "204 No Content")

    async with sink(answer) as url:
        receiver.answers("a", posts_to(url, secret))
        ids = await world.put(1, 2)
        await world.until(lambda: len(receiver.ended) == 2)
        assert seen == [(delivery_id, True) for delivery_id in ids]


async def test_an_answer_without_end_is_a_failed_attempt(world: World, receiver: Receiver) -> None:
    async def endless(writer: asyncio.StreamWriter, head: bytes, body: bytes) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 10000000000\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async def good(writer: asyncio.StreamWriter, head: bytes, body: bytes) -> None:
        await say(writer, "200 OK")

    async with sink(endless) as url, sink(good) as other:
        receiver.answers("a", posts_to(url))
        receiver.answers("b", posts_to(other))
        (delivery_id,) = await world.put(1)
        await world.put(*range(20), lane="b")
        await world.until(lambda: len(receiver.ended) == 20)
        record = await world.noted(delivery_id)
        assert (record.state, record.attempts) == ("pending", 1)
        assert "bytes" in record.detail


async def test_statuses_of_a_real_receiver(start: Any, receiver: Receiver) -> None:
    statuses = ["500 Oops", "503 Busy", "200 OK"]

    async def answer(writer: asyncio.StreamWriter, head: bytes, body: bytes) -> None:
        await say(writer, statuses.pop(0), "retry-after: 0")

    quick = {"backoff_s": 0.02, "host": {"clock": SystemClock()}}
    async with sink(answer) as url, start(**quick) as world:
        receiver.answers("a", posts_to(url))
        (delivery_id,) = await world.put(1)
        await world.until(lambda: receiver.ended)
        assert await world.state(delivery_id) == ("delivered", 3, "HTTP 200")
        assert receiver.ids() == [delivery_id] * 3


async def test_a_refused_connection_is_a_failed_attempt(world: World, receiver: Receiver) -> None:
    async def never(writer: asyncio.StreamWriter, head: bytes, body: bytes) -> None:
        raise AssertionError

    async with sink(never) as url:
        pass
    receiver.answers("a", posts_to(url))
    (delivery_id,) = await world.put(1)
    record = await world.noted(delivery_id)
    assert (record.state, record.attempts) == ("pending", 1)
