"""The newest events, for streams that come back."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from .entries import Entry


class Ring:
    """Bounded by count and by bytes. ``floor`` is the newest sequence number that it cannot give back any more."""

    def __init__(self, start: int, max_entries: int, max_bytes: int) -> None:
        self.floor = self.newest = start
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: deque[Entry] = deque()

    def add(self, entry: Entry) -> None:
        self.newest = entry.seq
        self._entries.append(entry)
        self._bytes += entry.size
        while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
            oldest = self._entries.popleft()
            self._bytes -= oldest.size
            self.floor = oldest.seq

    def skip(self, seq: int) -> None:
        """Events up to ``seq`` passed by unseen: what is before them is no use either."""
        self._entries.clear()
        self._bytes = 0
        self.floor = self.newest = max(self.newest, seq)

    def after(self, seq: int | None) -> Sequence[Entry] | None:
        """What came after ``seq``; ``None`` when some of it is gone, or ``seq`` is none of this run's numbers."""
        if seq is None or not self.floor <= seq <= self.newest:
            return None
        found = [entry for entry in reversed(self._entries) if entry.seq > seq]
        found.reverse()
        return found

    def all(self) -> Sequence[Entry]:
        return tuple(self._entries)
