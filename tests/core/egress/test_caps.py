"""Answers that never end, never come, or are no HTTP: one sentence within the time that was given, and no retry."""

from __future__ import annotations

import asyncio
import time

import pytest

from neomind_core.contracts import ADMIN_TARGET, EgressFailed

SHORT_S = 0.3


@pytest.fixture
def egress(make_egress):
    return make_egress(direct=True)


@pytest.fixture
def ask(egress, server):
    async def send(**options):
        started = time.monotonic()
        try:
            return await egress.request(
                "POST", f"http://127.0.0.1:{server.port}/secret-in-path", trust=ADMIN_TARGET, **options
            )
        finally:
            assert time.monotonic() - started < options.get("timeout_s", 30) + 2

    return send


async def _drip(writer, piece, every_s):
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(every_s)


async def hang(_request, _writer):
    await asyncio.sleep(60)


async def slow_head(_request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\n")
    await _drip(writer, b"x-more: 1\r\n", 0.02)


async def slow_body(_request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    await _drip(writer, b"x", 0.02)


async def endless_informational(_request, writer):
    await _drip(writer, b"HTTP/1.1 100 Continue\r\n\r\n", 0.01)


@pytest.mark.parametrize("handle", [hang, slow_head, slow_body, endless_informational])
async def test_the_time_counts_for_the_whole_request(ask, server, handle):
    server.handle = handle
    with pytest.raises(EgressFailed, match=r"^127.0.0.1 did not answer in time$"):
        await ask(timeout_s=SHORT_S)
    assert len(server.received) == 1


async def endless_body(_request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    await _drip(writer, b"x" * 65536, 0)


async def endless_chunks(_request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    await _drip(writer, b"1000\r\n" + b"x" * 4096 + b"\r\n", 0)


async def announced(_request, writer):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n")


@pytest.mark.parametrize("handle", [endless_body, endless_chunks, announced])
async def test_the_size_is_capped(ask, server, handle):
    server.handle = handle
    with pytest.raises(EgressFailed, match=r"^127.0.0.1 answered with more than 100000 bytes$"):
        await ask(max_bytes=100_000)


async def test_a_body_of_exactly_the_cap_is_taken(ask, server):
    server.answer(200, b"x" * 1000)
    assert len((await ask(max_bytes=1000)).body) == 1000


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: " + b"9" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 300_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 1000,
    ],
)
async def test_what_is_no_http_fails_with_one_sentence_and_is_not_sent_again(ask, server, bytes_sent):
    async def handle(_request, writer):
        writer.write(bytes_sent)
        writer.close()

    server.handle = handle
    with pytest.raises(EgressFailed, match=r"^127.0.0.1 .*not HTTP: .+") as caught:
        await ask()
    assert len(server.received) == 1
    assert "\n" not in str(caught.value)
    assert "secret-in-path" not in str(caught.value)


async def test_nobody_listens(egress, server):
    port = server.port
    with pytest.raises(EgressFailed, match=r"^::1 cannot be connected to: "):
        await egress.request("GET", f"http://[::1]:{port}/", trust=ADMIN_TARGET)


@pytest.mark.parametrize(
    ("method", "headers"),
    [("GET", {"x": "a\r\nb: c"}), ("GET", {"x y": "1"}), ("GET", {"x": "\ud800"}), ("G ET", {}), ("GÉT", {})],
)
async def test_malformed_requests_are_not_sent(egress, server, method, headers):
    with pytest.raises(EgressFailed, match="malformed"):
        await egress.request(method, f"http://127.0.0.1:{server.port}/", trust=ADMIN_TARGET, headers=headers)
    assert server.received == []


async def test_the_egress_works_on_after_failures(ask, server):
    for handle in (hang, endless_body, slow_body):
        server.handle = handle
        with pytest.raises(EgressFailed):
            await ask(timeout_s=SHORT_S, max_bytes=1000)
    server.answer(200, b"fine")
    assert (await ask()).body == b"fine"


async def test_cancelling_the_caller_ends_the_request(egress, server):
    came, gone = asyncio.Event(), asyncio.Event()

    async def handle(_request, _writer):
        came.set()
        await server.reader.read()
        gone.set()

    server.handle = handle
    task = asyncio.create_task(egress.request("GET", f"http://127.0.0.1:{server.port}/", trust=ADMIN_TARGET))
    await asyncio.wait_for(came.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(gone.wait(), 5)
