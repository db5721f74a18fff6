"""One lane per device with waiting commands: they are handed over one after another, in the order they were given."""

from __future__ import annotations

import asyncio
import bisect
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import attrs

from neomind_sdk import ApiError, Clock, Logger
from neomind_sdk.waiting import until

from .book import Book, Live
from .courier import Courier
from .errors import Refused, Undeliverable, Unreachable, Unsure
from .kept import DELIVERED, FAILED, QUEUED, SENT

PAUSE_S, PAUSE_MAX_S = 1.0, 30.0
"""How long after a failed attempt the next is made: twice as long each time, up to the longest."""
Spawn = Callable[[Coroutine[Any, Any, Any], str], None]


@attrs.define(eq=False)
class Lane:
    """What waits for one device. ``reason`` is why the first of it could not be sent; ``None`` while it moves."""

    waiting: list[Live] = attrs.field(factory=list)
    wake: asyncio.Event = attrs.field(factory=asyncio.Event)
    pause_s: float = PAUSE_S
    reason: str | None = None


class Lanes:
    """Every lane is a task that lives as long as something waits in it."""

    def __init__(self, book: Book, courier: Courier, clock: Clock, log: Logger, spawn: Spawn) -> None:
        self._book = book
        self._courier = courier
        self._clock = clock
        self._log = log
        self._spawn = spawn
        self._lanes: dict[str, Lane] = {}
        self._closing = False
        self._sending = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    def waiting(self, device_id: str) -> int:
        """How many commands wait for a device."""
        lane = self._lanes.get(device_id)
        return len(lane.waiting) if lane else 0

    def put(self, live: Live) -> None:
        """Let a queued command wait for its turn."""
        device_id = live.command.device_id
        if self._closing:
            live.attempted.set()
            return
        lane = self._lanes.get(device_id)
        is_new = lane is None
        lane = lane or self._lanes.setdefault(device_id, Lane())
        bisect.insort(lane.waiting, live, key=lambda one: one.number)
        if lane.reason is not None:
            self._put_off(live, lane.reason)
        if is_new:
            self._spawn(self._run(device_id, lane), f"lane:{device_id}")

    def wake(self, device_id: str | None = None) -> None:
        """Try again now: a connection came up, or a transport was started."""
        for ident in list(self._lanes) if device_id is None else [device_id]:
            if lane := self._lanes.get(ident):
                lane.pause_s = PAUSE_S
                lane.wake.set()

    def leave(self, live: Live) -> None:
        """A command has ended; if it was the first in its lane, the next need not wait for its pause."""
        lane = self._lanes.get(live.command.device_id)
        if lane and live in lane.waiting:
            lane.waiting.remove(live)
            lane.wake.set()

    async def close(self, seconds: float) -> None:
        """Begin nothing any more, and let transports take what they are taking."""
        self._closing = True
        self.wake()
        try:
            await asyncio.wait_for(self._quiet.wait(), seconds)
        except TimeoutError:
            self._log.warning("commands_still_being_sent", count=self._sending)

    async def _run(self, device_id: str, lane: Lane) -> None:
        while lane.waiting and not self._closing:
            lane.wake.clear()
            live = lane.waiting[0]
            lane.reason = await self._attempt(live)
            if lane.reason is None:
                lane.pause_s = PAUSE_S
                if live in lane.waiting:
                    lane.waiting.remove(live)
                live.attempted.set()
                continue
            for one in lane.waiting:
                self._put_off(one, lane.reason)
            await until(self._clock, lane.pause_s, lane.wake)
            lane.pause_s = min(lane.pause_s * 2, PAUSE_MAX_S)
        del self._lanes[device_id]

    def _put_off(self, live: Live, reason: str) -> None:
        self._book.note(live, reason)
        live.attempted.set()

    async def _attempt(self, live: Live) -> str | None:
        """Try once; the reason when it has to be tried again. ``sent`` is written before anything is sent.

        So a command is never handed over twice: after a crash in between nobody knows, and it expires.
        """
        if self._clock.monotonic() >= live.due:
            return None  # it expires in this moment
        first, live.first = live.first, False
        try:
            transport, device = self._courier.route(live.command)
            if not await self._book.move(live, SENT):
                return None
        except Unreachable as error:
            return str(error)
        except Undeliverable as error:
            await self._fail(live, str(error))
            return None
        except ApiError as error:
            self._log.warning("command_not_sent", command_id=live.command.command_id, reason=str(error))
            return f"the storage is not ready: {error}"
        with self._one_more():
            return await self._send(live, transport, device, first)

    @contextmanager
    def _one_more(self) -> Iterator[None]:
        """Closing waits for what is done inside."""
        self._sending += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._sending -= 1
            if not self._sending:
                self._quiet.set()

    async def _refuse(self, live: Live, reason: str, first: bool) -> None:
        """A command that no transport sends is withdrawn while its caller waits, and has failed later."""
        live.refusal = reason
        if not (first and await self._withdrawn(live)):
            await self._fail(live, reason)

    async def _withdrawn(self, live: Live) -> bool:
        """Whether the storage forgot it: else it has failed, which is tried until it is written."""
        try:
            await self._book.withdraw(live)
        except ApiError as error:
            self._log.warning("command_not_withdrawn", command_id=live.command.command_id, reason=str(error))
            return False
        return True

    async def _fail(self, live: Live, reason: str) -> None:
        """End what was not sent, and say that it was not."""
        await self._book.surely(live, FAILED, error=reason, sent_ms=None)

    async def _send(self, live: Live, transport: Any, device: Any, first: bool) -> str | None:
        try:
            await self._courier.hand_over(live.command, transport, device)
        except Unreachable as error:
            await self._book.surely(live, QUEUED, error=str(error))
            return str(error)
        except Refused as error:
            await self._refuse(live, str(error), first)
        except Unsure as error:
            self._book.note(live, str(error))
        except Undeliverable as error:
            await self._fail(live, str(error))
        else:
            await self._book.surely(live, DELIVERED)
        return None
