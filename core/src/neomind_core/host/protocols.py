"""uvicorn's protocols, with an end for clients that stopped reading, and with less work for each request.

ASGI cannot abort a connection: an application that gives up on a client is still stuck in ``send``, and what waits for
that client stays in memory for as long as the client keeps the connection.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

STALLED_AFTER_S = 35.0


class Impatient:
    """Aborts a connection whose buffer the client has not emptied for ``STALLED_AFTER_S`` seconds."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _stalled: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()  # type: ignore[misc]
        if self._stalled is None:
            self._stalled = self.loop.call_later(STALLED_AFTER_S, self.transport.abort)

    def resume_writing(self) -> None:
        self._calm()
        super().resume_writing()  # type: ignore[misc]

    def connection_lost(self, error: Exception | None) -> None:
        self._calm()
        super().connection_lost(error)  # type: ignore[misc]

    def _calm(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


class Cycle(RequestResponseCycle):
    """A request and its answer; a head that says how long its body is leaves together with it, in one write.

    What is sent is the host's own and was checked when it was made (``envelope.headers``), so it is not checked again.
    """

    _head: Any = None

    async def send(self, message: Any) -> None:
        """As ASGI says."""
        head, self._head = self._head, None
        if message["type"] == "http.response.start" and not self.response_started:
            if _says_length(message):
                self._head = message
                return
            head = None  # of an answer that failed before its body came
        if head is not None:
            if self._is_plain(head, message):
                self._answer(head, message["body"])
                return
            await super().send(head)
        await super().send(message)

    def _is_plain(self, head: Any, message: Any) -> bool:
        """Whether nothing is special: the body is whole, and the connection is there, writable and goes on."""
        if self.flow.write_paused or self.disconnected or not self.keep_alive:
            return False
        whole = not message.get("more_body") and self.scope["method"] != "HEAD"
        return whole and int(head["headers"][-1][1]) == len(message.get("body", b""))

    def _answer(self, head: Any, body: bytes) -> None:
        parts = [STATUS_LINE[head["status"]]]
        for name, value in (*self.default_headers, *head["headers"]):
            parts += (name, b": ", value, b"\r\n")
        parts += (b"\r\n", body)
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        self.transport.write(b"".join(parts))
        self.message_event.set()
        self.on_response()


def _says_length(message: Any) -> bool:
    """Whether the answer has its length, as the last of its headers, and does not end the connection."""
    headers = message["headers"]
    return bool(headers) and headers[-1][0] == b"content-length" and all(name != b"connection" for name, _ in headers)


class Http(Impatient, HttpToolsProtocol):
    """HTTP on httptools. An idle connection is looked at by one timer, not by one for each of its requests."""

    _idle_since: float | None = None
    _idle_timer: asyncio.TimerHandle | None = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.__class__ = Cycle
        super()._start_asgi_task(cycle, app)

    def __init__(self, **connection: Any) -> None:
        super().__init__(**connection)
        self.access_log = False  # whatever handlers others gave the logger

    def connection_lost(self, error: Exception | None) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        super().connection_lost(error)

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._look)

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = None

    def _look(self) -> None:
        self._idle_timer = None
        if self._idle_since is None:
            return  # busy: its answer will start the timer again
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left <= 0:
            self.timeout_keep_alive_handler()
        else:
            self._idle_timer = self.loop.call_later(left, self._look)


def websocket(**connection: Any) -> asyncio.Protocol:
    """The protocol of a connection that becomes a WebSocket, on the websockets library.

    Importing that, a tenth of a start, waits for the first socket.
    """
    protocol: asyncio.Protocol = _websocket_class()(**connection)
    return protocol


@cache
def _websocket_class() -> type[Any]:
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    class WebSocket(Impatient, WebSocketsSansIOProtocol):
        """WebSockets."""

    return WebSocket
