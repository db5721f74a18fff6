"""WebSockets: handed to their handler, which authenticates by itself; whatever goes wrong ends in a close frame."""

from __future__ import annotations

from typing import Any

from ...contracts import ApiError, Forbidden, Request
from ..threads import contain
from . import envelope, reading
from .routing import Bound, Found

CLOSE_POLICY, CLOSE_ERROR = 1008, 1011
REASON_BYTES = 123  # RFC 6455, 5.5: a control frame has at most 125 bytes, two of them the code


async def serve(bound: Bound, found: Found, request_id: str, log: Any, scope: Any, receive: Any, send: Any) -> None:
    """Run the handler of a socket until it returns."""
    from starlette.websockets import WebSocket, WebSocketDisconnect

    socket = WebSocket(scope, receive, send)
    error: ApiError | None = None
    try:
        request = _request(bound, found, scope, request_id)
        await contain(bound.route.handler(socket, request))
    except WebSocketDisconnect:
        return
    except ApiError as known:
        error = known
    except Exception:
        log.exception("socket_failed", path=scope["path"], request_id=request_id)
        error = envelope.internal(request_id)
    try:
        await _end(socket, error, request_id, log, receive, send)
    except (WebSocketDisconnect, OSError):
        return  # the client was faster


async def _end(socket: Any, error: ApiError | None, request_id: str, log: Any, receive: Any, send: Any) -> None:
    """Refuse what was not accepted, close what was."""
    from starlette.websockets import WebSocketState as State

    ours, theirs = socket.application_state, socket.client_state
    if ours is State.CONNECTED and theirs is State.CONNECTED:
        await socket.close(*_closing(error))
    elif ours is State.CONNECTING:
        error = error or Forbidden("The connection was not accepted")
        if theirs is State.CONNECTING:
            await refuse(error, request_id, log, socket.scope, receive, send)
        elif theirs is State.CONNECTED:
            await _deny(error, request_id, log, socket.scope, send)


def _closing(error: ApiError | None) -> tuple[int, str | None]:
    if error is None:
        return 1000, None
    reason = str(error.message).encode(errors="replace")[:REASON_BYTES].decode(errors="ignore")
    return (CLOSE_ERROR if error.status >= 500 else CLOSE_POLICY), reason


async def refuse(error: ApiError, request_id: str, log: Any, scope: Any, receive: Any, send: Any) -> None:
    """Answer the handshake with an error in the envelope, where the server can; else with a plain refusal."""
    if (await receive())["type"] == "websocket.connect":
        await _deny(error, request_id, log, scope, send)


async def _deny(error: ApiError, request_id: str, log: Any, scope: Any, send: Any) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": CLOSE_POLICY})
        return
    answer = envelope.refused(error, request_id, log)
    headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
    await send({"type": "websocket.http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": answer.body})


def _request(bound: Bound, found: Found, scope: Any, request_id: str) -> Request:
    pairs = reading.query_pairs(scope["query_string"])
    return Request(
        method="GET",
        path=scope["path"],
        params=found.params(bound),
        query=reading.plain(pairs),
        headers=reading.headers_of(scope),
        client=reading.client_of(scope),
        services=bound.services,
        id=request_id,
    )
