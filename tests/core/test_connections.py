"""Answers that leave in one write, and connections that are kept, as uvicorn's own protocol would keep them."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest
import uvicorn

from neomind_core.host import protocols

KEEP_ALIVE_S = 0.3


class App:
    """Answers with the method and path; what the path says is special about it."""

    async def __call__(self, scope, receive, send):
        while (await receive()).get("more_body"):
            pass
        path = scope["path"]
        if path == "/broken":
            await send(head(b"1"))
            raise RuntimeError("in between")
        body = f"{scope['method']} {path}".encode()
        if path == "/slow":
            await asyncio.sleep(2 * KEEP_ALIVE_S)
        if path == "/lies":
            body += b"!"
        if path == "/pieces":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"x-kind", b"pieces")]})
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await send({"type": "http.response.body", "body": b"."})
            return
        length = len(body) - (path == "/lies")
        await send(head(b"%d" % length, *([(b"connection", b"close")] if path == "/close" else [])))
        await send({"type": "http.response.body", "body": body})


def head(length, *more):
    return {"type": "http.response.start", "status": 200, "headers": [*more, (b"content-length", length)]}


@pytest.fixture(params=[protocols.Http, "httptools"], ids=["ours", "uvicorn's"])
async def port(request):
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        App(), http=request.param, lifespan="off", log_config=None, timeout_keep_alive=KEEP_ALIVE_S, access_log=False
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve([listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.001)
    yield listening.getsockname()[1]
    server.should_exit = server.force_exit = True
    await task
    listening.close()


@contextlib.asynccontextmanager
async def connected(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


def ask(writer, method, path, *more):
    writer.write("\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *more, "", ""]).encode())


async def answer(reader, *, body=True):
    """The status line, the headers and the body of one answer."""
    top = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in top[1:] if line)
    content = await reader.readexactly(int(headers["content-length"])) if body else b""
    return top[0], headers, content.decode()


async def test_answers_come_in_turn_on_one_connection(port):
    async with connected(port) as (reader, writer):
        for number in range(3):
            ask(writer, "GET", f"/{number}")
            status, headers, body = await answer(reader)
            assert (status, body) == ("HTTP/1.1 200 OK", f"GET /{number}")
            assert {"date", "server", "content-length"} <= set(headers)


async def test_what_was_asked_ahead_is_answered_in_order(port):
    async with connected(port) as (reader, writer):
        for path in ("/slow", "/2", "/3"):
            ask(writer, "GET", path)
        assert [(await answer(reader))[2] for _ in range(3)] == ["GET /slow", "GET /2", "GET /3"]


async def test_a_head_has_no_body(port):
    async with connected(port) as (reader, writer):
        ask(writer, "HEAD", "/a")
        assert (await answer(reader, body=False))[1]["content-length"] == "7"
        ask(writer, "GET", "/b")
        assert (await answer(reader))[2] == "GET /b"


async def test_pieces_come_as_they_are(port):
    async with connected(port) as (reader, writer):
        ask(writer, "GET", "/pieces")
        _, headers, _ = await answer(reader, body=False)
        assert headers["transfer-encoding"] == "chunked"
        assert await reader.readuntil(b"0\r\n\r\n") == b"b\r\nGET /pieces\r\n1\r\n.\r\n0\r\n\r\n"


@pytest.mark.parametrize(("path", "more"), [("/close", ()), ("/a", ("Connection: close",))])
async def test_a_connection_that_shall_end_ends(port, path, more):
    async with connected(port) as (reader, writer):
        ask(writer, "GET", path, *more)
        _, headers, body = await answer(reader)
        assert (headers["connection"], body) == ("close", f"GET {path}")
        assert await asyncio.wait_for(reader.read(), 5) == b""


async def test_an_idle_connection_is_closed_after_a_while(port):
    async with connected(port) as (reader, writer):
        ask(writer, "GET", "/a")
        await answer(reader)
        assert await asyncio.wait_for(reader.read(), 5) == b""


async def test_a_busy_connection_is_not(port):
    async with connected(port) as (reader, writer):
        for path in ("/a", "/slow", "/slow", "/b"):
            ask(writer, "GET", path)
            assert (await answer(reader))[2] == f"GET {path}"


async def test_a_failure_between_head_and_body_is_seen(port):
    async with connected(port) as (reader, writer):
        ask(writer, "GET", "/broken")
        first = await asyncio.wait_for(reader.read(), 5)
        assert b"in between" not in first
        assert not first.endswith(b"GET /broken")


async def test_a_body_that_is_longer_than_its_head_says_is_not_sent(port):
    async with connected(port) as (reader, writer):
        ask(writer, "GET", "/lies")
        assert not (await asyncio.wait_for(reader.read(), 5)).endswith(b"GET /lies!")
