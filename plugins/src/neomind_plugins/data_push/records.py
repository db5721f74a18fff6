"""What is kept: targets, what waits to be batched, and what came of tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import attrs

KIND = "data_push"
RESENT = "resend"
EVENT_DRIVEN, INTERVAL = "event_driven", "interval"
SCHEDULES = (EVENT_DRIVEN, INTERVAL)
DEVICE_METRIC, EXTENSION_OUTPUT, ALERT_CREATED = "device_metric", "extension_output", "alert_created"
EVENT_TYPES = (DEVICE_METRIC, EXTENSION_OUTPUT, ALERT_CREATED)
FLAT, NESTED = "flat", "nested"
FORMATS = (FLAT, NESTED)
PENDING, DELIVERED, DEAD = "pending", "delivered", "dead"


class Item(NamedTuple):
    """A value on its way. ``hops`` and ``cause`` are those of the event that brought it."""

    source: str
    ts_ms: int
    value: Any
    hops: int = 0
    cause: str | None = None


@attrs.frozen(kw_only=True)
class Schedule:
    """``event_types`` empty: all; they count where ``kind`` is ``event_driven``, ``interval_secs`` where it is not."""

    kind: str = EVENT_DRIVEN
    event_types: tuple[str, ...] = ()
    interval_secs: float = 60


@attrs.frozen(kw_only=True)
class DataFilter:
    """``source_patterns`` are prefixes of data source ids, with or without ``*`` at the end; none: all sources."""

    source_patterns: tuple[str, ...] = ()
    only_changes: bool = False


@attrs.frozen(kw_only=True)
class Retry:
    max_retries: int = 3
    backoff_secs: float = 5
    max_backoff_secs: float = 300


@attrs.frozen(kw_only=True)
class Batch:
    batch_size: int = 1
    batch_interval_ms: int = 2000
    format: str = FLAT


@attrs.frozen(kw_only=True)
class Target:
    """A target.

    ``plugin``   which plugin provided the type when the target was saved
    ``config``   what was given of its type's configuration, without the secrets
    ``sealed``   the secrets, encrypted, by their place in the configuration
    ``trouble``  why the platform stopped it
    """

    id: str
    name: str
    enabled: bool
    target_type: str
    plugin: str = ""
    config: Mapping[str, Any] = attrs.field(factory=dict)
    sealed: Mapping[str, str] = attrs.field(factory=dict)
    schedule: Schedule = Schedule()
    data_filter: DataFilter = DataFilter()
    template: str | None = None
    retry: Retry = Retry()
    batch: Batch = Batch()
    trouble: str | None = None
    created_ms: int = 0
    updated_ms: int = 0

    @property
    def lane(self) -> str:
        return lane_of(self.id)

    @property
    def address(self) -> tuple[Any, ...]:
        """What it sends to and with: another one after each change of the configuration."""
        return self.target_type, self.config, self.sealed

    @property
    def direct(self) -> bool:
        """Whether each value leaves by itself, as it comes."""
        return self.schedule.kind == EVENT_DRIVEN and self.batch.batch_size == 1


@attrs.frozen(kw_only=True)
class Trial:
    """What came of a test call."""

    id: str
    target_id: str
    source: str
    body: str
    ok: bool
    created_ms: int
    finished_ms: int
    detail: str = ""


@attrs.frozen(kw_only=True)
class Counts:
    """``hops``: values that had come too far; ``dropped``: values that found the queue of their target full."""

    queued: int = 0
    delivered: int = 0
    failed: int = 0
    hops: int = 0
    dropped: int = 0


def lane_of(target_id: str) -> str:
    """The lane of a target in the outbox."""
    return f"push:{target_id}"
