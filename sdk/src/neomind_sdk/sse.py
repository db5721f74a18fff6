"""Streams of text read as they arrive: server-sent events and JSON lines.

    reader = EventReader()
    async for piece in answer.chunks():
        for event in reader.feed(piece):
            ...

Pieces may be cut anywhere, inside a character or between CR and LF: the outcome depends on the bytes alone. Every
``feed`` is a generator that must be exhausted before the next piece; it raises ``TooLong`` behind whatever came first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs

__all__ = ["MAX_LINE", "Event", "EventReader", "LineReader", "TooLong"]

MAX_LINE = 1024 * 1024
"""Bytes of one line, and of the data of one event."""
_BOM = b"\xef\xbb\xbf"


class TooLong(ValueError):
    """A line, or the data of an event, is longer than the reader allows."""


@attrs.frozen(kw_only=True)
class Event:
    """A server-sent event: its name, ``message`` where it has none, and its data without the last line end."""

    name: str = "message"
    data: str = ""


class LineReader:
    """Lines without their ends, blank ones included. ``rest()`` is what stands behind the last line end.

    ``carriage_returns``: whether CR and CR LF end a line too, as in server-sent events; otherwise only LF does.
    """

    def __init__(self, *, carriage_returns: bool = False, max_line: int = MAX_LINE) -> None:
        self._ends = re.compile(rb"\r\n|\n|\r" if carriage_returns else rb"\n")
        self._max_line = max_line
        self._held = bytearray()
        self._skip_lf = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The lines that ``piece`` ends."""
        if not piece:
            return
        if self._skip_lf and piece.startswith(b"\n"):  # the second half of a CR LF that was cut in two
            piece = piece[1:]
        self._skip_lf = piece.endswith(b"\r") and self._ends.fullmatch(b"\r") is not None
        *ended, last = self._ends.split(piece)
        for part in ended:
            yield self._grown(part)
            self._held.clear()
        self._grown(last)

    def rest(self) -> bytes:
        return bytes(self._held)

    def _grown(self, part: bytes) -> bytes:
        self._held += part
        if len(self._held) > self._max_line:
            raise TooLong(f"a line is longer than {self._max_line} bytes")
        return bytes(self._held)


class EventReader:
    """Server-sent events as the HTML standard reads them; comments, ``id`` and ``retry`` are skipped.

    An event that no blank line has ended is never given out.
    """

    def __init__(self, *, max_line: int = MAX_LINE) -> None:
        self._lines = LineReader(carriage_returns=True, max_line=max_line)
        self._max_line = max_line
        self._started = False
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[Event]:
        """The events that ``piece`` ends."""
        for line in self._lines.feed(piece):
            if not self._started:
                self._started = True
                line = line.removeprefix(_BOM)
            if line:
                self._field(line)
            elif self._data or self._name:
                yield from self._dispatched()

    def _field(self, line: bytes) -> None:
        name, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value
        elif name == "data":
            self._size += len(line)
            if self._size > self._max_line:
                raise TooLong(f"an event is longer than {self._max_line} bytes")
            self._data.append(value)

    def _dispatched(self) -> Iterator[Event]:
        name, data = self._name or "message", self._data
        self._name, self._data, self._size = "", [], 0
        if data:
            yield Event(name=name, data="\n".join(data))
