"""Targets and deliveries as they are shown, and bodies as they are understood."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import DeliveryRecord, PushTargetType, ValidationFailed
from neomind_sdk.kinds import Schema
from neomind_sdk.units import SECOND_MS

from .models import BatchBody, DeliveryLog, FilterBody, RetryBody, ScheduleBody, TargetView, TypeView
from .records import DELIVERED, INTERVAL, PENDING, Batch, DataFilter, Retry, Schedule, Target, Trial
from .service import Change


def change_of(body: Any) -> Change:
    """What a body wants of a target."""
    return Change(
        name=body.name,
        target_type=body.target_type,
        config=body.config,
        schedule=None if body.schedule is None else schedule_of(body.schedule),
        data_filter=None if body.data_filter is None else filter_of(body.data_filter),
        enabled=body.enabled,
        template=body.template,
        retry=None if body.retry_config is None else retry_of(body.retry_config),
        batch=None if body.batch_config is None else batch_of(body.batch_config),
    )


def schedule_of(body: ScheduleBody) -> Schedule:
    if body.type == INTERVAL:
        if body.interval_secs is None:
            raise ValidationFailed(("schedule.interval_secs", "is required"))
        return Schedule(kind=INTERVAL, interval_secs=body.interval_secs)
    if body.event_types is None:
        raise ValidationFailed(("schedule.event_types", "is required; none stand for all"))
    return Schedule(event_types=tuple(body.event_types))


def filter_of(body: FilterBody) -> DataFilter:
    return DataFilter(source_patterns=tuple(body.source_patterns), only_changes=body.only_changes)


def retry_of(body: RetryBody) -> Retry:
    return Retry(**attrs.asdict(body))


def batch_of(body: BatchBody) -> Batch:
    return Batch(**attrs.asdict(body))


def target_view(target: Target, config: dict[str, Any], reason: str | None) -> TargetView:
    return TargetView(
        id=target.id,
        name=target.name,
        enabled=target.enabled,
        target_type=target.target_type,
        config=config,
        schedule=schedule_view(target.schedule),
        data_filter={
            "source_patterns": list(target.data_filter.source_patterns),
            "only_changes": target.data_filter.only_changes,
        },
        template=target.template,
        retry_config=attrs.asdict(target.retry),
        batch_config=attrs.asdict(target.batch),
        available=reason is None,
        reason=reason,
        created_at=target.created_ms // SECOND_MS,
        updated_at=target.updated_ms // SECOND_MS,
    )


def schedule_view(schedule: Schedule) -> dict[str, Any]:
    if schedule.kind == INTERVAL:
        return {"type": schedule.kind, "interval_secs": schedule.interval_secs}
    return {"type": schedule.kind, "event_types": list(schedule.event_types)}


def log_view(target_id: str, one: DeliveryRecord | Trial) -> DeliveryLog:
    return trial_view(one) if isinstance(one, Trial) else record_view(target_id, one)


def record_view(target_id: str, record: DeliveryRecord) -> DeliveryLog:
    payload = record.order.payload
    return DeliveryLog(
        id=record.delivery_id,
        target_id=target_id,
        status=status_of(record),
        data_source_id=",".join(payload["sources"]),
        payload_sent=payload["body"],
        response=None,
        attempts=record.attempts,
        created_at=record.created_ms // SECOND_MS,
        completed_at=None if record.finished_ms is None else record.finished_ms // SECOND_MS,
        error=None if record.state == DELIVERED else record.detail or None,
    )


def trial_view(trial: Trial) -> DeliveryLog:
    return DeliveryLog(
        id=trial.id,
        target_id=trial.target_id,
        status="success" if trial.ok else "failed",
        data_source_id=trial.source,
        payload_sent=trial.body,
        response=None,
        attempts=1,
        created_at=trial.created_ms // SECOND_MS,
        completed_at=trial.finished_ms // SECOND_MS,
        error=None if trial.ok else trial.detail or None,
    )


def status_of(record: DeliveryRecord) -> str:
    if record.state == PENDING:
        return "retrying" if record.attempts else "pending"
    return "success" if record.state == DELIVERED else "failed"


def type_view(kind: PushTargetType, schema: Schema) -> TypeView:
    return TypeView(id=kind.name, name=kind.label.name, description=kind.label.description, config_schema=dict(schema))
