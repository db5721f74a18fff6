"""Servers on loopback, a resolver with a table, and a dialer that leads every address to one of the servers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest

from neomind_core.host.egress import HttpEgress
from neomind_core.host.egress_policy import EgressConfig

OWN_PORT = 9375
Handle = Callable[["Received", asyncio.StreamWriter], Awaitable[None]]


@attrs.frozen
class Received:
    """A request as it came over the wire."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@attrs.define
class Server:
    """An HTTP server for one test: ``handle`` writes the answer by hand; ``received`` is what came."""

    handle: Handle | None = None
    received: list[Received] = attrs.field(factory=list)
    reader: asyncio.StreamReader | None = None
    connections: int = 0
    port: int = 0

    def answer(self, status: int = 200, body: bytes = b"ok", **headers: str) -> None:
        async def handle(_request: Received, writer: asyncio.StreamWriter) -> None:
            lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
            head = "\r\n".join([f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *lines])
            writer.write(head.encode("latin-1") + b"\r\n\r\n" + body)

        self.handle = handle

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.reader = reader
        try:
            while (request := await _read(reader)) is not None:
                self.received.append(request)
                await self.handle(request, writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Received | None:
    start = (await reader.readline()).decode("latin-1").split()
    if not start:
        return None
    headers: dict[str, str] = {}
    while line := (await reader.readline()).decode("utf-8").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(start[0], start[1], headers, body)


@asynccontextmanager
async def running(ssl: Any = None) -> AsyncIterator[Server]:
    server = Server()
    server.answer()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=ssl)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()  # and no more: from 3.12 on, waiting for it would wait for connections that are kept alive


@attrs.define
class Names:
    """A resolver that asks nobody: a table of names, and the system's own reading of numbers such as ``0x7f.1``."""

    table: dict[str, list[str]] = attrs.field(factory=dict)
    asked: list[str] = attrs.field(factory=list)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host in self.table:
            return self.table[host]
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return [str(info[4][0]) for info in found]


@attrs.define
class Detour:
    """Records which address was dialed, and leads to the server that stands for it; others are refused."""

    to: dict[str, int] = attrs.field(factory=dict)
    dialed: list[tuple[str, int]] = attrs.field(factory=list)

    async def connect_tcp(self, host: str, port: int, **options: Any) -> Any:
        import httpcore2

        self.dialed.append((host, port))
        if host not in self.to:
            raise httpcore2.ConnectError("Connection refused")
        return await httpcore2.AnyIOBackend().connect_tcp("127.0.0.1", self.to[host], **options)


@pytest.fixture
def start_server() -> Callable[..., Any]:
    return running


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running() as started:
        yield started


@pytest.fixture
async def other() -> AsyncIterator[Server]:
    async with running() as started:
        yield started


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def detour() -> Detour:
    return Detour()


@pytest.fixture
async def make_egress(names: Names, detour: Detour) -> AsyncIterator[Callable[..., HttpEgress]]:
    made: list[HttpEgress] = []

    def make(
        *, allow: Sequence[str] = (), own: tuple[str, int] = ("0.0.0.0", OWN_PORT), direct: bool = False
    ) -> HttpEgress:
        backend = None if direct else detour
        made.append(HttpEgress(EgressConfig(allow=list(allow)), lambda: own, resolve=names, backend=backend))
        return made[-1]

    yield make
    for egress in made:
        await egress.close()
