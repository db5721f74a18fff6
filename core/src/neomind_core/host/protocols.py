"""uvicorn's protocols, with an end for clients that stopped reading.

ASGI cannot abort a connection: an application that gives up on a client is still stuck in ``send``, and what waits for
that client stays in memory for as long as the client keeps the connection.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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


class Http(Impatient, HttpToolsProtocol):
    """HTTP on httptools."""


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
