"""Devices, their types, and the services around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import attrs

from .auth import Principal

if TYPE_CHECKING:
    from .telemetry import Ingest

DATA_TYPES = ("integer", "float", "string", "boolean", "array", "binary", "enum")
COMMAND_STATES = ("queued", "sent", "delivered", "succeeded", "failed", "expired")


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
    """Takes samples of devices nobody registered (drafts). Absent, unknown devices are refused.

    ``Ingest`` asks it for every unknown device, so it starts first and cannot ask for ``Ingest``: it is given it.
    """

    def connect(self, ingest: Ingest) -> None:
        """Called by who provides ``Ingest``, when it starts: samples become history through it on registration."""
        ...

    async def offer(self, sample: UnknownSample) -> bool:
        """Keep the sample; ``False`` when it was refused (limits, discovery switched off).

        ``True`` means durable. Raises the storage's errors.
        """
        ...


@attrs.frozen(kw_only=True)
class UnknownSample:
    """What an unknown device sent; ``payload`` is the decoded JSON, or bytes when it is not JSON.

    ``ts_ms`` is the device's own time, ``None`` when it gave none; ``quality`` and ``retained`` as in ``Uplink``.
    """

    device_id: str
    source: str
    payload: Any
    received_ms: int
    ts_ms: int | None = None
    original_topic: str | None = None
    adapter_id: str | None = None
    client: str = ""
    quality: float | None = None
    retained: bool = False


@attrs.frozen(kw_only=True)
class CommandRecord:
    """A command that was given to a device, as it is now.

    ``state`` is one of ``COMMAND_STATES``: ``queued`` waits for its transport, ``sent`` is with the transport,
    ``delivered`` was handed over and waits for the device's acknowledgement; the other three are ends. ``error`` says
    why it failed or expired, or what it waits for.
    """

    command_id: str
    device_id: str
    command: str
    params: Mapping[str, Any]
    state: str
    created_ms: int
    finished_ms: int | None = None
    result: Any = None
    error: str | None = None


@runtime_checkable
class DeviceCommands(Protocol):
    """Gives commands to devices, for whoever wants something done: requests, rules, agents."""

    async def send(
        self,
        device_id: str,
        command: str,
        params: Mapping[str, Any],
        *,
        cause: str | None = None,
        hops: int = 0,
        principal: Principal | None = None,
    ) -> CommandRecord:
        """Check the command against the device's type, keep it, and hand it to the device's transport.

        Returns after the first attempt to hand it over, whatever came of it: a command that has to wait is sent later,
        and is never lost. ``cause`` and ``hops`` are those of the ``DeviceCommandFinished`` to come. Raises
        ``NotFound`` for the device, ``ValidationFailed`` naming the parameter, ``BadRequest`` for a command that the
        type does not have, that has no payload, or that the transport refuses, ``Conflict`` when too many commands
        wait for the device, and the storage's errors.
        """
        ...

    def problems(self, device_id: str, command: str, params: Mapping[str, Any]) -> list[str]:
        """What speaks against ``send`` as things are now; patterns are not looked at. For whoever saves a rule."""
        ...

    async def history(self, device_id: str, limit: int = 50) -> Sequence[CommandRecord]:
        """The newest commands of a device, newest first; raises ``NotFound`` for the device."""
        ...


@runtime_checkable
class CommandAcks(Protocol):
    """Where transports bring what devices say about their commands."""

    async def acknowledge(
        self, device_id: str, command_id: str | None, success: bool, *, result: Any = None, error: str | None = None
    ) -> bool:
        """End a command as the device says; durable when this returns.

        ``command_id`` may also be the ``request_id`` of the payload, or ``None`` for the oldest command of the device
        that waits for an acknowledgement. ``False`` when no command of the device waits for it: it is unknown, or has
        ended already. Raises the storage's errors; then nothing has changed, and the transport may bring it again.
        """
        ...


@runtime_checkable
class ImageFiles(Protocol):
    """The pictures that devices sent, at ``/api/images/<device>/<metric>/<file>``."""

    async def read(self, device: str, metric: str, file: str) -> tuple[bytes, str]:
        """A picture and its media type; raises ``BadRequest`` for what no address of ours has, ``NotFound``."""
        ...
