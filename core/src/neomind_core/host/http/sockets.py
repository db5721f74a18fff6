"""WebSockets: handed to their handler, which authenticates by itself; whatever goes wrong ends in a close frame."""

from __future__ import annotations

from typing import Any

from ...contracts import ApiError, Request
from . import envelope, reading
from .routing import Bound, Found

CLOSE_POLICY, CLOSE_ERROR = 1008, 1011


async def serve(bound: Bound, found: Found, request_id: str, log: Any, scope: Any, receive: Any, send: Any) -> None:
    """Run the handler of a socket until it returns."""
    from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

    socket = WebSocket(scope, receive, send)
    try:
        await bound.route.handler(socket, _request(bound, found, scope, request_id))
        if socket.application_state is WebSocketState.CONNECTED:
            await socket.close()
    except WebSocketDisconnect:
        return
    except Exception as error:
        known = error if isinstance(error, ApiError) else None
        if known is None:
            log.exception("socket_failed", path=scope["path"], request_id=request_id)
        if socket.application_state is WebSocketState.CONNECTING:
            await refuse(known or ApiError("INTERNAL_ERROR", "Something went wrong"), request_id, scope, receive, send)
        elif socket.application_state is WebSocketState.CONNECTED:
            await socket.close(CLOSE_POLICY if known else CLOSE_ERROR, known.message[:120] if known else None)


async def refuse(error: ApiError, request_id: str, scope: Any, receive: Any, send: Any) -> None:
    """Answer the handshake with an error in the envelope, where the server can; else with a plain refusal."""
    await receive()  # websocket.connect
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": CLOSE_POLICY})
        return
    answer = envelope.failure(error, request_id=request_id)
    start = {"type": "websocket.http.response.start", "status": answer.status, "headers": list(answer.headers)}
    await send(start)
    await send({"type": "websocket.http.response.body", "body": answer.body})


def _request(bound: Bound, found: Found, scope: Any, request_id: str) -> Request:
    return Request(
        method="GET",
        path=scope["path"],
        params=found.params(bound.route),
        query=dict(reading.query_pairs(scope["query_string"])),
        headers=reading.headers_of(scope),
        client=reading.client_of(scope),
        services=bound.services,
        id=request_id,
    )
