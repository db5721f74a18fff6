"""What a request may bring, and what is said to one that brings something else."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import attrs
import httpx2
import pytest

from neomind_core.host.config import HostConfig
from neomind_core.host.http.app import HttpConfig
from neomind_core.host.http.reading import IN_THREAD_FROM
from neomind_sdk import fields

JSON = {"content-type": "application/json"}


@attrs.frozen
class Thing:
    name: str = fields.text(min=1)
    port: int = fields.number(ge=1, le=65535, default=80)
    tags: list[str] = attrs.field(factory=list)


@attrs.frozen
class Options:
    limit: int = fields.number(ge=1, default=10)
    deep: bool = False
    name: list[str] = attrs.field(factory=list)
    since: float | None = None


@attrs.frozen
class Maybe:
    note: str = "none"


async def echo(request: Any) -> dict[str, Any]:
    return {"body": request.body, "query": request.query, "raw": len(request.raw), "type": type(request.body).__name__}


@pytest.fixture
async def host(edge):
    routes = [
        edge.route(echo, method="POST", path="/thing", body=Thing, body_required=True),
        edge.route(echo, method="POST", path="/maybe", body=Maybe),
        edge.route(echo, method="POST", path="/perhaps", body=Thing),
        edge.route(echo, method="POST", path="/any"),
        edge.route(echo, method="POST", path="/bytes", body=bytes, accepts=(), max_body=1000),
        edge.route(echo, method="POST", path="/somebytes", body=bytes, body_required=True, accepts=("text/plain",)),
        edge.route(echo, method="POST", path="/small", max_body=1000),
        edge.route(echo, method="DELETE", path="/any"),
        edge.route(echo, path="/options", query=Options),
        edge.route(echo, path="/plain"),
        edge.route(path="/item/{item}"),
    ]
    async with edge.serving(*routes) as host:
        yield host


@pytest.fixture
def post(host):
    async def send(path: str, content: Any = b"", **headers: str) -> Any:
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        sent = {**JSON, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await host.client(None).post(f"/api/{path}", content=raw, headers=sent)

    return send


# ---- bodies ----


async def test_a_body(post):
    data = (await post("thing", {"name": "x", "tags": ["a"], "more": 1})).json()["data"]
    assert data["body"] == {"name": "x", "port": 80, "tags": ["a"]}


@pytest.mark.parametrize(
    "raw",
    [b"", b"  \n", b"{", b"nonsense", b'{"name": NaN}', b'{"name": "x", "name": "y"}', b'\xff{"name": "x"}', b"[" * 99],
)
async def test_bodies_that_are_no_json(post, answered, raw):
    assert answered(await post("thing", raw)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("value", [None, [], [1], "x", 5, True])
async def test_bodies_that_are_no_object(post, answered, value):
    answer = await post("thing", json.dumps(value).encode())
    assert answered(answer) == (422, "VALIDATION_ERROR")
    assert answer.json()["error"]["details"] == [{"field": "body", "message": "must be an object"}]


async def test_every_field_at_fault_is_named(post, answered):
    answer = await post("thing", {"name": " ", "port": 0, "tags": ["a", 5]})
    assert answered(answer) == (422, "VALIDATION_ERROR")
    error = answer.json()["error"]
    assert [detail["field"] for detail in error["details"]] == ["tags[1]"]
    answer = await post("thing", {"name": " ", "port": 0})
    assert {detail["field"] for detail in answer.json()["error"]["details"]} == {"name", "port"}
    assert "name: must not be blank" in answer.json()["error"]["message"]


async def test_bodies_that_may_be_absent(post, answered):
    assert (await post("maybe")).json()["data"]["body"] == {"note": "none"}
    assert (await post("maybe", b" ")).json()["data"]["body"] == {"note": "none"}
    assert (await post("perhaps")).json()["data"]["body"] is None
    assert (await post("any")).json()["data"]["body"] is None
    assert answered(await post("maybe", b"null")) == (422, "VALIDATION_ERROR")


@pytest.mark.parametrize("value", [None, 5, "x", [1, {"a": None}], {"a": "b"}])
async def test_any_json(post, value):
    assert (await post("any", json.dumps(value).encode())).json()["data"]["body"] == value


async def test_bytes_are_left_alone(post, answered):
    data = (await post("bytes", b"\xff\x00{", content_type="image/png")).json()["data"]
    assert (data["body"], data["raw"]) == (None, 3)
    assert answered(await post("bytes")) == (200, None)
    assert answered(await post("somebytes", content_type="text/plain")) == (400, "BAD_REQUEST")


async def test_delete_may_have_a_body(host, answered):
    client = host.client(None)
    assert (await client.request("DELETE", "/api/any", content=b"[1]")).json()["data"]["body"] == [1]
    assert answered(await client.request("DELETE", "/api/any", content=b"[1")) == (400, "BAD_REQUEST")
    assert (await client.delete("/api/any")).json()["data"]["body"] is None


async def test_a_get_has_no_body(host):
    answer = await host.client(None).request("GET", "/api/plain", content=b"nonsense" * 1000)
    assert (answer.json()["data"]["body"], answer.json()["data"]["raw"]) == (None, 0)


async def test_large_bodies_are_read_all_the_same(post, answered):
    large = {"name": "x" * (IN_THREAD_FROM + 1)}
    assert (await post("thing", large)).json()["data"]["body"]["name"] == large["name"]
    assert answered(await post("thing", {**large, "port": 0})) == (422, "VALIDATION_ERROR")
    assert answered(await post("thing", json.dumps(large).encode()[:-1])) == (400, "BAD_REQUEST")


# ---- media types ----


async def test_a_type_that_is_not_taken(post, answered):
    answer = await post("thing", {"name": "x"}, content_type="application/x-www-form-urlencoded")
    assert answered(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert "Content-Type: application/json" in answer.json()["error"]["hint"]
    assert "application/x-www-form-urlencoded" in answer.json()["error"]["message"]
    answer = await post("somebytes", b"x", content_type="image/png")
    assert answered(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert "hint" not in answer.json()["error"]


@pytest.mark.parametrize("kind", ["", "application/json", "Application/JSON; charset=utf-8", " application/json ;x"])
async def test_types_that_are_taken(post, answered, kind):
    assert answered(await post("thing", {"name": "x"}, content_type=kind)) == (200, None)


async def test_no_type_is_the_first(host, answered):
    answer = await host.client(None).post("/api/thing", content=b'{"name": "x"}')
    assert "content-type" not in answer.request.headers
    assert answered(answer) == (200, None)


async def test_encodings(post, answered):
    for encoding in ("identity", "IDENTITY", ""):
        assert answered(await post("thing", {"name": "x"}, content_encoding=encoding)) == (200, None)
    for encoding in ("gzip", "br", "gzip, identity"):
        answer = await post("thing", {"name": "x"}, content_encoding=encoding)
        assert answered(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_without_a_body_the_type_does_not_matter(post, answered):
    assert answered(await post("any", content_type="text/plain", content_encoding="gzip")) == (200, None)


# ---- sizes ----


async def test_too_large(post, answered):
    assert answered(await post("bytes", b"x" * 1000)) == (200, None)
    assert answered(await post("bytes", b"x" * 1001)) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("length", [b"5", b"", b"-5", b"x", "²".encode("latin-1"), b"0x10", b"1e3"])
async def test_a_length_that_lies(edge, host, length):
    scope = edge.scope("POST", "/api/bytes", headers=[(b"content-length", length)])
    assert (await edge.tell(host, scope, b"x" * 500, b"y" * 500)).status == 200
    for chunks in ([b"x" * 1001], [b"x" * 600, b"x" * 600], [b"", b"x" * 1001]):
        told = await edge.tell(host, dict(scope), *chunks)
        assert (told.status, told.error["code"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("length", [b"1001", b"9" * 30, b"9" * 5000])
async def test_a_length_that_is_too_much_is_refused_unread(edge, host, length):
    async def receive():
        raise AssertionError("read")

    scope = edge.scope("POST", "/api/bytes", headers=[(b"content-length", length)])
    assert (await edge.tell(host, scope, receive=receive)).status == 413


@pytest.mark.parametrize("size", [100, 100_000])
async def test_a_client_that_still_sends_gets_its_answer(host, size):
    async def chunks():
        for _ in range(20):
            yield b"x" * size

    async with host.served() as url, httpx2.AsyncClient(base_url=url) as client:
        for content in (chunks(), b"x" * 20 * size, chunks()):
            answer = await client.post("/api/bytes", content=content)
            assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
            assert (await client.post("/api/bytes", content=b"x")).status_code == 200


async def test_a_client_that_asks_first_sends_nothing(host):
    async with host.served() as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"POST /api/small HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n")
        assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"HTTP/1.1 413 ")
        writer.close()


# ---- patience ----


async def test_a_body_that_stalls(edge, answered):
    config = HostConfig(http=HttpConfig(body_idle_s=0.05))
    async with edge.serving(edge.route(method="POST"), config=config) as host, host.served() as url:
        port = int(url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /api/trial HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        told = await asyncio.wait_for(reader.read(), 10)
        writer.close()
    assert told.startswith(b"HTTP/1.1 408 ")
    assert b'"REQUEST_TIMEOUT"' in told
    assert b"Nothing of the body came for 0.05 s" in told


async def test_a_handler_that_takes_too_long(edge, answered):
    ended = []

    async def forever(_request):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async with edge.serving(edge.route(forever, deadline_s=0.05)) as host:
        answer = await host.client(None).get("/api/trial")
        assert answered(answer) == (408, "REQUEST_TIMEOUT")
        assert "0.05 s" in answer.json()["error"]["message"]
    assert ended == [True]


async def test_no_deadline(edge, answered):
    async with edge.serving(edge.route(deadline_s=None)) as host:
        assert answered(await host.client(None).get("/api/trial")) == (200, None)


async def test_a_request_that_is_cancelled_is_not_answered(edge):
    began = asyncio.Event()

    async def forever(_request):
        began.set()
        await asyncio.Event().wait()

    async with edge.serving(edge.route(forever)) as host:
        task = asyncio.create_task(edge.tell(host, edge.scope()))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_client_that_goes_while_it_sends(edge, host, logged):
    told = await edge.tell(host, edge.scope("POST", "/api/any"))
    assert told.messages == []
    assert [event for event in logged if event["log_level"] == "error"] == []


# ---- queries ----


async def test_a_query(host):
    answer = await host.client(None).get("/api/options?limit=5&deep=true&name=a&name=b&since=1.5&other=1&limit=6")
    assert answer.json()["data"]["query"] == {"limit": 6, "deep": True, "name": ["a", "b"], "since": 1.5}


async def test_a_query_of_nothing(host):
    query = (await host.client(None).get("/api/options")).json()["data"]["query"]
    assert query == {"limit": 10, "deep": False, "name": [], "since": None}


async def test_a_plain_query(host):
    query = (await host.client(None).get("/api/plain?a=1&b=&a=2&c=%C3%A4+%2B&d")).json()["data"]["query"]
    assert query == {"a": "2", "b": "", "c": "ä +", "d": ""}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("limit=0", {"limit"}),
        ("limit=x&deep=perhaps", {"limit", "deep"}),
        ("limit=", {"limit"}),
        ("since=nan", {"since"}),
        ("name=a%00b", {"name"}),
        ("a%00=b&limit=0", {"query"}),
        ("other=%00", {"other"}),
    ],
)
async def test_every_part_of_a_query_at_fault_is_named(host, answered, query, names):
    answer = await host.client(None).get(f"/api/options?{query}")
    assert answered(answer) == (422, "VALIDATION_ERROR")
    assert {detail["field"] for detail in answer.json()["error"]["details"]} == names


@pytest.mark.parametrize("query", [b"a=%FF", b"%C3=1", b"a=%ED%A0%80", b"a=\xff", "ä=1".encode()])
async def test_a_query_that_is_no_utf8(edge, host, query):
    told = await edge.tell(host, edge.scope(path="/api/plain", query_string=query), b"")
    assert (told.status, told.error["code"]) == (400, "BAD_REQUEST")


async def test_a_query_of_too_many_fields(host, answered):
    answer = await host.client(None).get("/api/plain?" + "&".join(f"a{number}=1" for number in range(201)))
    assert answered(answer) == (400, "BAD_REQUEST")


# ---- paths ----


async def test_a_path_that_is_no_utf8(edge, host):
    scope = edge.scope(path="/api/item/�", raw_path=b"/api/item/%FF")
    told = await edge.tell(host, scope, b"")
    assert (told.status, told.error["code"]) == (400, "BAD_REQUEST")


async def test_nothing_is_at_a_path_with_nul(host, answered):
    assert answered(await host.client(None).get("/api/item/a%00b")) == (404, "NOT_FOUND")


async def test_a_server_that_does_not_keep_the_path_as_it_was_sent(edge, host):
    for raw in ({}, {"raw_path": None}):
        scope = {**edge.scope(), "path": "/api/item/ä %41", **raw}
        del scope["raw_path"]
        assert json.loads((await edge.tell(host, scope, b"")).body)["data"]["params"] == {"item": "ä %41"}


async def test_a_path_that_was_kept_with_its_query(edge, host):
    scope = edge.scope(path="/api/item/x", raw_path=b"/api/item/x?y=z", query_string=b"y=z")
    assert (await edge.tell(host, scope, b"")).status == 200


async def test_a_long_path(host, answered):
    assert answered(await host.client(None).get("/api/" + "x/" * 5000)) == (404, "NOT_FOUND")


async def test_nonsense_on_the_wire_ends_the_connection_only(host):
    async with host.served() as url:
        port = int(url.rpartition(":")[2])
        for junk in (b"\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"GET /api/%00%FF\xff HTTP/1.1\r\nHost: x\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port)) as sock:
                sock.sendall(junk)
                sock.setblocking(False)
                loop = asyncio.get_running_loop()
                assert b" 200 " not in await asyncio.wait_for(loop.sock_recv(sock, 1000), 10)
        async with httpx2.AsyncClient(base_url=url) as client:
            assert (await client.get("/api/plain")).status_code == 200
