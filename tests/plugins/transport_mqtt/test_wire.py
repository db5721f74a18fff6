"""The connection itself, against a broker made of bytes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from neomind_plugins.transport_mqtt import wire
from neomind_plugins.transport_mqtt.packets import DISCONNECT, PING, Login
from neomind_plugins.transport_mqtt.seam import Target

ACCEPTED, SESSION = b"\x20\x02\x00\x00", b"\x20\x02\x01\x00"
LOGIN = Login(client_id="me", keep_alive_s=10)


class Peer:
    """What came in, and a way to answer."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.heard = bytearray()
        self.changed = asyncio.Event()
        self.writer: asyncio.StreamWriter | None = None

    async def serve(self, reader, writer):
        self.writer = writer
        while data := await reader.read(65_536):
            if not self.heard:
                writer.write(self.answer)
            self.heard += data
            self.changed.set()
        writer.close()

    async def until(self, text: bytes) -> None:
        async with asyncio.timeout(5):
            while text not in self.heard:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def peer(answer=ACCEPTED):
    one = Peer(answer)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.target = Target(host="127.0.0.1", port=server.sockets[0].getsockname()[1], login=LOGIN)
    try:
        yield one
    finally:
        server.close()
        if one.writer is not None:
            one.writer.close()


async def connected(one, received=lambda _messages: None):
    return await wire.connect(one.target, received)


@pytest.mark.parametrize(("answer", "present"), [(ACCEPTED, False), (SESSION, True)])
async def test_whether_the_session_was_kept(answer, present):
    async with peer(answer) as one:
        connection = await connected(one)
        assert connection.session_present is present
        await connection.close()
        await one.until(DISCONNECT)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 99])
async def test_a_refusal_is_told_in_words(code):
    async with peer(bytes((0x20, 2, 0, code))) as one:
        with pytest.raises(wire.Refused, match=wire.REFUSALS.get(code, "code 99")):
            await connected(one)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x00", b"\xf0\x00", b"\x30\x01\x00"])
async def test_who_does_not_speak_mqtt(answer, monkeypatch):
    monkeypatch.setattr(wire, "CONNECT_S", 0.3)
    async with peer(answer) as one:
        with pytest.raises(ConnectionError):
            await connected(one)


async def test_who_says_nothing(monkeypatch):
    monkeypatch.setattr(wire, "CONNECT_S", 0.1)
    async with peer(b"") as one:
        with pytest.raises(ConnectionError, match="did not answer"):
            await connected(one)


async def test_messages_that_come_with_the_acceptance_are_not_lost():
    got = []
    async with peer(SESSION + b"\x32\x06\x00\x01a\x00\x07x") as one:
        connection = await connected(one, got.extend)
        assert [(message.topic, message.payload, message.packet_id) for message in got] == [(b"a", b"x", 7)]
        connection.ack([7])
        await one.until(b"\x40\x02\x00\x07")
        await connection.close()


async def test_the_broker_is_told_that_we_are_here():
    async with peer() as one:
        connection = await connected(one)
        await one.until(PING)
        await connection.close()


async def test_a_broker_that_falls_silent_is_given_up(monkeypatch):
    async with peer() as one:
        connection = await connected(one)
        connection._heard -= 1000
        connection._ping()
        assert "silent" in await asyncio.wait_for(connection.closed(), 1)


async def test_while_nothing_is_read_nobody_is_silent():
    async with peer() as one:
        connection = await connected(one)
        connection.pause()
        connection._heard -= 1000
        connection._ping()
        assert not connection._lost.done()
        connection.resume()
        connection._ping()
        assert not connection._lost.done()
        await connection.close()


async def test_questions_of_a_connection_that_is_lost_are_answered():
    async with peer() as one:
        connection = await connected(one)
        asking = asyncio.create_task(connection.publish("a", b"x"))
        await one.until(b"\x00\x01a")
        one.writer.transport.abort()
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(asking, 5)
        with pytest.raises(ConnectionError, match="no connection"):
            await connection.subscribe([("a", 1)])
        connection.ack([1])
        await connection.close()


async def test_a_subscription_that_is_not_granted():
    async with peer() as one:
        connection = await connected(one)
        asking = asyncio.create_task(connection.subscribe([("a", 1), ("b", 1)]))
        await one.until(b"\x00\x01b")
        one.writer.write(b"\x90\x04\x00\x01\x01\x80")
        assert await asyncio.wait_for(asking, 5) == [True, False]
        await connection.close()
