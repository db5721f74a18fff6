"""How answers go out: streams, compression, pages of other origins."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import httpx2
import pytest

from neomind_core.host.config import HostConfig
from neomind_core.host.http import sending
from neomind_core.host.http.app import HttpConfig
from neomind_sdk import BadRequest, Raw

LARGE = {"text": "abc" * 3000}


def giving(value: Any) -> Any:
    async def handler(_request: Any) -> Any:
        return value

    return handler


class Stream:
    """An async iterator that remembers whether it was closed."""

    def __init__(self, chunks: Any, then: Any = None) -> None:
        self._chunks = iter(chunks)
        self._then = then
        self.closed = 0
        self.waiting, self.left = asyncio.Event(), asyncio.Event()

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> bytes:
        for chunk in self._chunks:
            return chunk
        if isinstance(self._then, BaseException):
            raise self._then
        if self._then == "wait":
            self.waiting.set()
            await asyncio.Event().wait()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed += 1
        self.left.set()


def streamed(stream: Any) -> Any:
    return giving(Raw(content=stream, media_type="text/event-stream"))


# ---- outside the envelope ----


async def test_bytes(edge):
    raw = Raw(content=b"\x89PNG", media_type="image/png", status=203, headers={"Cache-Control": "no-store"})
    async with edge.serving(edge.route(giving(raw))) as host:
        answer = await host.client(None).get("/api/trial")
    assert (answer.status_code, answer.content) == (203, b"\x89PNG")
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("image/png", "no-store")
    assert answer.headers["content-length"] == "4"


async def test_headers_are_there_once_and_tell_no_lies(edge):
    lies = {
        "Content-Length": "99",
        "Transfer-Encoding": "chunked",
        "X-Content-Type-Options": "nosniff",
        "x-a": "1",
        "X-A": "2",
    }
    async with edge.serving(edge.route(giving(Raw(content=b"abc", media_type="text/plain", headers=lies)))) as host:
        told = await edge.tell(host, edge.scope(), b"")
        async with host.served() as url, httpx2.AsyncClient(base_url=url) as client:
            assert (await client.get("/api/trial")).text == "abc"
    names = [name for name, _ in told.messages[0]["headers"]]
    assert len(names) == len(set(names))
    assert told.headers[b"content-length"] == b"3"
    assert (told.headers[b"x-content-type-options"], told.headers[b"x-a"]) == (b"nosniff", b"2")
    assert b"transfer-encoding" not in told.headers


async def test_a_stream(edge):
    stream = Stream([b"a", b"", b"b" * 5000])
    async with edge.serving(edge.route(streamed(stream))) as host:
        told = await edge.tell(host, edge.scope(), b"", receive=_silent)
    assert (told.status, told.body, told.complete) == (200, b"a" + b"b" * 5000, True)
    assert told.headers[b"content-type"] == b"text/event-stream"
    assert b"content-length" not in told.headers
    assert stream.closed == 1


async def _silent() -> dict[str, Any]:
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_generator(edge):
    ended = []

    async def chunks():
        try:
            for number in range(3):
                yield b"%d" % number
        finally:
            ended.append(True)

    async with edge.serving(edge.route(streamed(chunks()))) as host:
        assert (await host.client(None).get("/api/trial")).text == "012"
    assert ended == [True]


async def test_chunks_go_out_as_they_come(edge):
    more = asyncio.Event()

    async def chunks():
        yield b"first"
        await more.wait()
        yield b"second"

    async with edge.serving(edge.route(streamed(chunks()))) as host, host.served() as url:
        headers = {"accept-encoding": "gzip"}
        async with (
            httpx2.AsyncClient(base_url=url, headers=headers, timeout=10) as client,
            client.stream("GET", "/api/trial") as answer,
        ):
            parts = answer.aiter_bytes()
            assert await anext(parts) == b"first"
            more.set()
            assert await anext(parts) == b"second"


async def test_a_client_that_leaves_in_the_middle(edge, logged):
    stream = Stream([b"a"], then="wait")
    async with edge.serving(edge.route(streamed(stream))) as host, host.served() as url:
        async with httpx2.AsyncClient(base_url=url) as client, client.stream("GET", "/api/trial") as answer:
            assert await anext(answer.aiter_bytes()) == b"a"
        await asyncio.wait_for(stream.left.wait(), 10)
    assert stream.closed == 1
    assert [event for event in logged if event["log_level"] == "error"] == []


async def test_a_client_that_leaves_a_generator(edge):
    ended = asyncio.Event()

    async def chunks():
        try:
            while True:
                yield b"x"
                await asyncio.sleep(0)
        finally:
            ended.set()

    async with edge.serving(edge.route(streamed(chunks()))) as host, host.served() as url:
        async with httpx2.AsyncClient(base_url=url) as client, client.stream("GET", "/api/trial") as answer:
            await anext(answer.aiter_bytes())
        await asyncio.wait_for(ended.wait(), 10)


@pytest.mark.parametrize("error", [RuntimeError("broken"), OSError("disk"), SystemExit(1), "not bytes"])
async def test_a_stream_that_breaks_does_not_look_whole(edge, logged, error):
    stream = Stream([b"a", error], None) if isinstance(error, str) else Stream([b"a"], error)
    async with (
        edge.serving(edge.route(streamed(stream))) as host,
        host.served() as url,
        httpx2.AsyncClient(base_url=url) as client,
    ):
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.get("/api/trial")
        assert (await client.get("/api/nothing")).status_code == 404
    assert stream.closed == 1
    assert [event["event"] for event in logged if event["log_level"] == "error"] == ["stream_failed"]


async def test_a_server_that_has_lost_the_client(edge, logged):
    stream = Stream([b"a", b"b"])

    async def send(message):
        if message["type"] == "http.response.body":
            raise OSError

    async with edge.serving(edge.route(streamed(stream))) as host:
        await host.host.api(edge.scope(), _silent, send)
    assert stream.closed == 1
    assert [event for event in logged if event["log_level"] == "error"] == []


async def test_head_of_a_stream(edge):
    stream = Stream([b"a"], then="wait")
    async with edge.serving(edge.route(streamed(stream))) as host:
        answer = await host.client(None).head("/api/trial")
    assert (answer.status_code, answer.content, stream.closed) == (200, b"", 1)


async def test_a_stream_is_closed_when_the_server_gives_up(edge):
    stream = Stream([b"a"], then="wait")
    async with edge.serving(edge.route(streamed(stream))) as host:
        task = asyncio.create_task(edge.tell(host, edge.scope(), receive=_silent))
        await stream.waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert stream.closed == 1


async def test_a_stream_may_last_longer_than_the_deadline(edge):
    async def chunks():
        await asyncio.sleep(0.1)
        yield b"late"

    async with edge.serving(edge.route(streamed(chunks()), deadline_s=0.02)) as host:
        assert (await host.client(None).get("/api/trial")).text == "late"


# ---- compression ----


@pytest.mark.parametrize(
    ("asked", "packed"),
    [
        (None, False),
        (b"", False),
        (b"identity", False),
        (b"br, deflate", False),
        (b"gzip;q=0", False),
        (b"gzip;q=0.000", False),
        (b"gzip", True),
        (b"GZIP", True),
        (b"br, gzip ; q=0.5", True),
        (b"deflate,gzip;q=1.0", True),
    ],
)
async def test_compressed_for_who_asks(edge, asked, packed):
    headers = [] if asked is None else [(b"accept-encoding", asked)]
    async with edge.serving(edge.route(giving(LARGE))) as host:
        told = await edge.tell(host, edge.scope(headers=headers), b"")
    body = gzip.decompress(told.body) if packed else told.body
    assert json.loads(body)["data"] == LARGE
    assert (b"content-encoding" in told.headers) == packed
    assert told.headers[b"content-length"] == b"%d" % len(told.body)
    assert told.headers[b"vary"] == b"accept-encoding"


@pytest.mark.parametrize("size", [10, sending.IN_THREAD_FROM + 10])
async def test_sizes(edge, size):
    async with edge.serving(edge.route(giving("x" * size))) as host:
        told = await edge.tell(host, edge.scope(headers=[(b"accept-encoding", b"gzip")]), b"")
    assert (b"content-encoding" in told.headers) == (size > 2048)
    body = gzip.decompress(told.body) if size > 2048 else told.body
    assert json.loads(body)["data"] == "x" * size


@pytest.mark.parametrize(
    "more", [{"media_type": "image/png"}, {"media_type": "text/plain", "headers": {"Content-Encoding": "br"}}]
)
async def test_what_is_packed_already(edge, more):
    async with edge.serving(edge.route(giving(Raw(content=b"x" * 9999, **more)))) as host:
        told = await edge.tell(host, edge.scope(headers=[(b"accept-encoding", b"gzip")]), b"")
    assert told.body == b"x" * 9999


async def test_an_error_is_compressed_too(edge):
    async def handler(request):
        raise BadRequest("x" * 5000)

    async with edge.serving(edge.route(handler)) as host:
        answer = await host.client(None).get("/api/trial")
    assert (answer.status_code, answer.headers["content-encoding"]) == (400, "gzip")
    assert answer.json()["error"]["message"] == "x" * 5000


# ---- other origins ----

ORIGIN = {"origin": "https://console.example"}
PREFLIGHT = {**ORIGIN, "access-control-request-method": "PUT", "access-control-request-headers": "authorization"}


def names(answer: Any) -> set[str]:
    return {name for name in answer.headers if name.startswith("access-control-")}


async def test_closed_by_default(edge, answered):
    async with edge.serving(edge.route(giving(1))) as host:
        client = host.client(None)
        got, preflight = (
            await client.get("/api/trial", headers=ORIGIN),
            await client.options("/api/trial", headers=PREFLIGHT),
        )
    assert (names(got), names(preflight)) == (set(), set())
    assert answered(preflight) == (405, "METHOD_NOT_ALLOWED")


@pytest.fixture
async def open_host(edge):
    config = HostConfig(http=HttpConfig(cors_origins=["https://console.example"]))
    async with edge.serving(edge.route(giving(LARGE)), config=config) as host:
        yield host


async def test_open_for_the_origins_that_are_named(open_host):
    client = open_host.client(None)
    for path, status in (("/api/trial", 200), ("/api/nothing", 404)):
        answer = await client.get(path, headers=ORIGIN)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, ORIGIN["origin"])
        assert "Retry-After" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answer.headers
    assert {
        part.strip().lower() for part in (await client.get("/api/trial", headers=ORIGIN)).headers["vary"].split(",")
    } == {
        "origin",
        "accept-encoding",
    }
    preflight = await client.options("/api/trial", headers=PREFLIGHT)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, ORIGIN["origin"])
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert preflight.headers["access-control-allow-headers"] == "authorization"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://console.example.evil.example", "null", "http://console.example"]
)
async def test_closed_for_all_others(open_host, origin):
    client = open_host.client(None)
    assert "access-control-allow-origin" not in (await client.get("/api/trial", headers={"origin": origin})).headers
    preflight = await client.options("/api/trial", headers={**PREFLIGHT, "origin": origin})
    assert preflight.status_code == 400
    assert "access-control-allow-origin" not in preflight.headers
