"""How an answer goes out: compressed for clients that ask for it, a stream until it ends or the client goes."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

from ..threads import contain
from .envelope import Answer, Header
from .reading import ClientGone

COMPRESSIBLE = (b"application/json", b"text/", b"application/javascript", b"image/svg+xml")
VARY: Header = (b"vary", b"accept-encoding")
ENCODED: Header = (b"content-encoding", b"gzip")
LEVEL = 5
IN_THREAD_FROM = 64 * 1024
BODILESS = frozenset({204, 205, 304})


class Sender:
    """Sends answers; those of at least ``compress_from`` bytes are compressed for who asks. Streams never are."""

    def __init__(self, compress_from: int, log: Any) -> None:
        self._compress_from = compress_from
        self._log = log

    async def send(self, answer: Answer, scope: Any, receive: Any, send: Any) -> None:
        head_only = scope["method"] == "HEAD"
        if answer.stream is not None:
            await self._stream(answer, head_only, receive, send)
            return
        headers, body = answer.headers, answer.body
        if answer.status in BODILESS:
            body = b""
        elif len(body) >= self._compress_from and _compressible(headers):
            headers = (*headers, VARY)
            if not head_only and _asks_for_gzip(scope["headers"]):
                headers, body = (*headers, ENCODED), await _compressed(body)
        if answer.status not in BODILESS:
            headers = (*headers, (b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head_only else body})

    async def _stream(self, answer: Answer, head_only: bool, receive: Any, send: Any) -> None:
        try:
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            # Without the last message the server cuts the connection: half a stream must not look like a whole one.
            if head_only or await self._pumped(answer.stream, receive, send):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await self._close(answer.stream)

    async def _pumped(self, stream: Any, receive: Any, send: Any) -> bool:
        """Send a stream; whether it came to its end."""
        pump = asyncio.ensure_future(contain(_pump(stream, send)))
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (pump, gone):
                task.cancel()
            await asyncio.gather(pump, gone, return_exceptions=True)
        error = None if pump.cancelled() else pump.exception()
        if error is not None and not isinstance(error, ClientGone):
            self._log.error("stream_failed", exc_info=error)
        return error is None and not pump.cancelled()

    async def _close(self, stream: Any) -> None:
        close = getattr(stream, "aclose", None)
        try:
            if close is not None:
                await contain(close())
        except Exception:
            self._log.exception("stream_failed")


async def _pump(stream: Any, send: Any) -> None:
    async for chunk in stream:
        try:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except OSError:
            raise ClientGone from None


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _compressible(headers: tuple[Header, ...]) -> bool:
    found = dict(headers)
    return b"content-encoding" not in found and found[b"content-type"].startswith(COMPRESSIBLE)


def _asks_for_gzip(headers: Any) -> bool:
    """Whether ``Accept-Encoding`` has ``gzip``, and not to say that it is unwelcome."""
    asked = b",".join(value for name, value in headers if name == b"accept-encoding").lower()
    for one in asked.split(b","):
        coding, _, weight = one.replace(b" ", b"").partition(b";q=")
        if coding == b"gzip":
            return weight.rstrip(b"0.") != b"" or not weight
    return False


async def _compressed(body: bytes) -> bytes:
    if len(body) < IN_THREAD_FROM:
        return gzip.compress(body, LEVEL, mtime=0)
    return await asyncio.to_thread(gzip.compress, body, LEVEL, mtime=0)
