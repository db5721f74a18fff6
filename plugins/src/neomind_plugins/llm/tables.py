"""The tables of backends and the queries on them; called inside ``await db.read(…)`` and ``await db.write(…)`` only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import orjson
from peewee import BigIntegerField, BooleanField, FloatField, IntegerField, TextField

from neomind_sdk import Capabilities
from neomind_sdk.tables import Model

from .records import Backend, Used

JSON_COLUMNS = ("config", "sealed", "detected", "declared")
COLUMNS = tuple(field.name for field in attrs.fields(Backend))
CAPABILITIES = frozenset(field.name for field in attrs.fields(Capabilities))
COUNTS = ("calls", "errors", "prompt_tokens", "completion_tokens")
THE_ACTIVE = "active"


class BackendRow(Model):
    """A backend; ``config``, ``sealed``, ``detected`` and ``declared`` are JSON texts."""

    id = TextField(primary_key=True)
    name = TextField()
    backend_type = TextField()
    plugin = TextField()
    config = TextField()
    sealed = TextField()
    temperature = FloatField()
    top_p = FloatField()
    top_k = IntegerField()
    thinking_enabled = BooleanField()
    thinking_effort = TextField(null=True)
    detected = TextField()
    probed = BooleanField()
    declared = TextField()
    multimodal = BooleanField(null=True)
    created_ms = BigIntegerField()
    updated_ms = BigIntegerField()

    class Meta:
        table_name = "llm_backends"


class ChoiceRow(Model):
    """Which backend is the active one: at most one row, so that there is never a second."""

    role = TextField(primary_key=True)
    backend_id = TextField()

    class Meta:
        table_name = "llm_choices"


class UsageRow(Model):
    """What was asked of a backend, ever."""

    backend_id = TextField(primary_key=True)
    calls = BigIntegerField(default=0)
    errors = BigIntegerField(default=0)
    prompt_tokens = BigIntegerField(default=0)
    completion_tokens = BigIntegerField(default=0)
    last_used_ms = BigIntegerField(null=True)

    class Meta:
        table_name = "llm_usage"


MODELS = (BackendRow, ChoiceRow, UsageRow)


def load() -> tuple[Sequence[Backend], str | None]:
    """All backends, and which is the active one."""
    choice = ChoiceRow.get_or_none(ChoiceRow.role == THE_ACTIVE)
    return [backend_of(row) for row in BackendRow.select()], None if choice is None else str(choice.backend_id)


def save(backend: Backend) -> None:
    values = attrs.asdict(backend)
    values |= {name: orjson.dumps(values[name]).decode() for name in JSON_COLUMNS}
    row: Any = BackendRow
    row.replace(**values).execute()


def delete(backend_id: str) -> None:
    BackendRow.delete().where(BackendRow.id == backend_id).execute()
    UsageRow.delete().where(UsageRow.backend_id == backend_id).execute()


def activate(backend_id: str) -> None:
    row: Any = ChoiceRow
    row.replace(role=THE_ACTIVE, backend_id=backend_id).execute()


def usage() -> Mapping[str, Used]:
    rows: Any = UsageRow.select()
    names = (*COUNTS, "last_used_ms")
    return {row.backend_id: Used(**{name: getattr(row, name) for name in names}) for row in rows}


def add_usage(used: Mapping[str, Used]) -> None:
    """Count on; a backend that was deleted meanwhile is not counted."""
    for backend_id, more in used.items():
        if not BackendRow.select().where(BackendRow.id == backend_id).exists():
            continue
        UsageRow.insert(backend_id=backend_id).on_conflict_ignore().execute()
        changes: dict[str, Any] = {name: getattr(UsageRow, name) + getattr(more, name) for name in COUNTS}
        changes["last_used_ms"] = more.last_used_ms
        UsageRow.update(**changes).where(UsageRow.backend_id == backend_id).execute()


def backend_of(row: Any) -> Backend:
    values = {name: getattr(row, name) for name in COLUMNS}
    values |= {name: orjson.loads(values[name]) for name in JSON_COLUMNS}
    known = {key: value for key, value in values["detected"].items() if key in CAPABILITIES}
    known["efforts"] = tuple(known.get("efforts", ()))
    return Backend(**{**values, "detected": Capabilities(**known)})
