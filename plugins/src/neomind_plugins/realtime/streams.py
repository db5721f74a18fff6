"""One open stream, and how many there may be."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs

from neomind_sdk import Credentials, Principal

from .errors import TooManyOfCaller, TooManyStreams, TooManyWaiting
from .models import RealtimeSettings
from .outbox import Outbox
from .wires import Wire

GOING_AWAY, POLICY, TRY_AGAIN = 1001, 1008, 1013
MAX_WAITING = 256
MAX_WAITING_PER_ADDRESS = 32


@attrs.frozen
class Caller:
    """Who a stream is for, and what proved it."""

    principal: Principal
    credentials: Credentials

    @property
    def key(self) -> str:
        return f"{self.principal.kind}:{self.principal.id}"


@attrs.define(eq=False)
class Stream:
    """An open stream.

    ``answers``  whether its client must answer pings; ``heard`` is when it last did, ``beat`` when it was last pinged
    ``leave``    takes it out of its group; ``cut`` is set when a write that stalls must be given up
    ``close``    the code and reason that a WebSocket is closed with
    """

    caller: Caller
    wire: Wire
    outbox: Outbox
    answers: bool
    beat: float
    heard: float
    leave: Callable[[], None] = lambda: None
    cut: asyncio.Event = attrs.field(factory=asyncio.Event)
    close: tuple[int, str] = (1000, "")

    def end(self, code: int, reason: str, *last: object) -> None:
        """Nothing but ``last`` goes out any more, then it is closed."""
        if not self.outbox.ended:
            self.close = (code, reason)
            self.leave()
            self.outbox.end(*last)


class Occupancy:
    """How many streams there are, in all and of each caller."""

    def __init__(self) -> None:
        self._of: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()

    def check(self, caller: Caller, settings: RealtimeSettings) -> None:
        """Raises ``TooManyStreams`` or ``TooManyOfCaller`` when there is no room for one more."""
        if self._of.total() >= settings.max_streams:
            raise TooManyStreams(settings.max_streams)
        if self._of[caller.key] >= settings.max_streams_per_caller:
            raise TooManyOfCaller(settings.max_streams_per_caller)

    def enter(self, caller: Caller) -> None:
        self._of[caller.key] += 1

    def leave(self, caller: Caller) -> None:
        _less(self._of, caller.key)

    @contextmanager
    def waiting(self, address: str) -> Iterator[None]:
        """While a socket waits for its client to log in; raises ``TooManyWaiting``."""
        if self._waiting.total() >= MAX_WAITING or self._waiting[address] >= MAX_WAITING_PER_ADDRESS:
            raise TooManyWaiting
        self._waiting[address] += 1
        try:
            yield
        finally:
            _less(self._waiting, address)


def _less(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
