"""The chat socket: clients open it on every page and try again for ever when it is not held."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import attrs
import orjson

from neomind_sdk import (
    Authenticator,
    Clock,
    Credentials,
    Notice,
    Principal,
    Request,
    SessionEnded,
    Socket,
    Unauthorized,
)

KINDS = ("user", "api_key")
MAX_OPEN = 1024
MAX_OPEN_OF_ONE = 64
BEAT_S = 30.0
GOING_AWAY, TRY_AGAIN, NOT_AUTHORISED = 1001, 1013, 4001
"""Close codes; clients stop trying at the last one."""
UNAVAILABLE = "Chat is not available on this platform"
BAD_TOKEN = "Invalid or expired token"  # noqa: S105 - words of the contract
BAD_KEY = "Invalid API key"
NOTHING = "Authentication required"
TOO_MANY = "Too many chats are open"


@attrs.define(eq=False)
class Line:
    """An open socket, and what ends it."""

    principal: Principal
    credentials: Credentials
    session_id: str
    close: tuple[int, str] = (1000, "")
    ended: asyncio.Event = attrs.field(factory=asyncio.Event)

    def end(self, code: int, reason: str) -> None:
        self.close = (code, reason)
        self.ended.set()


class Chats:
    """All open chat sockets."""

    def __init__(self, authenticator: Authenticator, clock: Clock) -> None:
        self.authenticator = authenticator
        self.clock = clock
        self._lines: set[Line] = set()

    def __len__(self) -> int:
        return len(self._lines)

    def has_room(self, principal: Principal) -> bool:
        of_one = sum(line.principal.id == principal.id for line in self._lines)
        return len(self._lines) < MAX_OPEN and of_one < MAX_OPEN_OF_ONE

    @contextmanager
    def holding(self, line: Line) -> Iterator[None]:
        self._lines.add(line)
        try:
            yield
        finally:
            self._lines.discard(line)

    def end_sessions(self, notices: Sequence[Notice]) -> None:
        """Close the sockets of sessions that ended."""
        for ended in (notice.event for notice in notices if isinstance(notice.event, SessionEnded)):
            for line in tuple(self._lines):
                same = ended.principal_id == line.principal.id and ended.session in (None, line.principal.session)
                if same:
                    line.end(NOT_AUTHORISED, "The session has ended")

    async def close(self) -> None:
        """Close all of them: the platform stops."""
        for line in tuple(self._lines):
            line.end(GOING_AWAY, "The platform is stopping")

    async def identified(self, credentials: Credentials) -> Principal | None:
        try:
            principal = await self.authenticator.identify(credentials)
        except Unauthorized:
            return None
        return principal if principal.kind in KINDS else None


async def serve(socket: Socket, request: Request) -> None:
    """One chat socket, from its opening to its end."""
    chats, query = request.services[Chats], request.query
    credentials = credentials_of(request)
    principal = await chats.identified(credentials)
    await socket.accept()
    if principal is None:
        await refuse(socket, BAD_KEY if "api_key" in query else BAD_TOKEN if "token" in query else NOTHING)
    elif not chats.has_room(principal):
        await refuse(socket, TOO_MANY, TRY_AGAIN)
    else:
        line = Line(principal, credentials, query.get("sessionId") or str(uuid.uuid4()))
        with chats.holding(line):
            await hold(socket, chats, line)


def credentials_of(request: Request) -> Credentials:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    return Credentials(bearer=bearer or None, headers=request.headers, query=request.query, client=request.client)


async def refuse(socket: Socket, message: str, code: int = NOT_AUTHORISED) -> None:
    await socket.send_text(json.dumps({"type": "Error", "message": message}))
    await socket.close(code, message)


async def hold(socket: Socket, chats: Chats, line: Line) -> None:
    """Keep the socket until its client goes, its login ends or the platform stops."""
    await socket.send_text(json.dumps({"type": "system", "content": UNAVAILABLE, "sessionId": line.session_id}))
    await race(listen(socket, line), beat(socket, chats, line), line.ended.wait())
    await socket.close(*line.close)


async def listen(socket: Socket, line: Line) -> None:
    while True:
        for frame in answers(await received(socket), line.session_id):
            await socket.send_text(json.dumps(frame))


async def beat(socket: Socket, chats: Chats, line: Line) -> None:
    """Say that we are here, and ask whether the login still holds; return when it does not."""
    while await chats.identified(line.credentials) == line.principal:
        await socket.send_text(json.dumps({"type": "ping", "timestamp": chats.clock.now_ms() // 1000}))
        await chats.clock.sleep(BEAT_S)
    line.end(NOT_AUTHORISED, "The session has ended")


async def received(socket: Socket) -> Any:
    """The next frame's value; ``None`` for what is no JSON."""
    try:
        return orjson.loads(await socket.receive_text())
    except (KeyError, orjson.JSONDecodeError):
        return None  # a binary frame has no text


def answers(frame: Any, session_id: str) -> list[dict[str, Any]]:
    """What a client is told that says something: who waits for an answer must learn that none comes."""
    message = frame.get("message") if isinstance(frame, dict) else None
    if not isinstance(message, str) or message.startswith("/"):
        return []
    if message == "__CANCEL__":
        return [{"type": "cancelled", "sessionId": session_id}]
    return [{"type": "Error", "message": UNAVAILABLE}, {"type": "end", "sessionId": session_id}]


async def race(*work: Coroutine[Any, Any, Any]) -> None:
    """Run these until the first ends and cancel the others; raises what the first one raised."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        next(task for task in tasks if task.done()).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
