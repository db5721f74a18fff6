"""The tables of messages and the queries on them; called inside ``await db.read(…)`` and ``await db.write(…)`` only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import attrs
import orjson
from peewee import AutoField, BigIntegerField, BooleanField, IntegerField, TextField, fn

from neomind_sdk.tables import Model

from .records import Channel, DeliveryNote, Filter, Message, Switch, Wanted

PENDING, DELIVERED, DEAD = "pending", "delivered", "dead"
STEP = 500
JSON_OF_MESSAGE = ("metadata", "tags")
JSON_OF_CHANNEL = ("config", "sealed", "chosen")
MESSAGE_COLUMNS = tuple(field.name for field in attrs.fields(Message))
CHANNEL_COLUMNS = tuple(field.name for field in attrs.fields(Channel))
NOTE_COLUMNS = tuple(field.name for field in attrs.fields(DeliveryNote))


class MessageRow(Model):
    """A message; ``metadata`` and ``tags`` are JSON texts. ``seq`` is the order in which they were raised."""

    seq = AutoField()
    id = TextField(unique=True)
    title = TextField()
    message = TextField()
    severity = TextField()
    category = TextField()
    source = TextField()
    source_type = TextField()
    created_ms = BigIntegerField(index=True)
    status = TextField(index=True)
    metadata = TextField(null=True)
    tags = TextField()
    repeat_key = TextField(null=True)
    repeat_of = TextField(null=True)
    repeats = IntegerField(default=0)
    acknowledged_ms = BigIntegerField(null=True)
    acknowledged_by = TextField(null=True)
    resolved_ms = BigIntegerField(null=True)
    resolved_by = TextField(null=True)
    archived_ms = BigIntegerField(null=True)
    archived_by = TextField(null=True)

    class Meta:
        table_name = "messages_messages"
        indexes = ((("repeat_key", "created_ms"), False),)


class ChannelRow(Model):
    """A channel; ``config``, ``sealed`` and ``chosen`` are JSON texts."""

    name = TextField(primary_key=True)
    channel_type = TextField()
    plugin = TextField()
    config = TextField()
    sealed = TextField()
    enabled = BooleanField()
    trouble = TextField(null=True)
    chosen = TextField()
    created_ms = BigIntegerField()
    updated_ms = BigIntegerField()

    class Meta:
        table_name = "messages_channels"


class DeliveryRow(Model):
    """A delivery of a message through a channel."""

    delivery_id = TextField(primary_key=True)
    message_id = TextField(index=True)
    channel = TextField()
    state = TextField()
    attempts = IntegerField(default=0)
    detail = TextField(default="")

    class Meta:
        table_name = "messages_deliveries"
        indexes = ((("channel", "state"), False),)


MODELS = (MessageRow, ChannelRow, DeliveryRow)


# ---- messages ----


def insert(message: Message) -> None:
    MessageRow.insert(**columns(message, JSON_OF_MESSAGE)).execute()


def repeated(key: str, since_ms: int, now_ms: int) -> str | None:
    """The message that was sent under this key after ``since_ms``; one of the future, by a clock set back, is none."""
    first = (MessageRow.repeat_key == key) & MessageRow.repeat_of.is_null()
    recent = (MessageRow.created_ms > since_ms) & (MessageRow.created_ms <= now_ms)
    query = MessageRow.select(MessageRow.id).where(first, recent).order_by(MessageRow.seq.desc()).limit(1)
    found: Any = query.scalar()
    return None if found is None else str(found)


def count_repeat(message_id: str) -> None:
    MessageRow.update(repeats=MessageRow.repeats + 1).where(MessageRow.id == message_id).execute()


def get(message_id: str) -> Message | None:
    row = MessageRow.get_or_none(MessageRow.id == message_id)
    return None if row is None else message_of(row)


def page(wanted: Wanted) -> tuple[Sequence[Message], int]:
    """The messages of a page, newest first, and how many there are in all."""
    query = MessageRow.select().where(*conditions(wanted))
    rows = query.order_by(MessageRow.seq.desc()).limit(wanted.limit).offset(wanted.offset)
    return [message_of(row) for row in rows], query.count()


def conditions(wanted: Wanted) -> list[Any]:
    exact = ("severity", "status", "category", "source_type")
    found: list[Any] = [MessageRow.seq.is_null(False)]
    found += [getattr(MessageRow, name) == getattr(wanted, name) for name in exact if getattr(wanted, name) is not None]
    if wanted.search:
        texts = (MessageRow.title, MessageRow.message, MessageRow.source)
        title, message, source = (text.contains(wanted.search) for text in texts)
        found.append(title | message | source)
    return found


def move(message_ids: Sequence[str], status: str, now_ms: int, by: str) -> tuple[str, ...]:
    """Bring messages into a status; who is in it already stays as it is. Returns the ids of those that are known."""
    known: list[str] = []
    for ids in steps(message_ids):
        rows: Iterable[Any] = MessageRow.select(MessageRow.id, MessageRow.status).where(MessageRow.id.in_(ids))
        found = {row.id: row.status for row in rows}
        moved = [ident for ident, before in found.items() if before != status]
        changes = {"status": status, f"{status}_ms": now_ms, f"{status}_by": by}
        MessageRow.update(**changes).where(MessageRow.id.in_(moved)).execute()
        known += found
    return tuple(known)


def status_of(message_id: str) -> str | None:
    found: Any = MessageRow.select(MessageRow.status).where(MessageRow.id == message_id).scalar()
    return None if found is None else str(found)


def delete(message_ids: Sequence[str]) -> int:
    """Delete messages and the notes of their deliveries; what is on its way is sent all the same."""
    count = 0
    for ids in steps(message_ids):
        DeliveryRow.delete().where(DeliveryRow.message_id.in_(ids)).execute()
        count += MessageRow.delete().where(MessageRow.id.in_(ids)).execute()
    return count


def delete_before(ts_ms: int) -> int:
    """Delete some of the messages that were raised before; returns how many, 0 when none is left."""
    rows: Any = MessageRow.select(MessageRow.id).where(MessageRow.created_ms < ts_ms).limit(STEP)
    return delete([row.id for row in rows])


def counts(column: str) -> dict[str, int]:
    """How many messages there are per value of a column."""
    field = getattr(MessageRow, column)
    query: Any = MessageRow.select(field, fn.COUNT(MessageRow.seq)).group_by(field).order_by(field).tuples()
    return dict(query)


# ---- deliveries ----


def insert_notes(notes: Sequence[DeliveryNote]) -> None:
    if notes:
        DeliveryRow.insert_many([attrs.asdict(note) for note in notes]).execute()


def settle(delivery_id: str, state: str, attempts: int, detail: str) -> None:
    changes = DeliveryRow.update(state=state, attempts=attempts, detail=detail)
    changes.where(DeliveryRow.delivery_id == delivery_id).execute()


def give_up(channel: str, detail: str) -> None:
    """What was pending in a channel will never be sent."""
    changes = DeliveryRow.update(state=DEAD, detail=detail)
    changes.where(DeliveryRow.channel == channel, DeliveryRow.state == PENDING).execute()


def notes_of(message_id: str) -> Sequence[DeliveryNote]:
    rows = DeliveryRow.select().where(DeliveryRow.message_id == message_id).order_by(DeliveryRow.channel)
    return [DeliveryNote(**{name: getattr(row, name) for name in NOTE_COLUMNS}) for row in rows]


def note_counts(message_ids: Collection[str]) -> Mapping[str, Mapping[str, int]]:
    """Per message how many of its deliveries are in each state."""
    found: dict[str, dict[str, int]] = {}
    states = (DeliveryRow.message_id, DeliveryRow.state)
    query: Any = DeliveryRow.select(*states, fn.COUNT(DeliveryRow.delivery_id)).group_by(*states).tuples()
    for ids in steps(list(message_ids)):
        for message_id, state, count in query.where(DeliveryRow.message_id.in_(ids)):
            found.setdefault(message_id, {})[state] = count
    return found


# ---- channels ----


def channels() -> Sequence[Channel]:
    """By name."""
    return [channel_of(row) for row in ChannelRow.select().order_by(ChannelRow.name)]


def switches() -> Sequence[Switch]:
    """As much of each channel as raising a message needs: it is read for every one."""
    query: Any = ChannelRow.select(ChannelRow.name, ChannelRow.enabled, ChannelRow.chosen).order_by(ChannelRow.name)
    return [
        Switch(name=name, enabled=enabled, chosen=filter_of(orjson.loads(chosen)))
        for name, enabled, chosen in query.tuples()
    ]


def channel(name: str) -> Channel | None:
    row = ChannelRow.get_or_none(ChannelRow.name == name)
    return None if row is None else channel_of(row)


def save_channel(one: Channel) -> None:
    values = columns(one, JSON_OF_CHANNEL)
    kept = [getattr(ChannelRow, name) for name in values if name != "name"]
    ChannelRow.insert(**values).on_conflict(conflict_target=[ChannelRow.name], preserve=kept).execute()


def disable(name: str, trouble: str) -> None:
    ChannelRow.update(enabled=False, trouble=trouble).where(ChannelRow.name == name).execute()


def delete_channel(name: str) -> None:
    ChannelRow.delete().where(ChannelRow.name == name).execute()


# ---- rows ----


def columns(record: Any, as_json: Collection[str]) -> dict[str, Any]:
    values = attrs.asdict(record)
    return {name: orjson.dumps(value).decode() if name in as_json else value for name, value in values.items()}


def message_of(row: Any) -> Message:
    values = {name: getattr(row, name) for name in MESSAGE_COLUMNS}
    texts = {name: orjson.loads(values[name] or "null") for name in JSON_OF_MESSAGE}
    return Message(**{**values, **texts, "tags": tuple(texts["tags"] or ())})


def channel_of(row: Any) -> Channel:
    values = {name: getattr(row, name) for name in CHANNEL_COLUMNS}
    texts = {name: orjson.loads(values[name]) for name in JSON_OF_CHANNEL}
    return Channel(**{**values, **texts, "chosen": filter_of(texts["chosen"])})


def filter_of(values: Mapping[str, Any]) -> Filter:
    return Filter(
        source_types=tuple(values["source_types"]),
        categories=tuple(values["categories"]),
        min_severity=values["min_severity"],
    )


def steps(items: Sequence[str]) -> Iterable[Sequence[str]]:
    """In pieces that fit into one statement."""
    return (items[at : at + STEP] for at in range(0, len(items), STEP))
