"""Messages: listed, acknowledged, resolved, archived, deleted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import attrs

from neomind_sdk import (
    Clock,
    Database,
    EventBus,
    Logger,
    MessageAcknowledged,
    MessageResolved,
    Outbox,
)
from neomind_sdk.kinds import Unusable
from neomind_sdk.units import DAY_MS

from . import tables
from .channels import DISABLED
from .configs import Configs
from .errors import BadId, MessageNotFound
from .models import MessageSettings
from .records import ACKNOWLEDGED, ACTIVE, RESOLVED, Channel, DeliveryNote, Message, Wanted

UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
Counts = Mapping[str, Mapping[str, int]]


@attrs.frozen
class Page:
    """Messages of a page, how many there are in all, and counts of deliveries by message and state."""

    messages: Sequence[Message]
    total: int
    counts: Counts


@attrs.frozen
class Detail:
    """A message and what became of it in each channel."""

    message: Message
    notes: Sequence[DeliveryNote]


class Messages:
    """What was raised. Any status may follow any other; each keeps who brought the message there, and when."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        bus: EventBus,
        clock: Clock,
        log: Logger,
        configs: Configs,
        settings: Callable[[], MessageSettings],
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._bus = bus
        self._clock = clock
        self._log = log
        self._configs = configs
        self._settings = settings

    # ---- looking up ----

    async def page(self, wanted: Wanted) -> Page:
        """Newest first."""

        def work() -> Page:
            messages, total = tables.page(wanted)
            return Page(messages, total, tables.note_counts([message.id for message in messages]))

        return await self._database.read(work)

    async def get(self, message_id: str) -> Detail:
        """Raises ``BadId``, ``MessageNotFound``."""
        ident = checked(message_id)

        def work() -> tuple[Message | None, Sequence[DeliveryNote], Sequence[Channel]]:
            return tables.get(ident), tables.notes_of(ident), tables.channels()

        message, notes, channels = await self._database.read(work)
        if message is None:
            raise MessageNotFound(message_id)
        return Detail(message, await self._current(notes, {one.name: one for one in channels}))

    async def stats(self) -> Mapping[str, Mapping[str, int]]:
        """How many messages there are by category, severity and status."""
        columns = ("category", "severity", "status")
        return await self._database.read(lambda: {column: tables.counts(column) for column in columns})

    # ---- changing ----

    async def move(self, message_id: str, status: str, by: str) -> str:
        """Bring a message into a status; returns its id. Raises ``BadId``, ``MessageNotFound``."""
        ident, now_ms = checked(message_id), self._clock.now_ms()

        def work() -> tuple[str | None, bool]:
            before = tables.status_of(ident)
            return before, bool(before) and bool(tables.move([ident], status, now_ms, by))

        before, _ = await self._database.write(work)
        if before is None:
            raise MessageNotFound(message_id)
        if before != status:
            self._tell(ident, status, by)
        return ident

    async def move_all(self, message_ids: Sequence[str], status: str, by: str) -> int:
        """Bring those messages that there are into a status; how many. Raises ``BadId`` for any that is none."""
        idents = [checked(ident) for ident in dict.fromkeys(message_ids)]
        work = partial(tables.move, idents, status, self._clock.now_ms(), by)
        return len(await self._database.write(work))

    async def delete(self, message_id: str) -> None:
        """Raises ``BadId``, ``MessageNotFound``."""
        if not await self._database.write(partial(tables.delete, [checked(message_id)])):
            raise MessageNotFound(message_id)

    async def delete_all(self, message_ids: Sequence[str]) -> int:
        """How many there were. Raises ``BadId``."""
        idents = [checked(ident) for ident in dict.fromkeys(message_ids)]
        return await self._database.write(partial(tables.delete, idents))

    async def clean(self, older_than_days: int) -> int:
        """Delete messages by age, in small steps; returns how many."""
        before_ms, count = self._clock.now_ms() - older_than_days * DAY_MS, 0
        while deleted := await self._database.write(partial(tables.delete_before, before_ms)):
            count += deleted
        return count

    async def retain(self) -> None:
        """Delete what is older than the settings say."""
        days = self._settings().retention_days
        if days and (count := await self.clean(days)):
            self._log.info("old_messages_deleted", count=count)

    # ---- help ----

    def _tell(self, message_id: str, status: str, by: str) -> None:
        if status == ACKNOWLEDGED:
            self._bus.publish(MessageAcknowledged(message_id=message_id, acknowledged_by=by))
        elif status == RESOLVED:
            self._bus.publish(MessageResolved(message_id=message_id))

    async def _current(self, notes: Sequence[DeliveryNote], channels: Mapping[str, Channel]) -> Sequence[DeliveryNote]:
        """Deliveries as the outbox has them now; of those that wait for their channel, why."""
        open_ones = [note.delivery_id for note in notes if note.state != tables.DELIVERED]
        records = await self._outbox.get(open_ones) if open_ones else {}
        found = []
        for note in notes:
            if record := records.get(note.delivery_id):
                note = attrs.evolve(note, state=record.state, attempts=record.attempts, detail=record.detail)
            if note.state == tables.PENDING and (reason := self._waits(channels.get(note.channel))):
                note = attrs.evolve(note, detail=f"waits: {reason}")
            found.append(note)
        return found

    def _waits(self, channel: Channel | None) -> str | None:
        """Why nothing is sent through a channel at the moment."""
        if channel is None:
            return None
        if not channel.enabled:
            return channel.trouble or DISABLED
        try:
            self._configs.ready(channel)
        except Unusable as error:
            return str(error)
        return None


def checked(message_id: str) -> str:
    """The id in lower case; raises ``BadId`` for what is none."""
    if not UUID.fullmatch(message_id.lower()):
        raise BadId(message_id)
    return message_id.lower()


def active(stats: Mapping[str, Mapping[str, int]]) -> int:
    return stats["status"].get(ACTIVE, 0)
