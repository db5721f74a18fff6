"""What the routes of telemetry take and answer, and the settings of retention."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import fields

LIMIT_MAX = 5000
OFFSET_MAX = 100_000
NUMBER = {"type": "number"}


@attrs.frozen(kw_only=True)
class RetentionSettings:
    """How long samples are kept; hours, ``None`` means for ever."""

    enabled: bool = True
    interval_hours: int = fields.number(ge=1, le=8760, default=1)
    default_retention: int | None = fields.number(ge=1, default=720)
    image_retention: int | None = fields.number(ge=1, default=72)


@attrs.frozen(kw_only=True)
class HistoryQuery:
    """``start``, ``end`` and ``cursor`` are epoch seconds; ``time_range`` is a length of time such as ``24h``."""

    metric: str | None = fields.text(min=1, max=100, default=None)
    time_range: str | None = None
    start: str | None = fields.field(schema=NUMBER, default=None)
    end: str | None = fields.field(schema=NUMBER, default=None)
    limit: int = fields.number(ge=1, le=LIMIT_MAX, default=100)
    offset: int = fields.number(ge=0, le=OFFSET_MAX, default=0)
    cursor: str | None = fields.field(schema=NUMBER, default=None)
    bucketed: bool = False
    aggregate: str | None = None
    aggregation: str | None = None


@attrs.frozen(kw_only=True)
class HistoryPoint:
    """A stored value; with ``count``, ``min``, ``max`` and ``sum`` when it stands for many."""

    timestamp: float
    value: Any
    count: int | None = None
    min: float | None = None
    max: float | None = None
    sum: float | None = None


@attrs.frozen(kw_only=True)
class HistoryPagination:
    """``total`` is the number of stored values of the metric that has most of them in the time range."""

    offset: int
    limit: int
    total: int
    next_cursor: float | None


@attrs.frozen(kw_only=True)
class HistoryAnswer:
    """Values by metric: newest first, ascending when bucketed."""

    device_id: str
    metrics: list[str]
    data: dict[str, list[HistoryPoint]]
    start: float
    end: float
    aggregated: bool
    pagination: HistoryPagination


@attrs.frozen(kw_only=True)
class SummaryQuery:
    """How far back the summary looks."""

    hours: int = fields.number(ge=1, le=720, default=24)


@attrs.frozen(kw_only=True)
class MetricSummary:
    """A metric now, and over the hours; the numbers are ``None`` when no value is numeric."""

    display_name: str
    unit: str
    data_type: str
    is_virtual: bool
    current: Any
    current_timestamp: float | None
    avg: float | None
    min: float | None
    max: float | None
    count: int


@attrs.frozen(kw_only=True)
class SummaryAnswer:
    """One entry per metric of the device."""

    device_id: str
    summary: dict[str, MetricSummary]
    start: float
    end: float


@attrs.frozen(kw_only=True)
class MetricWrite:
    """A value to store; ``timestamp`` in seconds, or milliseconds when it is above 1e11; now when absent."""

    metric: str = fields.text(min=1, max=100)
    value: Any
    timestamp: float | None = None


@attrs.frozen(kw_only=True)
class MetricWritten:
    """What was stored; ``timestamp`` in milliseconds."""

    device_id: str
    metric: str
    timestamp: int
    written: bool = True


@attrs.frozen(kw_only=True)
class TelemetryQuery:
    """``source`` is ``device:<id>``, ``extension:<id>``, ``transform:<id>``, or the bare id of a device."""

    source: str = fields.text(min=1)
    metric: str = fields.text(min=1)
    time_range: str | None = None
    start: str | None = fields.field(schema=NUMBER, default=None)
    end: str | None = fields.field(schema=NUMBER, default=None)
    limit: int = fields.number(ge=1, le=LIMIT_MAX, default=100)
    aggregate: str | None = None
    bucketed: bool = False


@attrs.frozen(kw_only=True)
class QualityPoint:
    """A stored value and how good the device thinks it is."""

    timestamp: float
    value: Any
    quality: float | None


@attrs.frozen(kw_only=True)
class TelemetryAnswer:
    """The newest values of a series, ascending; aggregated, ``value`` over ``count`` values in place of ``data``."""

    source_id: str
    source: str
    metric: str
    start: float
    end: float
    count: int
    total_count: int | None = None
    data: list[QualityPoint] | None = None
    aggregation: str | None = None
    value: Any = None


@attrs.frozen(kw_only=True)
class SourcesQuery:
    """``source`` is the id of a device, extension or transform; ``skip_telemetry`` leaves the current values out."""

    source_type: str | None = None
    source: str | None = None
    search: str | None = None
    offset: int = fields.number(ge=0, default=0)
    limit: int = fields.number(ge=1, le=LIMIT_MAX, default=15)
    skip_telemetry: bool = False


@attrs.frozen(kw_only=True)
class DataSource:
    """A series that can be shown, compared or pushed; ``last_update`` in epoch seconds."""

    id: str
    source_type: str
    source_name: str
    source_display_name: str
    field: str
    field_display_name: str
    data_type: str
    unit: str | None = None
    description: str | None = None
    current_value: Any = None
    last_update: float | None = None
    quality: float | None = None


@attrs.frozen(kw_only=True)
class SourcesAnswer:
    """One page of data sources; ``source_options`` are the names and display names of all sources."""

    data: list[DataSource]
    total: int
    source_options: list[list[str]]


@attrs.frozen(kw_only=True)
class CleanupAnswer:
    """A cleanup runs in the background; ``triggered`` is false when one was running already."""

    success: bool = True
    triggered: bool
    message: str
