"""What the routes of devices take and answer, and the settings of devices."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import fields

from .type_models import CommandView

SECTION = "device"
"""The name of the section of settings."""
TIMEOUT_MIN_S, TIMEOUT_MAX_S = 30, 86_400
STATUSES = ("online", "offline", "disconnected")
LIMIT_MAX = 1000
BATCH_MAX = 1000
MASK = "***"
TIMEOUT_SCHEMA = {"minimum": TIMEOUT_MIN_S, "maximum": TIMEOUT_MAX_S}
KEEP: Any = object()
"""Stands for a member that an update does not have, where ``null`` has a meaning of its own."""


@attrs.frozen(kw_only=True)
class DeviceSettings:
    """``default_offline_timeout_secs`` holds for devices that neither they nor their type say it of."""

    default_offline_timeout_secs: int = fields.number(ge=10, default=300)
    auto_onboard_enabled: bool = True


@attrs.frozen(kw_only=True)
class DeviceQuery:
    """``limit`` and ``page_size`` are the same; ``connected`` is ``online``; ``search`` looks at names and ids."""

    page: int = fields.number(ge=1, default=1)
    limit: int = fields.number(ge=1, le=LIMIT_MAX, default=50)
    page_size: int | None = fields.number(ge=1, le=LIMIT_MAX, default=None)
    device_type: str | None = None
    status: str | None = fields.one_of((*STATUSES, "connected"), default=None)
    search: str | None = None


@attrs.frozen(kw_only=True)
class NewDevice:
    """``device_id`` defaults to the type and eight random hexadecimal digits."""

    name: str = fields.text(min=1, max=200)
    device_type: str
    connection_config: dict[str, Any]
    adapter_type: str = fields.text(min=1, max=64, default="mqtt")
    device_id: str | None = None
    adapter_id: str | None = fields.text(min=1, max=200, default=None)
    offline_timeout_secs: int | None = fields.field(default=None, schema=TIMEOUT_SCHEMA)


@attrs.frozen(kw_only=True)
class DeviceChange:
    """What is absent stays. ``offline_timeout_secs`` null clears the override."""

    name: str | None = fields.text(min=1, max=200, default=None)
    adapter_type: str | None = fields.text(min=1, max=64, default=None)
    connection_config: dict[str, Any] | None = None
    adapter_id: str | None = fields.text(min=1, max=200, default=None)
    offline_timeout_secs: int | None = fields.field(factory=lambda: KEEP, schema=TIMEOUT_SCHEMA)


@attrs.frozen(kw_only=True)
class DeviceState:
    """A device and how it is. ``last_seen`` is RFC 3339, ``None`` when it was never heard from.

    ``status_since`` (epoch seconds) is when it came online or went offline, ``status_reason`` why it is not online.
    ``transport_connected`` says whether a connection that it keeps is up, ``transport_changed_at`` (epoch seconds)
    when that changed last since the platform started.
    """

    id: str
    device_id: str
    name: str
    device_type: str
    adapter_type: str
    adapter_id: str | None
    plugin_id: str
    plugin_name: str
    status: str
    online: bool
    last_seen: str | None
    status_since: int | None
    status_reason: str | None
    transport_connected: bool
    transport_changed_at: int | None
    offline_timeout_secs: int | None
    effective_offline_timeout_secs: int


@attrs.frozen(kw_only=True)
class ListedDevice(DeviceState):
    """``config`` is the connection's configuration as texts; secrets are masked."""

    metric_count: int
    command_count: int
    config: dict[str, str]


@attrs.frozen(kw_only=True)
class Pagination:
    """Which page this is, of how many."""

    page: int
    limit: int
    total: int
    total_pages: int
    has_next: bool
    has_prev: bool


@attrs.frozen(kw_only=True)
class DevicePage:
    """``count`` is of this page."""

    devices: list[ListedDevice]
    count: int
    pagination: Pagination


@attrs.frozen(kw_only=True)
class AddedDevice(ListedDevice):
    """The device that was made."""

    connection_config: dict[str, Any]
    added: bool = True


@attrs.frozen(kw_only=True)
class CurrentMetric:
    """A metric's newest value, ``None`` when there is none; ``timestamp`` in epoch seconds."""

    name: str
    display_name: str
    unit: str
    data_type: str
    value: Any
    timestamp: float | None
    is_virtual: bool


@attrs.frozen(kw_only=True)
class DeviceDetail(ListedDevice):
    """Everything about a device; ``current_values`` are those of ``metrics`` that have one."""

    connection_config: dict[str, Any]
    current_values: dict[str, Any]
    metrics: dict[str, CurrentMetric]
    commands: list[CommandView]


@attrs.frozen(kw_only=True)
class CurrentAnswer:
    """A device, its metrics and what it can be told."""

    device: DeviceState
    metrics: dict[str, CurrentMetric]
    commands: list[CommandView]


@attrs.frozen(kw_only=True)
class CurrentBatch:
    """Whose values are asked for: of at most ``BATCH_MAX`` devices."""

    device_ids: list[str]


@attrs.frozen(kw_only=True)
class CurrentValues:
    """The newest values of a device by metric."""

    device_id: str
    current_values: dict[str, Any]


@attrs.frozen(kw_only=True)
class CurrentBatchAnswer:
    """By device; who is unknown has no values."""

    devices: dict[str, CurrentValues]
    count: int


@attrs.frozen(kw_only=True)
class DeviceUpdatedAnswer:
    """The device was changed."""

    device_id: str
    updated: bool = True


@attrs.frozen(kw_only=True)
class DeviceDeletedAnswer:
    """The device is gone; its history stays until retention takes it."""

    device_id: str
    deleted: bool = True


@attrs.frozen(kw_only=True)
class DeviceCount:
    """A device in the statistics; ``last_seen`` in epoch seconds."""

    device_id: str
    device_type: str
    name: str
    online: bool
    metrics_count: int
    last_seen: float | None


@attrs.frozen(kw_only=True)
class DeviceStats:
    """How many devices there are, and which of them are online."""

    total_devices: int
    online_devices: int
    offline_devices: int
    devices: list[DeviceCount]


@attrs.frozen(kw_only=True)
class StatsAnswer:
    """The statistics."""

    stats: DeviceStats
