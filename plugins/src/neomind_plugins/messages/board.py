"""Where messages are raised: kept, with what their channels are to send, in one transaction."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import attrs
import orjson

from neomind_sdk import (
    Clock,
    Database,
    EventBus,
    MessageBoard,
    MessageCreated,
    NewMessage,
    Order,
    Outbox,
    ValidationFailed,
)

from . import tables
from .filters import gets
from .models import TAGS_MAX, TEXT_MAX, TITLE_MAX, WORD_MAX, MessageSettings
from .payloads import payload_of
from .records import DeliveryNote, Message, Switch
from .repeats import repeat_key
from .severities import problem_of, severity_of

KIND = "message"
METADATA_MAX = 64 * 1024


@attrs.frozen
class Raised:
    """A message that was raised, and the names among those it was for that no channel has."""

    message: Message
    unknown: tuple[str, ...] = ()


class Board(MessageBoard):
    """Raises messages. A message that was begun is kept to its end, whoever stops waiting for it."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        bus: EventBus,
        clock: Clock,
        settings: Callable[[], MessageSettings],
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self._running: set[asyncio.Task[Raised]] = set()

    async def raise_message(self, message: NewMessage) -> str:
        return (await self.post(message)).message.id

    async def post(self, new: NewMessage) -> Raised:
        """Raise a message. Raises ``ValidationFailed`` and the storage's errors."""
        task = asyncio.create_task(self._post(new))
        self._running.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for what was begun."""
        await asyncio.gather(*self._running, return_exceptions=True)

    def _done(self, task: asyncio.Task[Raised]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # who waited for it has got it; without this it counts as never retrieved

    async def _post(self, new: NewMessage) -> Raised:
        message = message_of(new, self._clock.now_ms())
        window_ms = self._settings().repeat_window_s * 1000
        raised = await self._database.write(partial(self._keep, message, new, window_ms))
        if raised.message.repeat_of is None:
            self._outbox.wake()
        self._bus.publish(
            MessageCreated(
                message_id=message.id,
                title=message.title,
                severity=message.severity,
                message=message.message,
                cause=new.cause,
                hops=new.hops,
            )
        )
        return raised

    # ---- in the storage ----

    def _keep(self, message: Message, new: NewMessage, window_ms: int) -> Raised:
        key, now_ms = message.repeat_key, message.created_ms
        first = tables.repeated(key, now_ms - window_ms, now_ms) if key is not None else None
        message = attrs.evolve(message, repeat_of=first)
        tables.insert(message)
        channels = tables.switches()
        if first is not None:
            tables.count_repeat(first)
        else:
            self._order(message, new, [one for one in channels if gets(one, message, new.channels)])
        names = {one.name for one in channels}
        return Raised(message, tuple(name for name in new.channels or () if name not in names))

    def _order(self, message: Message, new: NewMessage, channels: Sequence[Switch]) -> None:
        orders = [order_of(message, new, channel) for channel in channels]
        idents = self._outbox.put(orders) if orders else ()
        pairs = zip(idents, channels, strict=True)
        tables.insert_notes(
            [
                DeliveryNote(delivery_id=ident, message_id=message.id, channel=channel.name, state=tables.PENDING)
                for ident, channel in pairs
            ]
        )


def order_of(message: Message, new: NewMessage, channel: Switch) -> Order:
    return Order(
        lane=channel.lane,
        kind=KIND,
        payload=payload_of(channel.name, message),
        subject=message.title,
        cause=new.cause,
        hops=new.hops,
    )


def message_of(new: NewMessage, now_ms: int) -> Message:
    """A new message. Texts that are too long are cut: better a message that ends early than none."""
    title, text = sound(new.title, TITLE_MAX), sound(new.message, TEXT_MAX)
    severity = severity_of(new.severity)
    if severity is None:
        raise ValidationFailed(("severity", str(problem_of(new.severity))))
    if not title.strip():
        raise ValidationFailed(("title", "must not be blank"))
    return Message(
        id=str(uuid.uuid4()),
        title=title,
        message=text,
        severity=severity,
        category=sound(new.category, WORD_MAX),
        source=sound(new.source, WORD_MAX),
        source_type=sound(new.source_type, WORD_MAX),
        created_ms=now_ms,
        metadata=plain(new.metadata),
        tags=tuple(sound(tag, WORD_MAX) for tag in new.tags[:TAGS_MAX]),
        repeat_key=repeat_key(new, severity),
    )


def sound(text: str, size: int) -> str:
    """A text that every database and receiver can take, of at most ``size`` characters."""
    text = text.replace("\0", "").encode(errors="replace").decode()
    return text if len(text) <= size else f"{text[: size - 1]}…"


def plain(metadata: Any) -> Any:
    """The metadata as JSON has them. Raises ``ValidationFailed``."""
    try:
        raw = orjson.dumps(metadata, option=orjson.OPT_NON_STR_KEYS)
    except TypeError as error:
        raise ValidationFailed(("metadata", "must be JSON")) from error
    if len(raw) > METADATA_MAX:
        raise ValidationFailed(("metadata", f"must have at most {METADATA_MAX} bytes as JSON"))
    return orjson.loads(raw)
