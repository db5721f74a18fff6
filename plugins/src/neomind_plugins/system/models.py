"""What the routes of system take and answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

SERVICE = "neomind"


@attrs.frozen(kw_only=True)
class HealthAnswer:
    status: str
    service: str
    version: str


@attrs.frozen(kw_only=True)
class HealthStatus(HealthAnswer):
    """``uptime`` in seconds."""

    uptime: int


@attrs.frozen(kw_only=True)
class LiveAnswer:
    status: str


@attrs.frozen(kw_only=True)
class ReadyQuery:
    """``strict``: 503 when the platform is not ready, for load balancers; else always 200."""

    strict: bool = False


@attrs.frozen(kw_only=True)
class ReadyAnswer:
    """``ready``: everything vital is well. ``notes`` say what is not well, or that nobody reports on it."""

    ready: bool
    dependencies: dict[str, bool]
    notes: list[str]


@attrs.frozen(kw_only=True)
class NetworkInfo:
    """``server_url_source`` is ``env``, ``proxy_header`` or ``fallback``; ``ssid`` null: not known."""

    ip: str
    server_url: str
    server_url_source: str
    ssid: str | None = None


@attrs.frozen(kw_only=True)
class MqttInfo:
    """The broker that devices reach us by. Without one ``connected`` is false and the addresses are null.

    ``anonymous``: devices may connect without a credential.
    """

    connected: bool
    detail: str
    broker_address: str | None = None
    broker_url: str | None = None
    port: int | None = None
    protocol: str = "MQTT 3.1.1"
    tls_enabled: bool = False
    auth_enabled: bool = False
    anonymous: bool = False
    credentials: list[dict[str, str]] = attrs.field(factory=list)
    tls_ca_available: bool = False
    devices_connected: int = 0
    discovery_topic: str | None = None


@attrs.frozen(kw_only=True)
class NetworkPart:
    server_ip: str
    api_url: str
    url_source: str
    bound_to: str
    wifi_ssid: str | None = None


@attrs.frozen(kw_only=True)
class MqttConnection:
    """How a device sends over MQTT; ``auto_discovery``: unknown devices become drafts."""

    available: bool
    broker: str | None
    auto_discovery: bool
    tls: bool
    auth_required: bool
    topic_format: str = "device/{type}/{id}/uplink"
    payload_format: str = 'JSON object, e.g. {"temperature": 21.5}'


@attrs.frozen(kw_only=True)
class WebhookConnection:
    """How a device posts; ``url`` is null where no webhook is running."""

    available: bool
    url: str | None
    url_source: str
    method: str = "POST"
    content_type: str = "application/json"
    payload_example: dict[str, Any] = attrs.field(factory=lambda: {"temperature": 21.5})


@attrs.frozen(kw_only=True)
class DeviceConnection:
    mqtt: MqttConnection
    webhook: WebhookConnection


@attrs.frozen(kw_only=True)
class StoragePart:
    """``engine`` and ``durability`` are null while no storage is open, or it does not answer; ``detail`` says why."""

    ok: bool
    detail: str
    engine: str | None = None
    durability: str | None = None
    size_bytes: int = 0
    version: str = ""


@attrs.frozen(kw_only=True)
class PluginProblem:
    id: str
    status: str
    reason: str


@attrs.frozen(kw_only=True)
class PluginsPart:
    total: int
    enabled: int
    by_status: dict[str, int]
    problems: list[PluginProblem]


@attrs.frozen(kw_only=True)
class SystemInfo:
    """``started_at`` in seconds since the epoch, ``uptime`` in seconds; ``warnings`` are for whoever operates it.

    ``safe_mode`` is why only first-party plugins run, or null; ``listeners`` are the counters of event listeners.
    """

    version: str
    started_at: int
    uptime: int
    safe_mode: str | None
    mqtt: MqttInfo
    network: NetworkPart
    device_connection: DeviceConnection
    storage: StoragePart
    plugins: PluginsPart
    listeners: Mapping[str, Mapping[str, int]]
    warnings: list[str]


@attrs.frozen(kw_only=True)
class Gpu:
    """``vendor`` is ``nvidia``, ``amd``, ``intel``, ``apple`` or ``other``."""

    name: str
    vendor: str
    total_memory_mb: int | None = None
    driver_version: str | None = None


@attrs.frozen(kw_only=True)
class Disk:
    """Bytes; ``available`` to everybody, which is less than what is free."""

    name: str
    mount: str
    total: int
    used: int
    available: int


@attrs.frozen(kw_only=True)
class Network:
    """An interface with an IPv4 address; bytes since it came up."""

    name: str
    ip: str
    mac: str
    rx_bytes: int
    tx_bytes: int


@attrs.frozen(kw_only=True)
class MachineStats:
    """Memory in bytes, ``cpu_usage`` in percent of all cores since the last look, ``uptime`` of the platform in s."""

    version: str
    uptime: int
    platform: str
    arch: str
    cpu_count: int
    total_memory: int
    used_memory: int
    free_memory: int
    available_memory: int
    cpu_usage: float
    gpus: list[Gpu]
    disks: list[Disk]
    networks: list[Network]


@attrs.frozen(kw_only=True)
class DeviceNumbers:
    """``devices_with_metrics``: their type has metrics."""

    total_devices: int = 0
    online_devices: int = 0
    offline_devices: int = 0
    devices_with_metrics: int = 0


@attrs.frozen(kw_only=True)
class RuleNumbers:
    """Zeros where no rules run; null where they run and nobody counts them here: see ``/stats/rules``."""

    total_rules: int | None
    enabled_rules: int | None
    disabled_rules: int | None
    triggered_today: int | None


@attrs.frozen(kw_only=True)
class AlertNumbers:
    """Zeros where there are no messages; null where there are and nobody counts them here: see ``/messages/stats``."""

    active_alerts: int | None
    by_severity: dict[str, int | None]
    alerts_today: int | None


@attrs.frozen(kw_only=True)
class AllStats:
    devices: DeviceNumbers
    rules: RuleNumbers
    alerts: AlertNumbers
    system: MachineStats


@attrs.frozen(kw_only=True)
class StatsAnswer(MachineStats):
    """The numbers of the machine stand twice: here, and at ``stats.system``."""

    stats: AllStats
