"""How events are put into frames: one form for WebSockets, two for server-sent events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import orjson

from .entries import Entry


class Chunk(NamedTuple):
    """A payload as it goes out (text for WebSockets, bytes for SSE), and the events that it carries."""

    payload: Any
    entries: tuple[Entry, ...]
    size: int


class Wire(Protocol):
    """One form; ``batch`` is how many events a chunk may carry."""

    batch: int

    def pack(self, entries: Sequence[Entry]) -> list[Chunk]:
        """The chunks of these events, in order."""
        ...

    def note(self, body: dict[str, Any], seq: int | None = None) -> Any:
        """A payload of our own, about the stream and not about an event. ``seq``: resume from there after it."""
        ...

    def beat(self, now_s: int) -> Any:
        """A sign of life."""
        ...


class WebSocketWire:
    """``{"batch":true,"events":[…]}``; what is urgent goes bare."""

    batch = 10

    def pack(self, entries: Sequence[Entry]) -> list[Chunk]:
        chunks = []
        for run in _runs(entries, self.batch):
            inner = b",".join(entry.json for entry in run)
            whole = inner if run[0].kind.urgent else b'{"batch":true,"events":[%b]}' % inner
            chunks.append(Chunk(whole.decode(), run, len(whole)))
        return chunks

    def note(self, body: dict[str, Any], seq: int | None = None) -> str:
        return orjson.dumps(body).decode()

    def beat(self, now_s: int) -> str:
        return self.note({"type": "ping", "timestamp": now_s})


class SseWire:
    """``id:`` and ``data:``; ``event:`` too when ``named``, which browsers then hide from ``onmessage``."""

    batch = 100

    def __init__(self, *, named: bool) -> None:
        self._named = named

    def pack(self, entries: Sequence[Entry]) -> list[Chunk]:
        chunks = []
        for start in range(0, len(entries), self.batch):
            part = tuple(entries[start : start + self.batch])
            whole = b"".join(self._frame(entry) for entry in part)
            chunks.append(Chunk(whole, part, len(whole)))
        return chunks

    def note(self, body: dict[str, Any], seq: int | None = None) -> bytes:
        name = b"event: %b\n" % body["type"].encode() if self._named else b""
        ident = b"" if seq is None else b"id: %d\n" % seq
        return b"%b%bdata: %b\n\n" % (name, ident, orjson.dumps(body))

    def beat(self, now_s: int) -> bytes:
        return b": keepalive\n\n"

    def _frame(self, entry: Entry) -> bytes:
        return b"event: %b\n%b" % (entry.kind.type.encode(), entry.sse) if self._named else entry.sse


def _runs(entries: Iterable[Entry], most: int) -> list[tuple[Entry, ...]]:
    """Cut into runs of at most ``most``, with each urgent event by itself."""
    runs: list[list[Entry]] = []
    open_run = False
    for entry in entries:
        if entry.kind.urgent:
            runs.append([entry])
            open_run = False
        elif open_run and len(runs[-1]) < most:
            runs[-1].append(entry)
        else:
            runs.append([entry])
            open_run = True
    return [tuple(run) for run in runs]


WEBSOCKET = WebSocketWire()
SSE = SseWire(named=False)
SSE_NAMED = SseWire(named=True)
