"""What waits for one stream: bounded, whatever its client does."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import attrs

from neomind_sdk import Clock

from .entries import Entry
from .wires import Chunk, Wire


@attrs.frozen
class Bounds:
    """At most so many events, and so many bytes of them, wait for a stream."""

    events: int
    bytes: int


class Backlog:
    """What waits for a client that lags: of each series the newest value, of all else the newest few.

    ``dropped`` counts what it gave up. When both kinds are too many, the oldest of the larger one goes, so that
    neither can crowd out the other: up to half of ``Bounds.events`` series always keep their newest value.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._values: OrderedDict[str, Entry] = OrderedDict()
        self._others: deque[Entry] = deque()
        self._bytes = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._values) + len(self._others)

    def add(self, entry: Entry) -> None:
        if entry.series is None:
            self._others.append(entry)
        else:
            if entry.series in self._values:
                self._lose(self._values.pop(entry.series))
            self._values[entry.series] = entry
        self._bytes += entry.size
        while len(self) > 1 and (len(self) > self._bounds.events or self._bytes > self._bounds.bytes):
            self._lose(self._oldest_of_larger())

    def pop(self, most: int) -> list[Entry]:
        """The oldest ``most`` events, in order."""
        found = [self._pop() for _ in range(min(most, len(self)))]
        self._bytes -= sum(entry.size for entry in found)
        return found

    def restore(self, entries: Sequence[Entry]) -> None:
        """Take back what was just popped: it is older than all that is here."""
        for entry in reversed(entries):
            if entry.series is None:
                self._others.appendleft(entry)
            else:
                self._values[entry.series] = entry
                self._values.move_to_end(entry.series, last=False)
            self._bytes += entry.size

    def _pop(self) -> Entry:
        if not self._values or (self._others and self._others[0].seq < next(iter(self._values.values())).seq):
            return self._others.popleft()
        return self._values.popitem(last=False)[1]

    def _oldest_of_larger(self) -> Entry:
        if len(self._others) > len(self._values):
            return self._others.popleft()
        return self._values.popitem(last=False)[1]

    def _lose(self, entry: Entry) -> None:
        self._bytes -= entry.size
        self.dropped += 1


class Outbox:
    """The queue between the hub, which never waits, and the one task that writes to the client.

    As long as the client keeps up, it holds chunks that are shared with other streams. When too much waits, the chunks
    are taken apart into a ``Backlog``, and until that is empty, frames are made for this stream alone.
    ``busy_since`` is when the writer took what it has not finished writing yet (monotonic seconds), ``None`` when it
    waits for more. ``write`` writes a payload at once and gives what is left to wait for, if anything: then a chunk
    goes out past a writer that is asleep, without waking it.
    """

    def __init__(self, wire: Wire, bounds: Bounds, clock: Clock) -> None:
        self._wire = wire
        self._bounds = bounds
        self._clock = clock
        self._notes: deque[Any] = deque()
        self._chunks: deque[Chunk] = deque()
        self._events = self._bytes = 0
        self._backlog: Backlog | None = None
        self._lost = 0
        self._wake = asyncio.Event()
        self._asleep = False
        self._rest: Awaitable[None] | None = None
        self.write: Callable[[Any], Awaitable[None] | None] | None = None
        self.busy_since: float | None = clock.monotonic()
        self.ended = False

    @property
    def waiting(self) -> int:
        """How many events wait."""
        return self._events + len(self._backlog or ())

    @property
    def empty(self) -> bool:
        return not (self._notes or self._chunks or self._backlog or self._lost)

    def put(self, chunk: Chunk) -> None:
        """Let a chunk wait its turn."""
        if self.ended or (self._asleep and self._written(chunk)):
            return
        if self._backlog is not None:
            self._keep(self._backlog, chunk.entries)
        else:
            self._append(chunk)
            if len(self._chunks) > 1 and (self._events > self._bounds.events or self._bytes > self._bounds.bytes):
                self._take_apart()
        self._wake.set()

    def note(self, payload: Any) -> None:
        """Let a payload of our own go before all events."""
        if not self.ended:
            self._notes.append(payload)
            self._wake.set()

    def lose(self, dropped: int) -> None:
        """Events were lost before they came here; the client is told."""
        self._lost += dropped
        self._wake.set()

    def end(self, *last: Any) -> None:
        """Nothing but ``last`` goes out any more."""
        self._chunks.clear()
        self._backlog = None
        self._events = self._bytes = self._lost = 0
        self._notes = deque(last)
        self.ended = True
        self._wake.set()

    async def take(self) -> Any:
        """The next payload, ``None`` at the end. To ask for it says that the one before is written."""
        self.busy_since = None
        while (payload := self._next()) is None and not self.ended:
            await self._sleep()
        self.busy_since = self._clock.monotonic()
        return payload

    async def _sleep(self) -> None:
        """Wait for more; while asleep nothing waits, and what comes may be written right away."""
        self._asleep = True
        self._wake.clear()
        try:
            await self._wake.wait()
        finally:
            self._asleep = False
        if self._rest is not None:
            rest, self._rest = self._rest, None
            await rest
            self.busy_since = None

    def _written(self, chunk: Chunk) -> bool:
        """Whether the chunk is written, or being written, past the sleeping writer."""
        if self.write is None or self._wake.is_set():
            return False
        self._rest = self.write(chunk.payload)
        if self._rest is not None:
            self.busy_since = self._clock.monotonic()
            self._wake.set()
        return True

    def _next(self) -> Any:
        if self._notes:
            return self._notes.popleft()
        if self._lost:
            lost, self._lost = self._lost, 0
            return self._wire.note({"type": "Lagged", "dropped": lost})
        if not self._chunks and self._backlog is not None:
            self._refill(self._backlog)
        return self._shift() if self._chunks else None

    def _append(self, chunk: Chunk) -> None:
        self._chunks.append(chunk)
        self._events += len(chunk.entries)
        self._bytes += chunk.size

    def _shift(self) -> Any:
        chunk = self._chunks.popleft()
        self._events -= len(chunk.entries)
        self._bytes -= chunk.size
        return chunk.payload

    def _take_apart(self) -> None:
        self._backlog = Backlog(self._bounds)
        for chunk in self._chunks:
            self._keep(self._backlog, chunk.entries)
        self._chunks.clear()
        self._events = self._bytes = 0

    def _keep(self, backlog: Backlog, entries: Iterable[Entry]) -> None:
        before = backlog.dropped
        for entry in entries:
            backlog.add(entry)
        self._lost += backlog.dropped - before

    def _refill(self, backlog: Backlog) -> None:
        first, *rest = self._wire.pack(backlog.pop(self._wire.batch))
        self._append(first)
        backlog.restore([entry for chunk in rest for entry in chunk.entries])
        if not backlog:
            self._backlog = None
