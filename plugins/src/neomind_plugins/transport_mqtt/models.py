"""Brokers and subscriptions: as they are kept, taken and answered."""

from __future__ import annotations

import re
from typing import Any

import attrs

from neomind_sdk import fields

from .records import Broker
from .topics import filter_problem

MASK = "*****"
DEFAULT_TOPICS = ("sensor/#", "device/#", "tele/#")
MAX_TOPICS = 100
MAX_PEM = 64 * 1024
SECRETS = ("password", "client_key")
KEPT = ("password", "ca_cert", "client_cert")
"""What an update keeps when it is empty, absent or the mask; a key that is absent goes."""
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")


def host_problem(text: str) -> str | None:
    return None if _HOST.fullmatch(text) else "must be a host name or an address, without a scheme and a port"


def topics_problem(topics: list[str]) -> str | None:
    if len(topics) > MAX_TOPICS:
        return f"must be at most {MAX_TOPICS}"
    found = [f"'{topic}' {problem}" for topic in topics if (problem := filter_problem(topic))]
    return found[0] if found else None


@attrs.frozen(kw_only=True)
class TransportSettings:
    """``keep_alive_s``: how long a broker that says nothing counts as there."""

    keep_alive_s: int = fields.number(5, 3600, default=30)


@attrs.frozen(kw_only=True)
class BrokerForm:
    """A broker as it is added or replaced."""

    id: str | None = fields.text(min=1, max=64, pattern=r"[A-Za-z0-9_-]+", default=None)
    name: str = fields.text(min=1, max=100)
    broker: str = fields.field(host_problem)
    port: int = fields.number(1, 65_535, default=1883)
    tls: bool = False
    username: str | None = fields.text(max=256, default=None)
    password: str | None = fields.secret(max=1024, default=None)
    ca_cert: str | None = fields.text(max=MAX_PEM, default=None)
    client_cert: str | None = fields.text(max=MAX_PEM, default=None)
    client_key: str | None = fields.secret(max=MAX_PEM, default=None)
    client_id: str | None = fields.text(max=128, default=None)
    enabled: bool = True
    subscribe_topics: list[str] = fields.field(topics_problem, factory=lambda: list(DEFAULT_TOPICS))


@attrs.frozen(kw_only=True)
class BrokerView:
    id: str
    name: str
    broker: str
    port: int
    tls: bool
    username: str | None
    password: str | None
    ca_cert: str | None
    client_cert: str | None
    client_key: str | None
    client_id: str | None
    enabled: bool
    connected: bool
    last_error: str | None
    updated_at: float
    subscribe_topics: list[str]


@attrs.frozen(kw_only=True)
class SecurityWarning:
    level: str
    message: str
    recommendation: str


@attrs.frozen(kw_only=True)
class BrokersAnswer:
    brokers: list[BrokerView]
    count: int


@attrs.frozen(kw_only=True)
class BrokerAnswer:
    broker: BrokerView


@attrs.frozen(kw_only=True)
class BrokerSaved:
    broker: BrokerView
    message: str
    security_warnings: list[SecurityWarning] | None = None


@attrs.frozen(kw_only=True)
class Told:
    message: str


@attrs.frozen(kw_only=True)
class BrokerTested:
    """``success``: the broker accepted a connection just now."""

    success: bool
    message: str
    broker_url: str
    host: str
    port: int
    tls: bool
    validation_only: bool = False
    broker: BrokerView


@attrs.frozen(kw_only=True)
class External:
    id: str
    name: str
    broker: str
    port: int
    tls: bool
    connected: bool
    enabled: bool
    last_error: str | None


@attrs.frozen(kw_only=True)
class MqttStatus:
    """``clients_count`` is null where nobody counts them; the broker that comes along is what ``listen_…`` is of."""

    connected: bool
    listen_address: str
    subscriptions_count: int
    devices_count: int
    clients_count: int | None
    server_ip: str
    listen_port: int | None
    tls_enabled: bool
    external_brokers: list[External]
    last_error: str | None
    messages: dict[str, dict[str, int]]


@attrs.frozen(kw_only=True)
class StatusAnswer:
    status: MqttStatus


@attrs.frozen(kw_only=True)
class Subscription:
    """What a broker granted; ``device_id`` where the topic is that of one device."""

    topic: str
    qos: int
    device_id: str | None
    adapter_id: str


@attrs.frozen(kw_only=True)
class SubscriptionsAnswer:
    subscriptions: list[Subscription]
    count: int


@attrs.frozen(kw_only=True)
class Subscribe:
    topic: str = fields.text(min=1, max=200)
    qos: int = fields.number(0, 2, default=1)


@attrs.frozen(kw_only=True)
class Unsubscribe:
    topic: str = fields.text(min=1, max=200)


@attrs.frozen(kw_only=True)
class SubscribeAnswer:
    success: bool
    message: str
    topic: str
    qos: int | None = None


@attrs.frozen(kw_only=True)
class DeviceSubscribed:
    message: str
    device_id: str


def view_values(broker: Broker) -> dict[str, Any]:
    """The fields that a view takes over, secrets masked."""
    values = attrs.asdict(broker, filter=lambda field, _: field.name not in ("session_id", "updated_ms"))
    masked = {name: MASK if values[name] else None for name in SECRETS}
    return {**values, **masked, "subscribe_topics": list(broker.subscribe_topics)}
