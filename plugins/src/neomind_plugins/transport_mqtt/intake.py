"""From messages of a broker to stored samples: one call of ``Ingest`` per batch, acknowledged after it returned."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import attrs

from neomind_sdk import ApiError, Clock, Ingest, Logger, StorageFull, TelemetryStore, Unavailable, Uplink

from .packets import DUP, RETAIN, Message
from .payloads import decode
from .routing import Route, Router
from .seen import Seen, digest_of

TRANSPORT = "mqtt"
MAX_UNKNOWN = 2 * 1024 * 1024
RETAINED_KEPT = 10_000
RETRY_FIRST_S = 0.05
RETRY_MOST_S = 5.0
TICK_S = 0.001
TICKS = 3
QUIET_S = 10.0
Job = tuple[Uplink, int]
"""A message, and its packet id; 0 where nobody waits for an acknowledgement."""


@attrs.frozen(kw_only=True)
class Surroundings:
    """What every adapter's intake works with.

    ``drafts``       whether somebody takes what unknown devices send
    ``acknowledge``  brings what a device says about a command to who waits for it; raises the storage's errors
    """

    ingest: Ingest
    store: TelemetryStore
    clock: Clock
    log: Logger
    drafts: Callable[[], bool]
    acknowledge: Callable[[str, Any], Awaitable[None]]
    presence: Callable[[Route], None]


class Intake:
    """Takes the batches of one adapter, one after another. ``counts`` are for status pages and tests."""

    def __init__(self, around: Surroundings, router: Router, seen: Seen, adapter_id: str) -> None:
        self._around = around
        self._router = router
        self._seen = seen
        self._adapter_id = adapter_id
        self._last_ms = 0
        self._retained: dict[bytes, int] = {}
        self.counts: Counter[str] = Counter()
        self.waiting_for_storage = ""
        self._quiet_until = float("-inf")

    async def take(self, messages: Sequence[Message]) -> None:
        """Store a batch; then all of it may be acknowledged.

        Returns late rather than without having stored: while the storage takes nothing it tries again, and the caller
        reads no further.
        """
        again = await self._repeated(messages)
        now_ms = await self._next_ms()
        jobs: list[Job] = []
        acks: list[Message] = []
        for message in messages:
            if message.packet_id not in again:
                uplink = self._uplink(message, now_ms, acks)
                if uplink is not None:
                    jobs.append((uplink, message.packet_id))
        self.counts["received"] += len(messages)
        if jobs:
            await self._store(jobs)
        for message in acks:
            await self._acknowledge(message)

    async def _next_ms(self) -> int:
        """The time of a batch. No two have the same, so that it can be found out whether one was stored."""
        for _ in range(TICKS):  # a clock that a test turns by hand stands still
            if self._around.clock.now_ms() != self._last_ms:
                break
            await asyncio.sleep(TICK_S)
        self._last_ms = self._around.clock.now_ms()
        return self._last_ms

    def _uplink(self, message: Message, now_ms: int, acks: list[Message]) -> Uplink | None:
        topic, payload, flags, packet_id = message
        route = self._router.find(topic)
        kind = route.kind
        if kind == "presence":
            self._around.presence(route)
            return None
        if kind == "ack":
            acks.append(message)
            return None
        if kind == "ignored" or payload is None or (kind == "unknown" and not self._wanted(payload)):
            self.counts["ignored"] += 1
            return None
        if flags & RETAIN and self._old(message):
            return None
        if packet_id:
            self._seen.begin(packet_id, digest_of(message), now_ms)
        return Uplink(
            device_id=route.ident,
            payload=decode(payload) if payload else None,
            received_ms=now_ms,
            transport=TRANSPORT,
            heartbeat=not payload,
            retained=bool(flags & RETAIN),
            original_topic=topic.decode(errors="replace"),
            adapter_id=self._adapter_id,
        )

    async def _acknowledge(self, message: Message) -> None:
        """Bring it; a second time does no harm, an old one that the broker retained would."""
        device_id = self._router.find(message.topic).ident
        if not message.flags & RETAIN:
            said = decode(message.payload or b"")
            try:
                await self._patiently(partial(self._around.acknowledge, device_id, said))
            except Exception as error:
                self._refuse(device_id, message.topic.decode(errors="replace"), error)
            else:
                self.counts["acknowledgements"] += 1

    def _wanted(self, payload: bytes) -> bool:
        return 0 < len(payload) <= MAX_UNKNOWN and self._around.drafts()

    def _old(self, message: Message) -> bool:
        """Whether a retained message was taken before: brokers send them at every subscription."""
        digest = digest_of(message)
        if self._retained.get(message.topic) == digest:
            return True
        if len(self._retained) >= RETAINED_KEPT:
            del self._retained[next(iter(self._retained))]
        self._retained[message.topic] = digest
        return False

    async def _repeated(self, messages: Sequence[Message]) -> set[int]:
        """The packet ids of those that the broker sends once more and that are stored."""
        again = set()
        for message in [one for one in messages if one.flags & DUP and one.packet_id]:
            mark = self._seen.find(message.packet_id, digest_of(message))
            if mark is None:
                continue
            ident = self._router.find(message.topic).ident
            if mark.stored or await self._is_stored(ident, mark.ts_ms):
                self._seen.finish([message.packet_id])
                again.add(message.packet_id)
        self.counts["duplicates"] += len(again)
        return again

    async def _is_stored(self, device_id: str, ts_ms: int) -> bool:
        """Whether the batch with that time was committed before the process ended: it has its time for itself."""
        store = self._around.store
        for series in await store.series(f"device:{device_id}:"):
            if await store.range(series, ts_ms, ts_ms, limit=1):
                return True
        return False

    async def _store(self, jobs: list[Job]) -> None:
        """Store all; who cannot be stored for a reason of its own is found by halving, and refused alone."""
        try:
            await self._patiently(partial(self._around.ingest.submit, [uplink for uplink, _ in jobs]))
        except Exception as error:
            if len(jobs) > 1:
                middle = len(jobs) // 2
                await self._store(jobs[:middle])
                await self._store(jobs[middle:])
                return
            self._refuse(jobs[0][0].device_id, jobs[0][0].original_topic, error)
        else:
            self.counts["taken"] += len(jobs)
        self._seen.finish([packet_id for _, packet_id in jobs if packet_id])

    async def _patiently(self, submit: Callable[[], Awaitable[object]]) -> None:
        """Try until the storage takes it."""
        delay = RETRY_FIRST_S
        while True:
            try:
                await submit()
            except (Unavailable, StorageFull) as error:
                if not self.waiting_for_storage:
                    self._around.log.warning("mqtt_waits_for_storage", adapter=self._adapter_id, reason=error.message)
                self.waiting_for_storage = error.message
                await asyncio.sleep(delay * random.uniform(0.5, 1.0))
                delay = min(delay * 2, RETRY_MOST_S)
            else:
                self.waiting_for_storage = ""
                return

    def _refuse(self, device_id: str, topic: str | None, error: Exception) -> None:
        self.counts["refused"] += 1
        now_s = self._around.clock.monotonic()
        if now_s < self._quiet_until:  # one broken device shall not fill the log
            return
        self._quiet_until = now_s + QUIET_S
        reason = error.message if isinstance(error, ApiError) else f"{type(error).__name__}: {error}"
        self._around.log.warning("mqtt_message_refused", device_id=device_id, topic=topic, reason=reason)
