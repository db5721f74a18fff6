"""Tables of drafts and the queries on them; called inside ``await db.read(…)`` and ``await db.write(…)`` only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import orjson
from peewee import BigIntegerField, BooleanField, CompositeKey, DoubleField, IntegerField, TextField, fn

from neomind_sdk import Device, DeviceType, MetricDef
from neomind_sdk.tables import Model

from .findings import read_analysis
from .records import Approval, Draft, KeptSample

CONFIG = "config"
PLAIN = (
    "key",
    "device_id",
    "source",
    "original_topic",
    "adapter_id",
    "status",
    "discovered_ms",
    "updated_ms",
    "user_name",
    "description",
    "error_message",
    "analyzed",
)
SAMPLE_COLUMNS = tuple(field.name for field in attrs.fields(KeptSample))


class DraftRow(Model):
    """A draft; ``analysis`` and ``approval`` are JSON."""

    key = TextField(primary_key=True)
    device_id = TextField(unique=True)
    source = TextField()
    original_topic = TextField(null=True)
    adapter_id = TextField(null=True)
    status = TextField()
    discovered_ms = BigIntegerField()
    updated_ms = BigIntegerField()
    user_name = TextField(null=True)
    description = TextField(null=True)
    error_message = TextField(null=True)
    analyzed = IntegerField()
    analysis = TextField(null=True)
    approval = TextField(null=True)

    class Meta:
        table_name = "drafts_drafts"


class SampleRow(Model):
    """A message of a draft's device, in the order of arrival."""

    key = TextField()
    n = IntegerField()
    text = TextField()
    binary = BooleanField()
    received_ms = BigIntegerField()
    ts_ms = BigIntegerField(null=True)
    quality = DoubleField(null=True)
    retained = BooleanField()

    class Meta:
        table_name = "drafts_samples"
        primary_key = CompositeKey("key", "n")


class ConfigRow(Model):
    """What was changed of the settings, as one JSON object."""

    name = TextField(primary_key=True)
    json = TextField()

    class Meta:
        table_name = "drafts_config"


MODELS = (DraftRow, SampleRow, ConfigRow)


def load() -> list[Draft]:
    """All drafts, with how many samples they have."""
    size, last = fn.SUM(fn.LENGTH(SampleRow.text)), fn.MAX(SampleRow.n)
    query: Any = SampleRow.select(SampleRow.key, fn.COUNT(SampleRow.n), size, last).group_by(SampleRow.key).tuples()
    counts = {key: rest for key, *rest in query}
    return [draft_of(row, *counts[row.key]) for row in DraftRow.select() if row.key in counts]


def draft_of(row: DraftRow, samples: int, size: int, last: int) -> Draft:
    return Draft(
        **{name: getattr(row, name) for name in PLAIN},
        analysis=read_analysis(orjson.loads(row.analysis)) if row.analysis else None,
        approval=read_approval(orjson.loads(row.approval)) if row.approval else None,
        samples=samples,
        size=size,
        next_n=last + 1,
        handed=None if row.approval else False,
    )


def insert_sample(draft: dict[str, Any], sample: KeptSample) -> None:
    """A sample, and its draft when this is the first. Rows of an earlier draft that was given up go away."""
    same, other = DraftRow.device_id == draft["device_id"], DraftRow.key != draft["key"]
    for row in list(DraftRow.select(DraftRow.key).where(same, other)):
        delete(row.key)
    kept = DraftRow.insert(draft)
    kept.on_conflict(conflict_target=[DraftRow.key], preserve=[DraftRow.updated_ms]).execute()
    SampleRow.insert({**attrs.asdict(sample), "key": draft["key"]}).execute()


def update(draft: dict[str, Any]) -> None:
    DraftRow.update(draft).where(DraftRow.key == draft["key"]).execute()


def delete(key: str) -> None:
    """A draft and its samples."""
    for table in (DraftRow, SampleRow):
        table.delete().where(table.key == key).execute()


def samples(key: str) -> Sequence[KeptSample]:
    """In the order of arrival."""
    rows = SampleRow.select().where(SampleRow.key == key).order_by(SampleRow.n)
    return [KeptSample(**{name: getattr(row, name) for name in SAMPLE_COLUMNS}) for row in rows]


def config() -> dict[str, Any]:
    """What was changed of the settings."""
    row = ConfigRow.get_or_none(ConfigRow.name == CONFIG)
    return {} if row is None else dict(orjson.loads(row.json))


def save_config(changes: dict[str, Any]) -> None:
    row = ConfigRow.insert(name=CONFIG, json=orjson.dumps(changes).decode())
    row.on_conflict(conflict_target=[ConfigRow.name], preserve=[ConfigRow.json]).execute()


def columns(draft: Draft) -> dict[str, Any]:
    """The row of a draft as it is now; made where the draft lives, the work that writes it runs elsewhere."""
    return {name: getattr(draft, name) for name in PLAIN} | found(draft) | decided(draft)


def found(draft: Draft) -> dict[str, Any]:
    """What an analysis writes, and nothing else: a name that is just being given must not be undone by it."""
    analysis = draft.analysis and orjson.dumps(attrs.asdict(draft.analysis)).decode()
    names = ("key", "status", "error_message", "analyzed")
    return {**{name: getattr(draft, name) for name in names}, "analysis": analysis}


def decided(draft: Draft) -> dict[str, Any]:
    """What an approval writes, and nothing else."""
    approval = draft.approval and json_of_approval(draft.approval)
    return {"key": draft.key, "status": draft.status, "approval": approval}


def json_of_approval(approval: Approval) -> str:
    values = attrs.asdict(approval, recurse=True)
    return orjson.dumps({**values, "before": list(approval.before.items())}).decode()


def read_approval(values: dict[str, Any]) -> Approval:
    """The inverse of ``json_of_approval``."""
    device_type = values["device_type"]
    return Approval(
        device=Device(**values["device"]),
        device_type=device_type and read_type(device_type),
        before=dict(values["before"]),
    )


def read_type(values: dict[str, Any]) -> DeviceType:
    metrics = [MetricDef(**tupled(metric)) for metric in values["metrics"]]
    return DeviceType(**tupled({**values, "metrics": metrics}))


def tupled(values: dict[str, Any]) -> dict[str, Any]:
    """The lists of a definition are tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
