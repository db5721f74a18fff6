"""Tables of devices and the queries on them; called inside ``await db.read(…)`` and ``await db.write(…)`` only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import orjson
from peewee import BigIntegerField, BooleanField, IntegerField, TextField

from neomind_sdk import CommandDef, Device, DeviceType, MetricDef, ParamDef
from neomind_sdk.tables import Model

from .standing import Standing


class TypeRow(Model):
    """A device type; ``definition`` is the whole of it as JSON."""

    device_type = TextField(primary_key=True)
    definition = TextField()

    class Meta:
        table_name = "devices_type"


class DeviceRow(Model):
    """A device; the token of its webhook is kept as a hash only."""

    device_id = TextField(primary_key=True)
    name = TextField()
    device_type = TextField(index=True)
    adapter_type = TextField()
    connection_config = TextField()
    adapter_id = TextField(null=True)
    offline_timeout_secs = IntegerField(null=True)
    created_ms = BigIntegerField()
    token_hash = TextField(null=True)

    class Meta:
        table_name = "devices_device"


class SeenRow(Model):
    """When a device was last heard from; apart from the device, because it changes all the time."""

    device_id = TextField(primary_key=True)
    at_ms = BigIntegerField()

    class Meta:
        table_name = "devices_seen"


class StandingRow(Model):
    """Whether a device was told to be online or offline when it was heard from or missed last."""

    device_id = TextField(primary_key=True)
    online = BooleanField()
    since_ms = BigIntegerField(null=True)
    reason = TextField(null=True)

    class Meta:
        table_name = "devices_standing"


MODELS = (TypeRow, DeviceRow, SeenRow, StandingRow)


@attrs.frozen
class Loaded:
    """Everything there is, at start."""

    types: Sequence[DeviceType]
    devices: Sequence[tuple[Device, str | None]]
    seen: Mapping[str, int]
    standings: Mapping[str, Standing]


def load() -> Loaded:
    types = [type_of_json(row.definition) for row in TypeRow.select()]
    devices = [(device_of(row), row.token_hash) for row in DeviceRow.select()]
    seen = {row.device_id: row.at_ms for row in SeenRow.select()}
    return Loaded(types, devices, seen, {row.device_id: standing_of(row) for row in StandingRow.select()})


def put_type(device_type: DeviceType) -> None:
    """Insert or replace."""
    row = {"device_type": device_type.device_type, "definition": json_of_type(device_type)}
    TypeRow.insert(row).on_conflict(conflict_target=[TypeRow.device_type], preserve=[TypeRow.definition]).execute()


def delete_type(name: str) -> None:
    TypeRow.delete().where(TypeRow.device_type == name).execute()


def insert_device(device: Device, token_hash: str | None) -> None:
    DeviceRow.insert(row_of(device, token_hash)).execute()


def update_device(device: Device, token_hash: str | None) -> None:
    DeviceRow.update(row_of(device, token_hash)).where(DeviceRow.device_id == device.device_id).execute()


def delete_device(device_id: str) -> None:
    """The device and when it was seen."""
    for table in (DeviceRow, SeenRow, StandingRow):
        table.delete().where(table.device_id == device_id).execute()


def save_presence(presence: Mapping[str, tuple[int, Standing]]) -> None:
    """Keep when devices were seen and how they stand; those that were removed meanwhile are left out."""
    known = [row.device_id for row in DeviceRow.select(DeviceRow.device_id).where(DeviceRow.device_id.in_([*presence]))]
    if known:
        upsert(SeenRow, [{"device_id": ident, "at_ms": presence[ident][0]} for ident in known])
        upsert(StandingRow, [{"device_id": ident, **attrs.asdict(presence[ident][1])} for ident in known])


def upsert(table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    others = [field for field in table._meta.sorted_fields if field.name != "device_id"]
    table.insert_many(rows).on_conflict(conflict_target=[table.device_id], preserve=others).execute()


def standing_of(row: StandingRow) -> Standing:
    columns: Any = {field.name: getattr(row, field.name) for field in attrs.fields(Standing)}
    return Standing(**columns)


def row_of(device: Device, token_hash: str | None) -> dict[str, Any]:
    columns = attrs.asdict(device, recurse=False)
    return {**columns, "connection_config": orjson.dumps(device.connection_config).decode(), "token_hash": token_hash}


def device_of(row: DeviceRow) -> Device:
    columns = {field.name: getattr(row, field.name) for field in attrs.fields(Device)}
    return Device(**{**columns, "connection_config": orjson.loads(row.connection_config)})


def json_of_type(device_type: DeviceType) -> str:
    return orjson.dumps(attrs.asdict(device_type)).decode()


def type_of_json(text: str) -> DeviceType:
    """The inverse of ``json_of_type``."""
    values = orjson.loads(text)
    values["metrics"] = [MetricDef(**tupled(metric)) for metric in values["metrics"]]
    values["commands"] = [command_of(command) for command in values["commands"]]
    return DeviceType(**tupled(values))


def command_of(values: dict[str, Any]) -> CommandDef:
    values["parameters"] = [ParamDef(**tupled(parameter)) for parameter in values["parameters"]]
    return CommandDef(**tupled(values))


def tupled(values: dict[str, Any]) -> dict[str, Any]:
    """The lists of a definition are tuples; ``default_value`` is JSON and stays what it is."""
    lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list) and key != "default_value"}
    return {**values, **lists}
