"""A link to one broker: connects, connects again, subscribes, hands over what comes, and is told what to stop for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping

import attrs

from neomind_sdk import Logger

from .intake import Intake
from .packets import DUP, Message
from .routing import Router
from .seam import Connect, Connection, Target
from .seen import Seen
from .topics import without_covered

BATCH = 500
# Beyond this the socket is not read; the broker then keeps the rest.
HIGH_MESSAGES, LOW_MESSAGES = 4000, 1000
HIGH_BYTES = 16 * 1024 * 1024
RECONNECT_FIRST_S = 0.1
RECONNECT_MOST_S = 3.0
STEADY_S = 10.0
AT_ONCE = 100
"""Filters of one SUBSCRIBE; not every broker takes many."""


@attrs.frozen(kw_only=True)
class Parts:
    """What a link is made of. ``target`` says where to connect, and raises ``ConnectionError`` when it cannot."""

    adapter_id: str
    target: Callable[[], Awaitable[Target]]
    wanted: Callable[[], Mapping[str, int]]
    connect: Connect
    intake: Intake
    router: Router
    seen: Seen
    log: Logger


class Link:
    """One adapter. ``active`` are the filters that the broker granted."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._connection: Connection | None = None
        # Messages of a session that the broker kept come before we have subscribed, or even know that we are connected.
        self._open: Connection | None = None
        self._epoch = 0
        self._acks: list[int] = []
        self._inbox: list[Message] = []
        self._stale = 0  # so many of the inbox are of a connection that is gone
        self._bytes = 0
        self._paused = False
        self._arrived = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._batches: set[asyncio.Task[None]] = set()
        self._changing = asyncio.Lock()
        self.active: dict[str, int] = {}
        self.refused: set[str] = set()
        self.last_error = ""
        self.reconnects = -1

    @property
    def adapter_id(self) -> str:
        return self._parts.adapter_id

    @property
    def router(self) -> Router:
        return self._parts.router

    @property
    def intake(self) -> Intake:
        return self._parts.intake

    @property
    def connected(self) -> bool:
        return self._connection is not None

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._keep_connected()), asyncio.create_task(self._work())]

    async def stop(self) -> None:
        """What came and is not stored is not acknowledged: the broker keeps it."""
        tasks = [*self._tasks, *self._batches]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        connection, self._connection, self._open = self._open, None, None
        if connection is not None:
            await connection.close()
        await asyncio.to_thread(self._parts.seen.close)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """At QoS 1; raises ``ConnectionError``."""
        if self._connection is None:
            raise ConnectionError(f"not connected: {self.last_error or 'the broker does not answer'}")
        self._parts.router.published(topic)
        await self._connection.publish(topic, payload, retain=retain)

    async def refresh(self) -> None:
        """Devices or subscriptions have changed; raises ``ConnectionError``."""
        self._parts.router.forget()
        async with self._changing:
            if self._connection is not None:
                await self._subscribe(self._connection)

    # ---- connecting

    async def _keep_connected(self) -> None:
        delay, loop = RECONNECT_FIRST_S, asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                self.last_error = await self._once()
            except (OSError, ValueError) as error:
                self._note(str(error) or type(error).__name__)
            delay = RECONNECT_FIRST_S if loop.time() - began > STEADY_S else min(delay * 2, RECONNECT_MOST_S)
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))

    async def _once(self) -> str:
        """From connecting until the connection is gone; returns why."""
        target = await self._parts.target()
        self._epoch += 1
        self._acks, self._stale = [], len(self._inbox)
        connection = self._open = await self._parts.connect(target, self._received)
        try:
            self._acknowledge([])
            if not connection.session_present:
                self.active = {}
                await asyncio.to_thread(self._parts.seen.forget)
            async with self._changing:
                await self._subscribe(connection, anew=True)
                self._connection, self.last_error = connection, ""
            self.reconnects += 1
            self._parts.log.info("mqtt_connected", adapter=self.adapter_id, session=connection.session_present)
            reason = await connection.closed()
            self._note(reason)
            return reason
        finally:
            self._connection = self._open = None
            await connection.close()

    def _note(self, reason: str) -> None:
        if reason != self.last_error:
            self._parts.log.warning("mqtt_not_connected", adapter=self.adapter_id, reason=reason)
        self.last_error = reason

    async def _subscribe(self, connection: Connection, *, anew: bool = False) -> None:
        wanted = dict(self._parts.wanted())
        kept = {one: wanted[one] for one in without_covered(wanted)}
        missing = [item for item in kept.items() if anew or item[0] not in self.active]
        refused = set() if anew else self.refused & set(kept)
        for start in range(0, len(missing), AT_ONCE):
            part = missing[start : start + AT_ONCE]
            granted = await connection.subscribe(part)
            refused |= {one for (one, _), given in zip(part, granted, strict=True) if not given}
        self.refused = refused
        gone = [one for one in self.active if one not in kept]
        if gone:
            await connection.unsubscribe(gone)
        self.active = {one: qos for one, qos in kept.items() if one not in self.refused}

    # ---- receiving

    def _received(self, messages: list[Message]) -> None:
        self._inbox += messages
        self._bytes += size_of(messages)
        self._arrived.set()
        self._pace()

    def _pace(self) -> None:
        """Read on, or not."""
        waiting = len(self._inbox)
        if waiting > HIGH_MESSAGES or self._bytes > HIGH_BYTES:
            self._paused = True
        elif waiting < LOW_MESSAGES and self._bytes < HIGH_BYTES // 2:
            self._paused = False
        if self._open is not None:
            (self._open.pause if self._paused else self._open.resume)()

    async def _work(self) -> None:
        """Two batches at a time: while one is being written, the next is taken apart."""
        before: asyncio.Task[None] | None = None
        while True:
            await self._arrived.wait()
            task = asyncio.create_task(self._next(before))
            self._batches.add(task)
            task.add_done_callback(self._batches.discard)
            await asyncio.sleep(0)  # it takes its batch now
            if before is not None:
                await asyncio.wait({before})
            before = task

    async def _next(self, before: asyncio.Task[None] | None) -> None:
        """Store the next batch, and acknowledge it after the one before."""
        batch = self._inbox[:BATCH]
        del self._inbox[:BATCH]
        epoch, stale = self._epoch, min(self._stale, len(batch))
        self._stale -= stale
        if not self._inbox:
            self._arrived.clear()
        if before is not None and any(message.flags & DUP for message in batch):
            await asyncio.wait({before})  # it may have the same messages; whether they are stored can be told then
        taken = await self._take(batch)
        if before is not None:
            await asyncio.wait({before})
        self._bytes -= size_of(batch)
        # Packet ids of a connection that is gone mean nothing to the next one; the broker sends those again.
        if taken and epoch == self._epoch:
            self._acknowledge([message.packet_id for message in batch[stale:] if message.packet_id])
        self._pace()

    def _acknowledge(self, packet_ids: list[int]) -> None:
        """Now, or as soon as the connection that they came by is there to write to."""
        self._acks += packet_ids
        if self._open is not None and self._acks:
            self._open.ack(self._acks)
            self._acks = []

    async def _take(self, batch: list[Message]) -> bool:
        """Whether the batch may be acknowledged. After a fault of ours the broker shall send it again, later."""
        try:
            await self._parts.intake.take(batch)
        except Exception:
            self._parts.log.exception("mqtt_batch_failed", adapter=self.adapter_id)
            if self._open is not None:
                await self._open.close()
            return False
        return True


def size_of(messages: list[Message]) -> int:
    return sum([len(message[1] or b"") for message in messages])
