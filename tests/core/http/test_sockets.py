"""WebSockets: refused in the envelope before they are open, closed with a code after."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidStatus

from neomind_core.host.config import HostConfig
from neomind_core.host.http.app import HttpConfig
from neomind_sdk import ApiError, NotFound, SocketRoute, Unauthorized


def socket_route(handler: Any, path: str = "/live/{room}") -> SocketRoute:
    return SocketRoute(path=path, handler=handler, scope="public", summary="Live")


@pytest.fixture
def live(edge):
    """``async with live(handler) as url``: a served host with one socket."""

    @asynccontextmanager
    async def serve(handler, **more):
        async with edge.serving(socket_route(handler), edge.route(), **more) as host, host.served() as url:
            yield url.replace("http", "ws") + "/api"

    return serve


async def refusal(url: str) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as caught:
        async with connect(url, proxy=None):
            pass
    response = caught.value.response
    assert response.headers["content-type"] == "application/json"
    body = json.loads(response.body)
    assert body["success"] is False
    return response.status_code, body["error"]["code"]


async def closing(url: str) -> tuple[int, str]:
    """The code and the reason of the close frame."""
    async with connect(url, proxy=None) as socket:
        with pytest.raises(ConnectionClosed) as caught:
            while True:
                await asyncio.wait_for(socket.recv(), 10)
    return caught.value.rcvd.code, caught.value.rcvd.reason


def then(error: BaseException | None, *, accept: bool = True) -> Any:
    async def handler(socket: Any, _request: Any) -> None:
        if accept:
            await socket.accept()
        if error is not None:
            raise error

    return handler


# ---- open ----


async def test_a_conversation(live):
    async def handler(socket, request):
        await socket.accept()
        await socket.send_text(json.dumps([request.params, request.query, request.headers["x-thing"], request.client]))
        while (text := await socket.receive_text()) != "end":
            await socket.send_text(text.upper())

    headers = {"X-Thing": "1"}
    async with (
        live(handler) as url,
        connect(f"{url}/live/a%2Fb?token=t", additional_headers=headers, proxy=None) as socket,
    ):
        assert json.loads(await socket.recv()) == [{"room": "a/b"}, {"token": "t"}, "1", "127.0.0.1"]
        await socket.send("hello")
        assert await socket.recv() == "HELLO"
        await socket.send("end")
        with pytest.raises(ConnectionClosedOK):
            await socket.recv()


async def test_a_client_that_leaves(live, logged):
    left = asyncio.Event()

    async def handler(socket, _request):
        await socket.accept()
        try:
            await socket.receive_text()
        finally:
            left.set()

    async with live(handler) as url:
        async with connect(f"{url}/live/a", proxy=None) as socket:
            await socket.close()
        await asyncio.wait_for(left.wait(), 10)
    assert [event for event in logged if event["log_level"] == "error"] == []


async def test_a_client_that_vanishes_while_it_is_sent_to(live, logged):
    ended = asyncio.Event()

    async def handler(socket, _request):
        await socket.accept()
        try:
            while True:
                await socket.send_text("x" * 1000)
                await asyncio.sleep(0)
        finally:
            ended.set()

    async with live(handler) as url:
        async with connect(f"{url}/live/a", proxy=None) as socket:
            await socket.recv()
            socket.transport.abort()
        await asyncio.wait_for(ended.wait(), 10)
    assert [event for event in logged if event["log_level"] == "error"] == []


async def test_the_same_path_serves_both(edge):
    routes = [socket_route(then(None), "/trial"), edge.route()]
    async with edge.serving(*routes) as host, host.served() as url:
        assert await closing(url.replace("http", "ws") + "/api/trial") == (1000, "")
        assert (await host.client(None).get("/api/trial")).status_code == 200
        assert (await host.client(None).post("/api/trial")).headers["allow"] == "GET, HEAD"


async def test_a_socket_is_nothing_else(edge, answered):
    async with edge.serving(socket_route(then(None), "/live")) as host:
        answer = await host.client(None).get("/api/live")
        assert answered(answer) == (405, "METHOD_NOT_ALLOWED")
        assert "only a WebSocket" in answer.json()["error"]["message"]


# ---- refused ----


@pytest.mark.parametrize("path", ["/nothing", "/trial", "/live", "/live/a/b", "/live/a%00"])
async def test_unknown_paths(live, path):
    async with live(then(None)) as url:
        assert await refusal(url + path) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Unauthorized(), (401, "UNAUTHORIZED")),
        (NotFound("DASHBOARD", "x"), (404, "DASHBOARD_NOT_FOUND")),
        (RuntimeError("hunter2"), (500, "INTERNAL_ERROR")),
        (SystemExit(1), (500, "INTERNAL_ERROR")),
        (ApiError("CONFLICT", "x", details=object()), (500, "INTERNAL_ERROR")),
        (None, (403, "INSUFFICIENT_PERMISSIONS")),
    ],
)
async def test_errors_before_it_is_open(live, logged, error, expected):
    async with live(then(error, accept=False)) as url:
        assert await refusal(f"{url}/live/a") == expected
        assert await refusal(f"{url}/nothing") == (404, "NOT_FOUND")
    assert bool([event for event in logged if event["log_level"] == "error"]) == (expected[0] == 500)


async def test_a_query_that_is_no_utf8(live):
    async with live(then(None)) as url:
        assert await refusal(f"{url}/live/a?b=%FF") == (400, "BAD_REQUEST")
        assert await refusal(f"{url}/live/a?b=%00") == (422, "VALIDATION_ERROR")
        assert await refusal(f"{url}/live/%FF") == (400, "BAD_REQUEST")


async def test_too_many(live):
    async with live(then(None), config=HostConfig(http=HttpConfig(requests_per_minute=1))) as url:
        assert await closing(f"{url}/live/a") == (1000, "")
        assert await refusal(f"{url}/live/a") == (429, "RATE_LIMITED")


async def test_starting(edge):
    async with edge.serving(edge.route()) as host, host.served() as url:
        host.host.api.starting = True
        assert await refusal(url.replace("http", "ws") + "/api/later") == (503, "SERVICE_UNAVAILABLE")


# ---- closed ----


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, (1000, "")),
        (Unauthorized("Log in again"), (1008, "Log in again")),
        (ApiError("SERVICE_UNAVAILABLE", "Later"), (1011, "Later")),
        (ApiError("BAD_REQUEST", "ä" * 100), (1008, "ä" * 61)),
        (ApiError("BAD_REQUEST", "\ud800"), (1008, "?")),
    ],
)
async def test_codes(live, logged, error, expected):
    async with live(then(error)) as url:
        assert await closing(f"{url}/live/a") == expected
    assert [event for event in logged if event["log_level"] == "error"] == []


@pytest.mark.parametrize("error", [RuntimeError("hunter2"), SystemExit("hunter2"), asyncio.CancelledError("hunter2")])
async def test_errors_when_it_is_open(live, logged, error):
    async with live(then(error)) as url:
        code, reason = await closing(f"{url}/live/a")
        assert (await closing(f"{url}/live/b"))[0] == code
    assert (code, "hunter2" in reason) == (1011, False)
    events = [event for event in logged if event["log_level"] == "error"]
    assert [event["event"] for event in events] == ["socket_failed"] * 2
    assert events[0]["request_id"] in reason


async def test_a_handler_that_closes_by_itself(live, logged):
    async def handler(socket, _request):
        await socket.accept()
        await socket.close(4001, "Stop trying")

    async with live(handler) as url:
        assert await closing(f"{url}/live/a") == (4001, "Stop trying")
    assert [event for event in logged if event["log_level"] == "error"] == []


# ---- servers of other kinds ----


def scope(path: str = "/api/live/a", **more: Any) -> dict[str, Any]:
    base = {"type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": []}
    return {**base, "client": ("127.0.0.1", 1), **more}


async def told(edge: Any, handler: Any, wanted: dict[str, Any], *incoming: str) -> list[dict[str, Any]]:
    waiting, sent = [{"type": f"websocket.{kind}"} for kind in incoming], []

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    async with edge.serving(socket_route(handler)) as host:
        await asyncio.wait_for(host.host.api(wanted, receive, send), 10)
    return sent


async def test_a_server_that_cannot_refuse_with_a_body(edge):
    for path, handler in (("/api/nothing", then(None)), ("/api/live/a", then(Unauthorized(), accept=False))):
        assert await told(edge, handler, scope(path), "connect") == [{"type": "websocket.close", "code": 1008}]


async def test_a_client_that_leaves_before_it_is_let_in(edge):
    extension = {"extensions": {"websocket.http.response": {}}}
    for path in ("/api/nothing", "/api/live/a"):
        assert await told(edge, then(Unauthorized(), accept=False), scope(path, **extension), "disconnect") == []


async def test_a_handler_that_took_the_handshake_itself(edge):
    async def handler(socket, _request):
        await socket.receive()
        raise Unauthorized

    assert [m["type"] for m in await told(edge, handler, scope(), "connect")] == ["websocket.close"]
