"""What the outbox is set to, and what its routes answer."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import DELIVERY_STATES, fields

DAY_S = 86_400.0
LIMIT_MAX, LIMIT = 200, 50
OFFSET_MAX = 2**31


@attrs.frozen(kw_only=True)
class OutboxSettings:
    """``[plugin.outbox]``; times in seconds.

    ``concurrency``        attempts at a time; targets that failed last have at most half of them
    ``attempt_timeout_s``  how long one attempt may take
    ``max_attempts``       then a delivery is dead
    ``max_age_s``          and so it is that long after its first attempt, unless its order says when it expires
    ``backoff_s``          the pause after a first failure; it doubles up to ``backoff_max_s``, and varies by a quarter
    ``retry_after_max_s``  the longest that a receiver may make us wait
    ``lane_rate``          deliveries per second and target, ``lane_burst`` of them at once; more of them are later
    ``poll_s``             how often the tables are looked at for what nobody told us
    ``retention_s``        how long ended deliveries stay in the log
    """

    concurrency: int = fields.number(ge=2, le=1000, default=100)
    attempt_timeout_s: float = fields.number(ge=0.01, le=600, default=30.0)
    max_attempts: int = fields.number(ge=1, le=10_000, default=100)
    max_age_s: float = fields.number(ge=1, le=30 * DAY_S, default=DAY_S)
    backoff_s: float = fields.number(ge=0.01, le=3600, default=1.0)
    backoff_max_s: float = fields.number(ge=0.01, le=DAY_S, default=1800.0)
    retry_after_max_s: float = fields.number(ge=1, le=DAY_S, default=3600.0)
    lane_rate: float = fields.number(ge=0.001, le=1_000_000, default=200.0)
    lane_burst: int = fields.number(ge=1, le=1_000_000, default=1000)
    poll_s: float = fields.number(ge=0.1, le=3600, default=5.0)
    retention_s: float = fields.number(ge=60, le=366 * DAY_S, default=7 * DAY_S)


@attrs.frozen(kw_only=True)
class ListQuery:
    """Which deliveries, newest first."""

    lane: str | None = fields.text(max=300, default=None)
    kind: str | None = fields.text(max=100, default=None)
    state: str | None = fields.one_of(DELIVERY_STATES, default=None)
    limit: int = fields.number(ge=1, le=LIMIT_MAX, default=LIMIT)
    offset: int = fields.number(ge=0, le=OFFSET_MAX, default=0)


@attrs.frozen(kw_only=True)
class DeliveryView:
    """A delivery; times in epoch seconds, ``next_at`` only while it waits for another attempt."""

    delivery_id: str
    lane: str
    kind: str
    subject: str
    state: str
    attempts: int
    detail: str
    cause: str | None
    hops: int
    created_at: float
    expires_at: float | None
    next_at: float | None
    finished_at: float | None


@attrs.frozen(kw_only=True)
class AttemptView:
    """One attempt; ``attempt`` counts from 1, and anew after a re-send."""

    attempt: int
    at: float
    duration_ms: int
    ok: bool
    detail: str


@attrs.frozen(kw_only=True)
class DeliveryDetail(DeliveryView):
    """A delivery with what is to be delivered and the latest attempts, newest first."""

    payload: dict[str, Any]
    attempt_log: list[AttemptView]


@attrs.frozen(kw_only=True)
class DeliveryList:
    """``total`` fit the filter, ``count`` are here."""

    deliveries: list[DeliveryView]
    count: int
    total: int


@attrs.frozen(kw_only=True)
class LaneView:
    """A lane that has something waiting, or is held (``held`` says why)."""

    lane: str
    kind: str
    waiting: int
    oldest_at: float | None
    next_at: float | None
    held: str | None
    detail: str


@attrs.frozen(kw_only=True)
class LaneList:
    """In the order of their names."""

    lanes: list[LaneView]
    count: int


@attrs.frozen(kw_only=True)
class Done:
    """What was done, in words."""

    message: str
