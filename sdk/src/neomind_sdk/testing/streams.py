"""A ``Sink`` whose answers arrive in pieces, stay away or break off.

async with StreamSink() as sink, real_egress() as egress:
    sink.stream(b"data: 1\\n\\n", b"data: [DONE]\\n\\n")
    sink.stream(b"data: 1\\n\\n", ends=False)  # and then nothing, until drop()
"""

from __future__ import annotations

from .sink import Sink


class StreamSink(Sink):
    """Answers with a chunked body, as servers of events do."""

    def stream(
        self, *pieces: bytes, status: int = 200, media_type: str = "text/event-stream", ends: bool = True
    ) -> StreamSink:
        """Script an answer of these pieces; without ``ends`` the body stays open."""
        head = f"HTTP/1.1 {status} Scripted\r\ncontent-type: {media_type}\r\ntransfer-encoding: chunked\r\n\r\n"
        chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece]
        self._script.append(b"".join([head.encode("ascii"), *chunks, b"0\r\n\r\n" if ends else b""]))
        return self

    def drop(self) -> None:
        """Break off every connection that is open."""
        for writer in list(self._open):
            writer.transport.abort()
