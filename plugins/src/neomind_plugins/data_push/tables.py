"""Tables of data push and the queries on them; called inside ``await db.read(…)`` and ``await db.write(…)`` only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import orjson
from peewee import AutoField, BigIntegerField, BooleanField, TextField, fn

from neomind_sdk.tables import Model

from .records import DELIVERED, Batch, Counts, DataFilter, Item, Retry, Schedule, Target, Trial

CHUNK = 400
TRIALS_KEPT = 20
PARTS: Mapping[str, Any] = {"schedule": Schedule, "data_filter": DataFilter, "retry": Retry, "batch": Batch}
LISTS = ("event_types", "source_patterns")
NUMBERS = tuple(field.name for field in attrs.fields(Counts))


class TargetRow(Model):
    """A target; what is not a column of its own is JSON text."""

    id = TextField(primary_key=True)
    name = TextField()
    enabled = BooleanField()
    target_type = TextField()
    plugin = TextField()
    config = TextField()
    sealed = TextField()
    schedule = TextField()
    data_filter = TextField()
    template = TextField(null=True)
    retry = TextField()
    batch = TextField()
    trouble = TextField(null=True)
    created_ms = BigIntegerField()
    updated_ms = BigIntegerField()

    class Meta:
        table_name = "data_push_targets"


class BufferRow(Model):
    """A value that waits for the rest of its batch; ``item`` is JSON text."""

    seq = AutoField()
    target_id = TextField()
    item = TextField()

    class Meta:
        table_name = "data_push_buffer"
        indexes = ((("target_id", "seq"), False),)


class CountRow(Model):
    """What became of a target's deliveries; stays when the target is deleted."""

    target_id = TextField(primary_key=True)
    queued = BigIntegerField(default=0)
    delivered = BigIntegerField(default=0)
    failed = BigIntegerField(default=0)
    hops = BigIntegerField(default=0)
    dropped = BigIntegerField(default=0)

    class Meta:
        table_name = "data_push_counts"


class EndRow(Model):
    """How a delivery ended that was counted: the outbox may tell it twice."""

    delivery_id = TextField(primary_key=True)
    state = TextField()
    at_ms = BigIntegerField(index=True)

    class Meta:
        table_name = "data_push_ends"


class TrialRow(Model):
    """What came of a test call."""

    seq = AutoField()
    id = TextField()
    target_id = TextField(index=True)
    source = TextField()
    body = TextField()
    ok = BooleanField()
    created_ms = BigIntegerField()
    finished_ms = BigIntegerField()
    detail = TextField()

    class Meta:
        table_name = "data_push_trials"


MODELS = (TargetRow, BufferRow, CountRow, EndRow, TrialRow)


def _upsert(model: Any, values: Mapping[str, Any], key: Any) -> None:
    model.insert(**values).on_conflict(conflict_target=[key], update=values).execute()


# ---- targets ----


def save(target: Target) -> None:
    values = attrs.asdict(target)
    packed = {name: orjson.dumps(values[name]).decode() for name in (*PARTS, "config", "sealed")}
    _upsert(TargetRow, {**values, **packed}, TargetRow.id)


def replace(target: Target, *, switched: bool) -> Target:
    """Save a target; whether it runs stays as its row says, unless it was ``switched``. Returns what was saved."""
    now = None if switched else get(target.id)
    if now is not None:
        target = attrs.evolve(target, enabled=now.enabled, trouble=now.trouble)
    save(target)
    return target


def stop(tried: Target, reason: str) -> bool:
    """Stop a target if it is as it was tried; nothing else of its row is written. Whether it was stopped."""
    now = get(tried.id)
    if now is None or now.address != tried.address:
        return False
    changes = TargetRow.update(enabled=False, trouble=reason)
    return bool(changes.where(TargetRow.id == tried.id, TargetRow.enabled).execute())


def get(target_id: str) -> Target | None:
    row = TargetRow.get_or_none(TargetRow.id == target_id)
    return None if row is None else target_of(row)


def everything() -> list[Target]:
    """All targets, in the order in which they were made."""
    return [target_of(row) for row in TargetRow.select().order_by(TargetRow.created_ms, TargetRow.id)]


def target_of(row: Any) -> Target:
    values = {field.name: getattr(row, field.name) for field in attrs.fields(Target)}
    values |= {name: orjson.loads(values[name]) for name in (*PARTS, "config", "sealed")}
    for name, cls in PARTS.items():
        known = {key: tuple(item) if key in LISTS else item for key, item in values[name].items()}
        values[name] = cls(**known)
    return Target(**values)


def delete(target_id: str) -> None:
    TargetRow.delete().where(TargetRow.id == target_id).execute()
    BufferRow.delete().where(BufferRow.target_id == target_id).execute()
    TrialRow.delete().where(TrialRow.target_id == target_id).execute()


# ---- what waits for its batch ----


def keep(items: Mapping[str, Sequence[Item]]) -> None:
    """Append to the buffers of targets."""
    rows = [
        {"target_id": target_id, "item": orjson.dumps(tuple(item)).decode()}
        for target_id, some in items.items()
        for item in some
    ]
    for start in range(0, len(rows), CHUNK):
        BufferRow.insert_many(rows[start : start + CHUNK]).execute()


def kept(target_id: str, limit: int) -> list[tuple[int, Item]]:
    """The oldest of a target's buffer, with their places."""
    query: Any = BufferRow.select(BufferRow.seq, BufferRow.item).where(BufferRow.target_id == target_id)
    rows = query.order_by(BufferRow.seq).limit(limit).tuples()
    return [(seq, Item(*orjson.loads(text))) for seq, text in rows]


def take(target_id: str, last: int) -> None:
    """Forget what is up to a place in a target's buffer."""
    BufferRow.delete().where(BufferRow.target_id == target_id, BufferRow.seq <= last).execute()


def waiting() -> dict[str, int]:
    """How many values wait, by target."""
    query: Any = BufferRow.select(BufferRow.target_id, fn.COUNT(BufferRow.seq)).group_by(BufferRow.target_id)
    return dict(query.tuples())


# ---- numbers ----


def add(target_id: str, **numbers: int) -> None:
    CountRow.insert(target_id=target_id).on_conflict_ignore().execute()
    changes = {getattr(CountRow, name): getattr(CountRow, name) + number for name, number in numbers.items()}
    CountRow.update(changes).where(CountRow.target_id == target_id).execute()


def settle(target_id: str, delivery_id: str, state: str, now_ms: int) -> None:
    """Count an end once; one that is another than before, by a delivery that was sent again, replaces it."""
    row = EndRow.get_or_none(EndRow.delivery_id == delivery_id)
    before = None if row is None else row.state
    if before == state:
        return
    _upsert(EndRow, {"delivery_id": delivery_id, "state": state, "at_ms": now_ms}, EndRow.delivery_id)
    changes = {_column(state): 1} | ({} if before is None else {_column(before): -1})
    add(target_id, **changes)


def _column(state: str) -> str:
    return "delivered" if state == DELIVERED else "failed"


def counts() -> Counts:
    """Those of all targets there ever were."""
    query: Any = CountRow.select(*(fn.SUM(getattr(CountRow, name)) for name in NUMBERS))
    found = query.scalar(as_tuple=True) or ()
    return Counts(**{name: int(number or 0) for name, number in zip(NUMBERS, found, strict=False)})


def forget_ends(before_ms: int) -> None:
    EndRow.delete().where(EndRow.at_ms < before_ms).execute()


# ---- tests ----


def put_trial(trial: Trial) -> None:
    """Keep what came of a test; only so many of a target are."""
    TrialRow.insert(**attrs.asdict(trial)).execute()
    add(trial.target_id, queued=1, **{"delivered" if trial.ok else "failed": 1})
    of_target = TrialRow.target_id == trial.target_id
    query: Any = TrialRow.select(TrialRow.seq).where(of_target).order_by(TrialRow.seq.desc()).offset(TRIALS_KEPT)
    old = [row.seq for row in query.limit(TRIALS_KEPT)]
    if old:
        TrialRow.delete().where(TrialRow.seq.in_(old)).execute()


def trials(target_id: str) -> list[Trial]:
    """Newest first."""
    names = [field.name for field in attrs.fields(Trial)]
    rows = TrialRow.select().where(TrialRow.target_id == target_id).order_by(TrialRow.seq.desc())
    return [Trial(**{name: getattr(row, name) for name in names}) for row in rows]
