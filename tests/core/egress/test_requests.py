"""What goes out and what comes back when all is well; nothing of the environment takes part."""

from __future__ import annotations

import asyncio
import gzip
import subprocess
import sys

import pytest

from neomind_core.contracts import ADMIN_TARGET, Egress, EgressFailed
from neomind_core.host.egress import HttpEgress
from neomind_core.host.egress_policy import EgressConfig


@pytest.fixture
def egress(make_egress):
    return make_egress(direct=True)


@pytest.fixture
def url(server):
    return f"http://127.0.0.1:{server.port}"


async def test_it_is_the_contract(egress):
    assert isinstance(egress, Egress)


async def test_json(egress, server, url):
    answer = await egress.request("post", f"{url}/a%20b?q=%C3%A9", trust=ADMIN_TARGET, json={"text": "é 🔥"})
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"ok", "2")
    got = server.received[0]
    assert (got.method, got.path, got.body.decode()) == ("POST", "/a%20b?q=%C3%A9", '{"text":"é 🔥"}')
    assert got.headers["content-type"] == "application/json"
    assert got.headers["host"] == f"127.0.0.1:{server.port}"
    assert got.headers["user-agent"].startswith("NeoMind/")


async def test_content_and_headers(egress, server, url):
    headers = {
        "Content-Type": "text/plain",
        "X-Name": "Zoë",
        "Host": "evil",
        "Content-Length": "0",
        "Accept-Encoding": "br",
    }
    await egress.request("PUT", url, trust=ADMIN_TARGET, headers=headers, content=b"plain")
    got = server.received[0].headers
    assert (server.received[0].body, got["content-type"], got["x-name"]) == (b"plain", "text/plain", "Zoë")
    assert got["host"] == f"127.0.0.1:{server.port}"
    assert (got["content-length"], got["accept-encoding"]) == ("5", "identity")


@pytest.mark.parametrize("status", [200, 204, 304, 400, 401, 404, 410, 429, 500, 503])
async def test_every_status_is_an_answer(egress, server, url, status):
    server.answer(status, b"" if status in (204, 304) else b"text", retry_after="7")
    answer = await egress.request("GET", url, trust=ADMIN_TARGET)
    assert (answer.status, answer.headers["retry-after"]) == (status, "7")


async def test_repeated_headers_are_joined(egress, server, url):
    async def handle(_request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\ncontent-length: 0\r\n\r\n")

    server.handle = handle
    assert (await egress.request("GET", url, trust=ADMIN_TARGET)).headers["x-a"] == "1, 2"


async def test_head_has_no_body(egress, server, url):
    async def handle(_request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n")

    server.handle = handle
    assert (await egress.request("HEAD", url, trust=ADMIN_TARGET)).body == b""


async def test_nothing_is_decompressed(egress, server, url):
    bomb = gzip.compress(b"0" * 10_000_000)
    server.answer(200, bomb, content_encoding="gzip")
    assert (await egress.request("GET", url, trust=ADMIN_TARGET)).body == bomb


async def test_cookies_are_not_kept(egress, server, url):
    server.answer(200, set_cookie="session=1; Path=/")
    for _ in range(2):
        await egress.request("GET", url, trust=ADMIN_TARGET)
    assert "cookie" not in server.received[1].headers


async def test_proxies_of_the_environment_are_ignored(monkeypatch, make_egress, server, other, url):
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{other.port}")
    await make_egress(direct=True).request("GET", url, trust=ADMIN_TARGET)
    assert (len(server.received), other.connections) == (1, 0)


async def test_a_stream_arrives_piece_by_piece(egress, server, url):
    go_on = asyncio.Event()

    async def handle(_request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-a: 1\r\n\r\n3\r\none\r\n")
        await writer.drain()
        await go_on.wait()
        writer.write(b"3\r\ntwo\r\n0\r\n\r\n")

    server.handle = handle
    async with egress.stream("POST", url, trust=ADMIN_TARGET, json={"stream": True}) as stream:
        assert (stream.status, stream.headers["x-a"]) == (200, "1")
        chunks = stream.chunks()
        assert await anext(chunks) == b"one"
        go_on.set()
        assert [piece async for piece in chunks] == [b"two"]
    assert server.received[0].body == b'{"stream":true}'


async def test_leaving_a_stream_early_closes_its_connection(egress, server, url):
    closed = asyncio.Event()

    async def handle(_request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nstart")
        await writer.drain()
        await server.reader.read()
        closed.set()

    server.handle = handle
    async with egress.stream("GET", url, trust=ADMIN_TARGET) as stream:
        assert await anext(stream.chunks()) == b"start"
    await asyncio.wait_for(closed.wait(), 5)


async def test_the_deadline_of_a_stream_hits_reading_only(egress, server, url):
    async def handle(_request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nstart")
        await writer.drain()
        await server.reader.read()

    server.handle = handle
    async with egress.stream("GET", url, trust=ADMIN_TARGET, timeout_s=0.2) as stream:
        await asyncio.sleep(0.4)
        with pytest.raises(EgressFailed, match="in time"):
            [piece async for piece in stream.chunks()]


async def test_many_at_once(egress, server, url):
    answers = await asyncio.gather(*(egress.request("GET", url, trust=ADMIN_TARGET) for _ in range(50)))
    assert {answer.status for answer in answers} == {200}


async def test_it_can_be_closed_unused_and_twice():
    egress = HttpEgress(EgressConfig(), lambda: ("127.0.0.1", 1))
    await egress.close()
    await egress.close()


def test_the_client_is_not_loaded_before_it_is_needed():
    code = "import sys, neomind_core.host.egress; print([m for m in sys.modules if m.split('.')[0] in %r])"
    command = [sys.executable, "-c", code % (("httpx2", "httpcore2", "anyio"),)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.parametrize("entry", ["10.0.0.0/33", "10.0.0.1/8", "http://x/", "a b", "", "*.example"])
def test_the_allow_list_names_what_is_wrong(entry):
    with pytest.raises(ValueError, match="no host name, address or network"):
        EgressConfig(allow=[entry])
