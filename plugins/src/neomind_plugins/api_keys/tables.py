"""The table of API keys and the queries on it; called inside ``await db.read(…)`` and ``await db.write(…)`` only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from peewee import BigIntegerField, BooleanField, TextField

from neomind_sdk.tables import Model


class KeyRow(Model):
    """A key; of its text only the hash and the beginning. ``permissions`` are separated by blanks."""

    id = TextField(primary_key=True)
    name = TextField()
    key_hash = TextField(unique=True)
    preview = TextField()
    permissions = TextField()
    created_ms = BigIntegerField()
    expires_ms = BigIntegerField(null=True)
    last_used_ms = BigIntegerField(null=True)
    is_default = BooleanField(default=False)

    class Meta:
        table_name = "api_keys_keys"


MODELS = (KeyRow,)
Values = Mapping[str, Any]


def load() -> Sequence[Values]:
    """Everything there is, as dictionaries of columns."""
    rows: Iterable[Any] = KeyRow.select().dicts()
    return list(rows)


def insert(values: Values) -> None:
    KeyRow.insert(**values).execute()


def replace_default(values: Values) -> None:
    """Insert the key from the environment in place of the former one, and of any other row of the same key."""
    KeyRow.delete().where(KeyRow.is_default | (KeyRow.key_hash == values["key_hash"])).execute()
    insert(values)


def delete(key_id: str) -> None:
    KeyRow.delete().where(KeyRow.id == key_id).execute()


def save_uses(used: Mapping[str, int]) -> None:
    """When keys were last used; those that are gone by now are left out."""
    for key_id, at_ms in used.items():
        KeyRow.update(last_used_ms=at_ms).where(KeyRow.id == key_id).execute()
