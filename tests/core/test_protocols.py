"""A client that stops reading loses its connection, and with it what waits for it; one that is only slow keeps it."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest
import uvicorn

from neomind_core.host import protocols

CHUNK = b"x" * 65_536


class App:
    """Streams for ever; ``ended`` tells how."""

    def __init__(self):
        self.ended = asyncio.get_running_loop().create_future()

    async def __call__(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        gone = asyncio.ensure_future(self.gone(receive))
        try:
            while not gone.done():
                await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
                await asyncio.sleep(0)
        finally:
            gone.cancel()
        if not self.ended.done():
            self.ended.set_result(None)

    async def gone(self, receive):
        while (await receive())["type"] != "http.disconnect":
            pass


@pytest.fixture
async def served(monkeypatch):
    monkeypatch.setattr(protocols, "STALLED_AFTER_S", 0.2)
    app = App()
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=protocols.Http, lifespan="off", log_config=None))
    task = asyncio.create_task(server._serve([listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.001)
    yield app, listening.getsockname()[1]
    server.should_exit = server.force_exit = True
    await task
    listening.close()


@contextlib.contextmanager
def asking(port):
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        client.setblocking(False)
        yield client


async def test_who_does_not_read_is_cut(served):
    app, port = served
    with asking(port):
        await asyncio.wait_for(app.ended, 10)


async def test_who_reads_slowly_is_not(served):
    app, port = served
    loop = asyncio.get_running_loop()
    with asking(port) as client:
        ends = loop.time() + 1.0
        while loop.time() < ends:
            await loop.sock_recv(client, 4 * len(CHUNK))
            await asyncio.sleep(0.02)
        assert not app.ended.done()
    await asyncio.wait_for(app.ended, 10)
