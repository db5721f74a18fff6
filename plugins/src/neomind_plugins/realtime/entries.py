"""Events that are encoded: once each, for everybody."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import orjson

from neomind_sdk import Logger, Notice, units

from .events import tell_of
from .kinds import Fact, Kind
from .plain import plain

OPTIONS = orjson.OPT_NON_STR_KEYS


class Entry:
    """An event on the wire. ``json`` is shared by all who get it, and so is ``sse``, made when the first one asks."""

    __slots__ = ("_sse", "json", "kind", "names", "seq", "series")

    def __init__(self, seq: int, kind: Kind, json: bytes, series: str | None = None, name: str | None = None) -> None:
        self.seq = seq
        self.kind = kind
        self.json = json
        self.series = series
        self.names = (kind.type,) if name is None else (kind.type, name)
        self._sse: bytes | None = None

    @property
    def sse(self) -> bytes:
        """The unnamed frame; JSON never holds a raw line break."""
        if self._sse is None:
            self._sse = b"id: %d\ndata: %b\n\n" % (self.seq, self.json)
        return self._sse

    @property
    def size(self) -> int:
        return len(self.json)


class Encoder:
    """Makes entries of notices, with a sequence number each.

    A notice may be many events on the wire, so their numbers go on from the notice's: they rise always, also over
    restarts, because the bus counts from the wall clock and far slower than it.
    """

    def __init__(self, log: Logger, start: int) -> None:
        self._log = log
        self.seq = start
        salt = secrets.token_hex(8)
        self._id_prefix = f"{salt[:8]}-{salt[8:12]}-4{salt[12:15]}"

    def entries(self, notice: Notice) -> Iterator[Entry]:
        """What a notice is on the wire. What cannot be told is logged and left out."""
        tell = tell_of(type(notice.event))
        try:
            for fact in tell(notice.event) if tell else ():
                try:
                    yield self._entry(fact, notice)
                except (TypeError, RecursionError) as error:  # one value that is not JSON; the others may be
                    self._complain(notice, error)
        except Exception as error:  # an event of a stranger, derived from one of ours
            self._complain(notice, error)

    def _complain(self, notice: Notice, error: Exception) -> None:
        self._log.warning("event_cannot_be_streamed", type=type(notice.event).__name__, exc_info=error)

    def _entry(self, fact: Fact, notice: Notice) -> Entry:
        self.seq = seq = max(self.seq + 1, notice.seq)
        at = notice.at_ms // 1000 if fact.ts_ms is None else units.seconds(fact.ts_ms)
        event = {
            "id": self.ident(seq),
            "type": fact.kind.type,
            "timestamp": at,
            "source": fact.source,
            "data": _data(fact, at),
            "seq": seq,
        }
        json = orjson.dumps(event, default=plain, option=OPTIONS)
        return Entry(seq, fact.kind, json, fact.series, fact.name)

    def ident(self, seq: int) -> str:
        """The event's id: a version 4 UUID that is random for this run and ends in the sequence number."""
        return f"{self._id_prefix}-8{seq >> 48 & 0xFFF:03x}-{seq & 0xFFFFFFFFFFFF:012x}"


def _data(fact: Fact, at: int | float) -> dict[str, Any]:
    kind, data = fact.kind, fact.data
    if kind.typed:
        return {"type": kind.type, **data, "timestamp": at}
    if kind.stamped:
        return {**data, "timestamp": at}
    return {**data, "data": {**data["data"], "timestamp": at}} if kind.deep else data
