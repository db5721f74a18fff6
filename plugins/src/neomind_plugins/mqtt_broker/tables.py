"""Tables of the broker and their queries; called inside ``await db.read(…)`` and ``await db.write(…)`` only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs
from peewee import TextField

from neomind_sdk.tables import Model


class ConfigRow(Model):
    """What was changed of the settings, one row per field, as JSON."""

    field = TextField(primary_key=True)
    json = TextField()

    class Meta:
        table_name = "mqtt_broker_config"


class CredentialRow(Model):
    """A device's credential; the password is encrypted."""

    username = TextField(primary_key=True)
    sealed = TextField()

    class Meta:
        table_name = "mqtt_broker_credential"


MODELS = (ConfigRow, CredentialRow)


@attrs.frozen
class Stored:
    changes: Mapping[str, Any]
    credentials: Mapping[str, str]


def load() -> Stored:
    changes = {row.field: json.loads(row.json) for row in ConfigRow.select()}
    return Stored(changes, {row.username: row.sealed for row in CredentialRow.select()})


def save_config(values: Mapping[str, Any]) -> None:
    """Insert or replace these fields."""
    for field, value in values.items():
        row = ConfigRow.insert(field=field, json=json.dumps(value))
        row.on_conflict(conflict_target=[ConfigRow.field], preserve=[ConfigRow.json]).execute()


def add_credential(username: str, sealed: str) -> None:
    CredentialRow.insert(username=username, sealed=sealed).execute()


def delete_credential(username: str) -> None:
    CredentialRow.delete().where(CredentialRow.username == username).execute()
