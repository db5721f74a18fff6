"""Deliveries and lanes as they are answered."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from neomind_sdk import DeliveryRecord
from neomind_sdk.units import seconds

from .models import AttemptView, DeliveryDetail, DeliveryView, LaneView
from .records import PENDING, Attempt, LaneState


def view(record: DeliveryRecord) -> DeliveryView:
    order = record.order
    return DeliveryView(
        delivery_id=record.delivery_id,
        lane=order.lane,
        kind=order.kind,
        subject=order.subject,
        state=record.state,
        attempts=record.attempts,
        detail=record.detail,
        cause=order.cause,
        hops=order.hops,
        created_at=seconds(record.created_ms),
        expires_at=_seconds(order.expires_ms),
        next_at=_seconds(record.next_ms) if record.state == PENDING else None,
        finished_at=_seconds(record.finished_ms),
    )


def detail(record: DeliveryRecord, attempts: Sequence[Attempt]) -> DeliveryDetail:
    return DeliveryDetail(
        **attrs.asdict(view(record)),
        payload=dict(record.order.payload),
        attempt_log=[attempt_view(attempt) for attempt in attempts],
    )


def attempt_view(attempt: Attempt) -> AttemptView:
    return AttemptView(
        attempt=attempt.attempt,
        at=seconds(attempt.at_ms),
        duration_ms=attempt.took_ms,
        ok=attempt.ok,
        detail=attempt.detail,
    )


def lane_view(state: LaneState) -> LaneView:
    return LaneView(
        lane=state.lane,
        kind=state.kind,
        waiting=state.waiting,
        oldest_at=_seconds(state.oldest_ms),
        next_at=_seconds(state.next_ms),
        held=state.held or None,
        detail=state.detail,
    )


def _seconds(ts_ms: int | None) -> float | None:
    return None if ts_ms is None else seconds(ts_ms)
