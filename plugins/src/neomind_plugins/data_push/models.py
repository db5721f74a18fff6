"""What data push is set to, takes, and answers."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import fields

from .records import EVENT_TYPES, FORMATS, SCHEDULES

SECTION = "data_push"
YEAR_S = 366 * 86_400
PATTERNS_MAX, PATTERN_MAX = 100, 300
LIMIT_MAX = 200
TEMPLATE_MAX = 16 * 1024


@attrs.frozen(kw_only=True)
class DataPushSettings:
    """``queue_max`` deliveries wait for one target at most; what comes then is dropped, and counted.

    A delivery that could not be made for ``expire_hours`` is given up. ``buffer_max`` values wait for an interval at
    most, then they leave earlier. ``resend_max`` values are sent again by one request. ``test_timeout_s`` is how long
    a test may take.
    """

    queue_max: int = fields.number(ge=1, le=10_000_000, default=100_000)
    expire_hours: float = fields.number(ge=0.01, le=24 * 366, default=168.0)
    buffer_max: int = fields.number(ge=1, le=1_000_000, default=10_000)
    resend_max: int = fields.number(ge=1, le=1_000_000, default=100_000)
    test_timeout_s: float = fields.number(ge=1, le=120, default=30.0)


def _patterns(patterns: list[str]) -> str | None:
    if len(patterns) > PATTERNS_MAX:
        return f"must be at most {PATTERNS_MAX}"
    for pattern in patterns:
        if not 0 < len(pattern) <= PATTERN_MAX or not fields.clean(pattern):
            return f"must be texts of 1 to {PATTERN_MAX} characters"
        if "*" in pattern[:-1]:
            return f"'{pattern[:100]}' may have * at its end only"
    return None


def _event_types(types: list[str]) -> str | None:
    wrong = next((one for one in types if one not in EVENT_TYPES), None)
    return None if wrong is None else f"'{wrong[:100]}' is none of {', '.join(EVENT_TYPES)}"


@attrs.frozen(kw_only=True)
class ScheduleBody:
    """``event_driven`` wants ``event_types`` (none: all), ``interval`` wants ``interval_secs``."""

    type: str = fields.one_of(SCHEDULES)
    event_types: list[str] | None = fields.field(_event_types, default=None)
    interval_secs: float | None = fields.number(ge=1, le=YEAR_S, default=None)


@attrs.frozen(kw_only=True)
class FilterBody:
    """``source_patterns``: prefixes of data source ids, with or without ``*`` at the end; none, or ``*``: all."""

    source_patterns: list[str] = fields.field(_patterns)
    only_changes: bool = False


@attrs.frozen(kw_only=True)
class RetryBody:
    max_retries: int = fields.number(ge=0, le=10_000, default=3)
    backoff_secs: float = fields.number(ge=0, le=86_400, default=5)
    max_backoff_secs: float = fields.number(ge=0, le=86_400, default=300)


@attrs.frozen(kw_only=True)
class BatchBody:
    """``nested`` puts the values of one device into one object."""

    batch_size: int = fields.number(ge=1, le=1000, default=1)
    batch_interval_ms: int = fields.number(ge=1, le=3_600_000, default=2000)
    format: str = fields.one_of(FORMATS, default="flat")


@attrs.frozen(kw_only=True)
class TargetBody:
    """A target. ``config`` is what its type wants (``GET /data-push/types``)."""

    name: str = fields.text(min=1, max=100)
    target_type: str = fields.text(min=1, max=100)
    config: dict[str, Any]
    schedule: ScheduleBody
    data_filter: FilterBody
    enabled: bool = True
    template: str | None = fields.text(max=TEMPLATE_MAX, default=None)
    retry_config: RetryBody | None = None
    batch_config: BatchBody | None = None


@attrs.frozen(kw_only=True)
class TargetChange:
    """Any part of a target; what is absent or null stays. An empty ``template`` takes it away.

    Of ``config`` the keys that are given are replaced, null takes one away, and ``***`` is the secret that it was.
    """

    name: str | None = fields.text(min=1, max=100, default=None)
    target_type: str | None = fields.text(min=1, max=100, default=None)
    config: dict[str, Any] | None = None
    schedule: ScheduleBody | None = None
    data_filter: FilterBody | None = None
    enabled: bool | None = None
    template: str | None = fields.text(max=TEMPLATE_MAX, default=None)
    retry_config: RetryBody | None = None
    batch_config: BatchBody | None = None


@attrs.frozen(kw_only=True)
class TargetQuery:
    enabled: bool | None = None


@attrs.frozen(kw_only=True)
class LogQuery:
    limit: int = fields.number(ge=1, le=LIMIT_MAX, default=50)
    offset: int = fields.number(ge=0, le=2**31, default=0)


@attrs.frozen(kw_only=True)
class ResendBody:
    """A range of time, both ends included: epoch seconds, or ISO 8601 (without an offset: UTC)."""

    start: Any
    end: Any


@attrs.frozen(kw_only=True)
class TargetView:
    """A target; secrets are ``***``, times epoch seconds.

    ``available``  whether it can be served; ``reason`` says why not, or why the platform stopped it
    """

    id: str
    name: str
    enabled: bool
    target_type: str
    config: dict[str, Any]
    schedule: dict[str, Any]
    data_filter: dict[str, Any]
    template: str | None
    retry_config: dict[str, Any]
    batch_config: dict[str, Any]
    available: bool
    reason: str | None
    created_at: int
    updated_at: int


@attrs.frozen(kw_only=True)
class TargetList:
    targets: list[TargetView]
    total: int


@attrs.frozen(kw_only=True)
class TargetCreated:
    id: str
    name: str
    target_type: str
    enabled: bool


@attrs.frozen(kw_only=True)
class TargetSaved:
    id: str
    name: str
    enabled: bool


@attrs.frozen(kw_only=True)
class Told:
    message: str


@attrs.frozen(kw_only=True)
class DeliveryLog:
    """A delivery over all its attempts; ``status`` is ``pending``, ``retrying``, ``success`` or ``failed``."""

    id: str
    target_id: str
    status: str
    data_source_id: str
    payload_sent: str
    response: str | None
    attempts: int
    created_at: int
    completed_at: int | None
    error: str | None


@attrs.frozen(kw_only=True)
class LogList:
    logs: list[DeliveryLog]
    total: int


@attrs.frozen(kw_only=True)
class PushStats:
    """Deliveries of all targets there ever were, tests among them; values that were not pushed on, and why.

    ``hop_limited``   they had come too far: through eight rules, targets or platforms
    ``dropped``       the queue of their target was full
    ``missed_events`` events that were lost since the start, because there were too many of them
    """

    total_targets: int
    active_targets: int
    total_deliveries: int
    successful_deliveries: int
    failed_deliveries: int
    hop_limited: int
    dropped: int
    missed_events: int


@attrs.frozen(kw_only=True)
class TypeView:
    """A type of target, and the JSON Schema of its configuration."""

    id: str
    name: str
    description: str
    config_schema: dict[str, Any]


@attrs.frozen(kw_only=True)
class TypeList:
    types: list[TypeView]
    total: int


@attrs.frozen(kw_only=True)
class Resent:
    """What was queued: ``samples`` of so many ``sources`` in so many ``deliveries``."""

    message: str
    samples: int
    sources: int
    deliveries: int
