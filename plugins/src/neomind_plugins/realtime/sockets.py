"""Events over a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from urllib.parse import parse_qsl

from neomind_sdk import ApiError, Clock, Request, Socket

from . import logins
from .eager import begin
from .filters import compile_filter
from .outbox import Outbox
from .service import Hub
from .streams import POLICY, TRY_AGAIN, Caller, Stream
from .wires import WEBSOCKET

AUTHENTICATED = {"type": "Authenticated", "message": "Authentication successful"}
CLOSE_S = 1.0
FRAMES_PER_TURN = 5
MAX_PONG = 1024


class Query:
    """The query of the request that opened a socket; names may be repeated."""

    def __init__(self, socket: Socket, request: Request) -> None:
        scope: Any = getattr(socket, "scope", None)
        raw = scope["query_string"].decode("latin-1") if scope else None
        self.pairs = list(request.query.items()) if raw is None else parse_qsl(raw, keep_blank_values=True)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]

    def last(self, name: str) -> str | None:
        return next(reversed(self.all(name)), None)


async def serve(socket: Socket, request: Request) -> None:
    """One WebSocket, from its opening to its end."""
    hub, query = request.services[Hub], Query(socket, request)
    caller = await logins.by_request(hub.authenticator, request, dict(query.pairs))
    if caller is not None:
        hub.check_room(caller)  # the opening itself is refused, in the envelope
        await socket.accept()
    else:
        caller = await _log_in(hub, socket, request.client)
    if caller is not None:
        await _stream(hub, socket, request, query, caller)


async def _log_in(hub: Hub, socket: Socket, address: str) -> Caller | None:
    """Wait for the client to say who it is; ``None`` when it was told that it failed."""
    with hub.occupancy.waiting(address):
        await socket.accept()
        frame = await logins.race(_receive(socket), hub.clock.sleep(logins.LOGIN_S))
        found = await logins.by_frame(hub.authenticator, frame, address)
    if isinstance(found, Caller):
        return found
    await _refuse(socket, found, POLICY)
    return None


async def _refuse(socket: Socket, message: str, code: int) -> None:
    await socket.send_text(WEBSOCKET.note({"type": "Error", "message": message}))
    await socket.close(code, message[:120])


async def _stream(hub: Hub, socket: Socket, request: Request, query: Query, caller: Caller) -> None:
    wanted = compile_filter(caller.principal, query.all("category"), query.all("event_type"))
    resume = request.headers.get("last-event-id") or query.last("last_event_id")
    hello = (WEBSOCKET.note(AUTHENTICATED), WEBSOCKET.beat(hub.clock.now_ms() // 1000))
    try:
        stream = hub.join(caller, WEBSOCKET, wanted, answers=True, resume=resume, hello=hello)
    except ApiError as error:
        await _refuse(socket, error.message, TRY_AGAIN)
        return
    try:
        await logins.race(_write(socket, stream.outbox), _listen(socket, stream, hub.clock), stream.cut.wait())
        await _close(socket, stream)
    finally:
        hub.leave(stream)


async def _write(socket: Socket, outbox: Outbox) -> None:
    outbox.write = lambda payload: begin(socket.send_text(payload))
    frames = 0
    while (payload := await outbox.take()) is not None:
        await socket.send_text(payload)  # waits only while the client's window is full
        frames += 1
        if frames % FRAMES_PER_TURN == 0:
            await asyncio.sleep(0)


async def _listen(socket: Socket, stream: Stream, clock: Clock) -> None:
    while True:
        frame = await _receive(socket)
        if frame and len(frame) <= MAX_PONG and _is_pong(logins.loads(frame)):
            stream.heard = clock.monotonic()


async def _receive(socket: Socket) -> str | None:
    """The next text; ``None`` for a binary frame, which means nothing here."""
    try:
        return await socket.receive_text()
    except KeyError:
        return None


def _is_pong(body: Any) -> bool:
    return isinstance(body, dict) and body.get("type") == "pong"


async def _close(socket: Socket, stream: Stream) -> None:
    """Say goodbye; a client that does not read is not waited for."""
    code, reason = stream.close
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0 if stream.cut.is_set() else CLOSE_S):
            await socket.close(code, reason)
