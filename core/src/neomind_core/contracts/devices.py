"""Devices, their types, and the services around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import attrs

DATA_TYPES = ("integer", "float", "string", "boolean", "array", "binary", "enum")


@attrs.frozen(kw_only=True)
class MetricDef:
    """A metric of a device type. ``name`` is a path into the payload: ``temperature``, ``values.t``, ``a[0].b``.

    ``data_type`` is one of ``DATA_TYPES``; ``options`` are the words of an enum, ``element_type`` that of an array.
    """

    name: str
    display_name: str = ""
    data_type: str = "string"
    unit: str = ""
    min: float | None = None
    max: float | None = None
    required: bool = False
    options: tuple[str, ...] = ()
    element_type: str | None = None


@attrs.frozen(kw_only=True)
class ParamDef:
    """A parameter of a device command."""

    name: str
    display_name: str = ""
    data_type: str = "string"
    default_value: Any = None
    min: float | None = None
    max: float | None = None
    unit: str = ""
    allowed_values: tuple[Any, ...] = ()
    required: bool = False
    options: tuple[str, ...] = ()
    element_type: str | None = None
    visible_when: str | None = None
    group: str | None = None
    help_text: str = ""
    validation: tuple[Mapping[str, Any], ...] = ()


@attrs.frozen(kw_only=True)
class CommandDef:
    """A command that devices of a type understand; ``payload_template`` has ``${name}`` placeholders."""

    name: str
    display_name: str = ""
    description: str = ""
    payload_template: str = ""
    parameters: tuple[ParamDef, ...] = ()
    fixed_values: Mapping[str, Any] = attrs.field(factory=dict)
    samples: tuple[Any, ...] = ()
    parameter_groups: tuple[Mapping[str, Any], ...] = ()


@attrs.frozen(kw_only=True)
class DeviceType:
    """What devices of one kind have in common."""

    device_type: str
    name: str
    description: str = ""
    categories: tuple[str, ...] = ()
    mode: str = "simple"
    metrics: tuple[MetricDef, ...] = ()
    uplink_samples: tuple[Any, ...] = ()
    commands: tuple[CommandDef, ...] = ()
    default_offline_timeout_secs: int | None = None
    store_raw: bool = True


@attrs.frozen(kw_only=True)
class Device:
    """A registered device. ``adapter_type`` is ``mqtt``, ``webhook`` or ``extension``; ``created_ms`` epoch ms."""

    device_id: str
    name: str
    device_type: str
    adapter_type: str = "mqtt"
    connection_config: Mapping[str, Any] = attrs.field(factory=dict)
    adapter_id: str | None = None
    offline_timeout_secs: int | None = None
    created_ms: int = 0


@runtime_checkable
class DeviceDirectory(Protocol):
    """Look-ups are dictionary accesses in memory: cheap enough for every sample."""

    def get(self, device_id: str) -> Device | None: ...

    def type_of(self, device_id: str) -> DeviceType | None:
        """The type of a device; ``None`` when the device or its type is gone."""
        ...

    def get_type(self, device_type: str) -> DeviceType | None: ...

    def devices(self) -> Sequence[Device]:
        """All devices, by name then id."""
        ...

    def types(self) -> Sequence[DeviceType]: ...

    def seen(self, device_id: str, at_ms: int) -> None:
        """A device was heard from (never blocks; publishes ``DeviceOnline`` when it was not online)."""
        ...

    def last_seen(self, device_id: str) -> int | None:
        """Milliseconds since the epoch, ``None`` when never."""
        ...

    def status(self, device_id: str) -> str:
        """``online``, ``offline`` (seen before) or ``disconnected`` (never seen)."""
        ...

    def effective_timeout(self, device_id: str) -> int:
        """Seconds: the device's override, else its type's default, else the setting."""
        ...

    def webhook_token_ok(self, device_id: str, token: str | None) -> bool:
        """Whether ``token`` opens the device's webhook; always when it has none, or nobody registered the device."""
        ...

    async def register(self, device: Device) -> Device:
        """Store a new device and return it as it is kept: ``created_ms`` set, ``webhook_token`` hashed and masked.

        ``Conflict`` when the id is taken, ``NotFound`` for an unknown type, ``BadRequest`` for an id, a
        ``connection_config`` or an ``offline_timeout_secs`` that cannot be.
        """
        ...

    async def register_type(self, device_type: DeviceType) -> None:
        """Store or replace a type."""
        ...

    async def remove(self, device_id: str) -> None:
        """Remove a device; ``NotFound`` when there is none. Its telemetry stays until retention takes it."""
        ...


@runtime_checkable
class DiscoveryInbox(Protocol):
    """Takes samples of devices nobody registered (drafts). Absent, unknown devices are refused."""

    async def offer(self, sample: UnknownSample) -> bool:
        """Keep the sample; ``False`` when it was refused (limits, discovery switched off)."""
        ...


@attrs.frozen(kw_only=True)
class UnknownSample:
    """What an unknown device sent; ``payload`` is the decoded JSON, or bytes when it is not JSON.

    ``ts_ms`` is the device's own time, ``None`` when it gave none.
    """

    device_id: str
    source: str
    payload: Any
    received_ms: int
    ts_ms: int | None = None
    original_topic: str | None = None
    adapter_id: str | None = None
    client: str = ""
