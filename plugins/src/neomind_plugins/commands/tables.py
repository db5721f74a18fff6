"""The tables of commands and the queries on them; called inside ``await db.read(…)`` and ``await db.write(…)`` only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import orjson
from peewee import BigIntegerField, BooleanField, Field, IntegerField, TextField

from neomind_sdk.tables import Model

from .kept import KEPT, LIVE, Command, Order

JSON_COLUMNS = ("params", "result")
COUNTER = 1


class BytesField(Field):
    """Bytes. peewee's own field for them wants to know the database when the class is made."""

    field_type = "BLOB"


class CommandRow(Model):
    """A command. ``payload`` is there until it has ended; ``params`` and ``result`` are JSON texts."""

    number = BigIntegerField(primary_key=True)
    device_id = TextField()
    command = TextField()
    params = TextField()
    payload = BytesField()
    request_id = TextField()
    requires_ack = BooleanField()
    source = TextField()
    cause = TextField(null=True)
    hops = IntegerField()
    key = TextField(null=True)
    fingerprint = TextField(null=True)
    state = TextField(index=True)
    created_ms = BigIntegerField()
    sent_ms = BigIntegerField(null=True)
    finished_ms = BigIntegerField(null=True)
    expires_ms = BigIntegerField()
    due_ms = BigIntegerField()
    result = TextField(null=True)
    error = TextField(null=True)

    class Meta:
        table_name = "commands_command"
        indexes = ((("device_id", "number"), True), (("source", "key"), True))


class CounterRow(Model):
    """The number that was given last: numbers are never given twice, even when their commands are gone."""

    id = IntegerField(primary_key=True)
    last = BigIntegerField()

    class Meta:
        table_name = "commands_counter"


MODELS = (CommandRow, CounterRow)


def create(order: Order, now_ms: int, expires_ms: int) -> tuple[Command, bool]:
    """Keep an order as a queued command; ``(the command of before, False)`` when its caller used its key before."""
    before = by_key(order.source, order.key)
    if before is not None:
        return before, False
    number = next_number()
    times: Mapping[str, Any] = {"created_ms": now_ms, "expires_ms": expires_ms, "due_ms": expires_ms}
    command = Command(**attrs.asdict(order, recurse=False), **times, number=number)
    CommandRow.insert(**columns_of(attrs.asdict(command, recurse=False))).execute()
    prune(order.device_id)
    return command, True


def next_number() -> int:
    if not CounterRow.update(last=CounterRow.last + 1).where(CounterRow.id == COUNTER).execute():
        CounterRow.insert(id=COUNTER, last=1).execute()
    return int(CounterRow.get_by_id(COUNTER).last)


def prune(device_id: str) -> None:
    """Delete all but the newest commands of a device; what has not ended stays."""
    mine = CommandRow.device_id == device_id
    newest = CommandRow.select(CommandRow.number).where(mine).order_by(CommandRow.number.desc())
    oldest = newest.offset(KEPT - 1).limit(1).scalar()
    if oldest is not None:
        CommandRow.delete().where(mine, CommandRow.number < oldest, CommandRow.state.not_in(LIVE)).execute()


def move(number: int, sources: Sequence[str], state: str, changes: Mapping[str, Any]) -> bool:
    """Bring a command into a state; ``False`` when it is in none of the states from which it may come there."""
    may = (CommandRow.number == number) & CommandRow.state.in_(sources)
    return bool(CommandRow.update(**columns_of({**changes, "state": state})).where(may).execute())


def delete(number: int) -> None:
    CommandRow.delete().where(CommandRow.number == number).execute()


def delete_of_device(device_id: str, before_ms: int) -> None:
    CommandRow.delete().where(CommandRow.device_id == device_id, CommandRow.created_ms <= before_ms).execute()


def live() -> Sequence[Command]:
    """All that have not ended, in the order they were given."""
    return [
        command_of(row) for row in CommandRow.select().where(CommandRow.state.in_(LIVE)).order_by(CommandRow.number)
    ]


def newest(device_id: str, limit: int) -> Sequence[Command]:
    """Newest first."""
    rows = CommandRow.select().where(CommandRow.device_id == device_id).order_by(CommandRow.number.desc()).limit(limit)
    return [command_of(row) for row in rows]


def get(device_id: str, number: int) -> Command | None:
    row = CommandRow.get_or_none(CommandRow.number == number, CommandRow.device_id == device_id)
    return None if row is None else command_of(row)


def by_key(source: str, key: str | None) -> Command | None:
    """The command that a caller gave with this key."""
    row = None if key is None else CommandRow.get_or_none(CommandRow.source == source, CommandRow.key == key)
    return None if row is None else command_of(row)


def columns_of(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: orjson.dumps(value).decode() if name in JSON_COLUMNS else value for name, value in values.items()}


def command_of(row: Any) -> Command:
    values = {field.name: getattr(row, field.name) for field in attrs.fields(Command)}
    texts = {name: orjson.loads(values[name] or "null") for name in JSON_COLUMNS}
    return Command(**{**values, **texts, "payload": bytes(row.payload)})
