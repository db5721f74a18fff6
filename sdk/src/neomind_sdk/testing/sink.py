"""A local HTTP server that keeps every request byte for byte and answers as it is told, and the real way to reach it.

    async with Sink() as sink, real_egress() as egress:
        sink.answer(503).answer(200, body="ok")
        await egress.request("POST", f"{sink.url}/hook", trust=ADMIN_TARGET, json={"a": 1})
        assert sink.requests[0].target == "/hook"
        assert sink.requests[0].body == b'{"a":1}'

``FakeEgress`` shows what was meant to be sent; this shows what arrives.
"""

from __future__ import annotations

import asyncio
import json as jsonlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs

from neomind_core.contracts import Egress

Script = bytes | None


@attrs.frozen(kw_only=True)
class Arrived:
    """A request as it came over the wire: ``head`` up to the empty line, ``body`` after it."""

    head: bytes
    body: bytes

    @property
    def method(self) -> str:
        return self.head.split(b" ", 1)[0].decode("ascii")

    @property
    def target(self) -> str:
        """Path and query, encoded as they were sent."""
        return self.head.split(b" ", 2)[1].decode("ascii")

    @property
    def headers(self) -> dict[str, str]:
        """Names in lower case."""
        lines = (line.partition(":") for line in self.head.decode("latin-1").split("\r\n")[1:] if line)
        return {name.lower(): value.strip() for name, _, value in lines}

    def json(self) -> Any:
        """The body as JSON."""
        return jsonlib.loads(self.body)


class Sink:
    """Listens on a free port of loopback while its ``async with`` lasts.

    Answers are given in the order in which they were scripted; the last one stays. Nothing scripted: 200, empty.
    ``requests`` are what arrived.
    """

    def __init__(self) -> None:
        self.requests: list[Arrived] = []
        self.url = ""
        self._script: list[Script] = []
        self._last: Script = _response(200, {}, b"")
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    def answer(
        self, status: int = 200, *, headers: Mapping[str, str] | None = None, body: bytes | str = b"", json: Any = None
    ) -> Sink:
        """Script an answer; ``json`` instead of ``body``."""
        raw = jsonlib.dumps(json).encode() if json is not None else body.encode() if isinstance(body, str) else body
        self._script.append(_response(status, headers or {}, raw))
        return self

    def hang(self) -> Sink:
        """Script a request that gets no answer while the sink is there."""
        self._script.append(None)
        return self

    async def __aenter__(self) -> Sink:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._server is not None:
            self._server.close()
            for writer in self._open:
                writer.transport.abort()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while True:
                self.requests.append(await _read(reader))
                self._last = self._script.pop(0) if self._script else self._last
                if self._last is not None:
                    writer.write(self._last)
                    await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            self._open.discard(writer)
            writer.close()


@asynccontextmanager
async def real_egress() -> AsyncIterator[Egress]:
    """The ``Egress`` of the platform as it is, with no exceptions configured."""
    from neomind_core.host.egress import HttpEgress
    from neomind_core.host.egress_policy import EgressConfig

    egress = HttpEgress(EgressConfig(), lambda: ("127.0.0.1", 9))
    try:
        yield egress
    finally:
        await egress.close()


async def _read(reader: asyncio.StreamReader) -> Arrived:
    head = await reader.readuntil(b"\r\n\r\n")
    request = Arrived(head=head, body=b"")
    size = int(request.headers.get("content-length", "0"))
    return attrs.evolve(request, body=await reader.readexactly(size))


def _response(status: int, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode("latin-1") + body
