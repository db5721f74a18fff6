"""Streams that see the same events in the same form: their frames are made once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from .entries import Entry
from .filters import Filter
from .outbox import Outbox
from .wires import Wire

WINDOW_S = 0.05
"""How long an event may wait for others to share its frame."""


class Group:
    """The first event after a pause goes out at once; what follows within ``WINDOW_S`` shares frames.

    The window is the loop's time and not the platform's clock: it is no promise about time but a way of writing less.
    """

    def __init__(self, wire: Wire, wanted: Filter) -> None:
        self._wire = wire
        self._wants = wanted.wants
        self._loop = asyncio.get_running_loop()
        self._members: dict[Outbox, None] = {}
        self._waiting: list[Entry] = []
        self._timer: asyncio.TimerHandle | None = None
        self._open_from = 0.0

    def __len__(self) -> int:
        return len(self._members)

    def join(self, outbox: Outbox) -> None:
        """From the next event on."""
        self.flush()
        self._members[outbox] = None

    def leave(self, outbox: Outbox) -> None:
        self._members.pop(outbox, None)
        if not self._members:
            self._stop_timer()

    def offer(self, entry: Entry) -> None:
        """Take an event if it is wanted here."""
        if self._wants(entry):
            self._waiting.append(entry)
            if entry.kind.urgent or len(self._waiting) >= self._wire.batch:
                self.flush()

    def settle(self) -> None:
        """There is no more for now: send what waits, or see to it that it is sent when the window closes."""
        if self._waiting and self._timer is None:
            now = self._loop.time()
            if now >= self._open_from:
                self.flush()
            else:
                self._timer = self._loop.call_later(self._open_from - now, self.flush)

    def flush(self) -> None:
        """Send what waits."""
        self._stop_timer()
        if self._waiting:
            chunks = self._wire.pack(self._waiting)
            self._waiting = []
            self._open_from = self._loop.time() + WINDOW_S
            for outbox in self._members:
                for chunk in chunks:
                    outbox.put(chunk)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Groups:
    """All groups, by form and filter."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Wire, Filter], Group] = {}
        self._all: tuple[Group, ...] = ()

    def __iter__(self) -> Iterator[Group]:
        return iter(self._all)

    def join(self, wire: Wire, wanted: Filter, outbox: Outbox) -> Callable[[], None]:
        """Put a stream in the group that it belongs to; what is returned takes it out again."""
        key = (wire, wanted)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(wire, wanted)
            self._all = tuple(self._groups.values())
        group.join(outbox)

        def leave() -> None:
            group.leave(outbox)
            if not len(group) and self._groups.get(key) is group:
                del self._groups[key]
                self._all = tuple(self._groups.values())

        return leave
