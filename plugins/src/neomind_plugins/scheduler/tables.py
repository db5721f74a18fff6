"""Tables of scheduler and the queries on them; called inside ``await db.read(…)`` and ``await db.write(…)`` only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import attrs
from peewee import BigIntegerField, IntegerField, TextField

from neomind_sdk.tables import Model

from .kept import JobState

LEASE = "jobs"
CHUNK = 100


class JobRow(Model):
    """What is remembered of a job; ``seen_ms`` is when it was there last, give or take a day."""

    name = TextField(primary_key=True)
    trigger = TextField()
    since_ms = BigIntegerField(null=True)
    dealt_ms = BigIntegerField(null=True)
    started_ms = BigIntegerField(null=True)
    ended_ms = BigIntegerField(null=True)
    attempts = IntegerField()
    runs = BigIntegerField()
    failures = BigIntegerField()
    missed = BigIntegerField()
    error = TextField(null=True)
    seen_ms = BigIntegerField()

    class Meta:
        table_name = "scheduler_jobs"


class LeaseRow(Model):
    """Who runs jobs. ``beat`` rises with each renewal: that it stands still is how others see that the owner died.

    ``renewed_ms`` is for people only: no clock on the wall decides anything here.
    """

    name = TextField(primary_key=True)
    owner = TextField(null=True)
    beat = BigIntegerField()
    renewed_ms = BigIntegerField()

    class Meta:
        table_name = "scheduler_lease"


MODELS = (JobRow, LeaseRow)
FIELDS = tuple(field.name for field in attrs.fields(JobState))


@attrs.frozen
class Holder:
    """A lease as it was found."""

    owner: str | None
    beat: int


def all_states() -> dict[str, tuple[JobState, int]]:
    """Every job's state, and when it was there last."""
    return {row.name: (JobState(**{name: getattr(row, name) for name in FIELDS}), row.seen_ms) for row in JobRow}


def holder() -> Holder | None:
    row = LeaseRow.get_or_none(LeaseRow.name == LEASE)
    return None if row is None else Holder(row.owner, row.beat)


def take(owner: str, found: Holder | None, now_ms: int) -> bool:
    """Give the lease to ``owner``, unless it changed since it was ``found``; returns whether it is his."""
    if found is None:
        LeaseRow.insert(name=LEASE, owner=owner, beat=1, renewed_ms=now_ms).on_conflict_ignore().execute()
        now = holder()
        return now is not None and now.owner == owner
    theirs = LeaseRow.owner.is_null() if found.owner is None else LeaseRow.owner == found.owner
    unchanged = (LeaseRow.name == LEASE) & theirs & (LeaseRow.beat == found.beat)
    return bool(LeaseRow.update(owner=owner, beat=found.beat + 1, renewed_ms=now_ms).where(unchanged).execute())


def write(owner: str, states: Mapping[str, JobState], now_ms: int, *, last: bool) -> bool:
    """Renew the lease, or with ``last`` give it back, and keep states; changes nothing when it is not his."""
    mine = (LeaseRow.name == LEASE) & (LeaseRow.owner == owner)
    owner_then = None if last else owner
    if not LeaseRow.update(owner=owner_then, beat=LeaseRow.beat + 1, renewed_ms=now_ms).where(mine).execute():
        return False
    _put([{"name": name, **attrs.asdict(state), "seen_ms": now_ms} for name, state in states.items()])
    return True


def _put(rows: list[dict[str, Any]]) -> None:
    columns = [JobRow._meta.fields[name] for name in (*FIELDS, "seen_ms")]
    for start in range(0, len(rows), CHUNK):
        query = JobRow.insert_many(rows[start : start + CHUNK])
        query.on_conflict(conflict_target=[JobRow.name], preserve=columns).execute()


def forget(owner: str, names: Collection[str], before_ms: int) -> bool:
    """Delete jobs that were not there since ``before_ms``; changes nothing when the lease is not his."""
    if not LeaseRow.select().where((LeaseRow.name == LEASE) & (LeaseRow.owner == owner)).exists():
        return False
    for some in _chunks(names):
        JobRow.delete().where(JobRow.name.in_(some) & (JobRow.seen_ms < before_ms)).execute()
    return True


def _chunks(names: Collection[str]) -> Iterable[list[str]]:
    ordered = sorted(names)
    return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))
