"""What happened. Events are frozen, named in the past tense, and published after the fact is durable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import attrs

from .storage import Point


@attrs.frozen(kw_only=True)
class Event:
    """Base of all events. ``cause`` names what made it happen (``rule:<id>``), ``hops`` how many causes lie behind."""

    cause: str | None = None
    hops: int = 0


class Notice(NamedTuple):
    """An event as listeners get it: ``seq`` is monotonic and survives restarts, ``at_ms`` is when it was published."""

    seq: int
    at_ms: int
    event: Event


@attrs.frozen(kw_only=True)
class Lagged(Event):
    """Only ever in a listener's own queue: it was too slow, and ``dropped`` of the oldest notices are gone."""

    dropped: int


@attrs.frozen(kw_only=True)
class MetricsStored(Event):
    """A batch of values is durable.

    ``source`` is ``adapter:<transport>:<device>``, or ``adapter:<transport>`` for a batch of several devices, ``api``,
    or an extension.
    """

    points: Sequence[Point]
    source: str
    virtual: bool = False


@attrs.frozen(kw_only=True)
class DeviceOnline(Event):
    device_id: str
    device_type: str


@attrs.frozen(kw_only=True)
class DeviceOffline(Event):
    device_id: str
    reason: str | None = None


@attrs.frozen(kw_only=True)
class DeviceTransportOnline(Event):
    device_id: str
    client_id: str


@attrs.frozen(kw_only=True)
class DeviceTransportOffline(Event):
    device_id: str
    client_id: str
    reason: str | None = None


@attrs.frozen(kw_only=True)
class DeviceRegistered(Event):
    device_id: str
    device_type: str


@attrs.frozen(kw_only=True)
class DeviceUpdated(Event):
    device_id: str


@attrs.frozen(kw_only=True)
class DeviceUnregistered(Event):
    device_id: str
    device_type: str


@attrs.frozen(kw_only=True)
class DeviceTypeRegistered(Event):
    device_type: str


@attrs.frozen(kw_only=True)
class DeviceTypeUnregistered(Event):
    device_type: str


@attrs.frozen(kw_only=True)
class DeviceDiscovered(Event):
    device_id: str
    source: str
    sample: Any = None
    adapter_id: str | None = None
    metadata: Mapping[str, Any] = attrs.field(factory=dict)
    is_binary: bool = False


@attrs.frozen(kw_only=True)
class DeviceCommandFinished(Event):
    device_id: str
    command: str
    command_id: str
    success: bool
    result: Any = None


@attrs.frozen(kw_only=True)
class RuleEvaluated(Event):
    rule_id: str
    rule_name: str
    condition_met: bool


@attrs.frozen(kw_only=True)
class RuleTriggered(Event):
    rule_id: str
    rule_name: str
    trigger_value: Any = None
    actions: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class RuleExecuted(Event):
    rule_id: str
    rule_name: str
    success: bool
    duration_ms: float = 0.0


@attrs.frozen(kw_only=True)
class MessageCreated(Event):
    message_id: str
    title: str
    severity: str
    message: str


@attrs.frozen(kw_only=True)
class MessageAcknowledged(Event):
    message_id: str
    acknowledged_by: str


@attrs.frozen(kw_only=True)
class MessageResolved(Event):
    message_id: str


@attrs.frozen(kw_only=True)
class AgentExecutionStarted(Event):
    agent_id: str
    agent_name: str
    execution_id: str
    trigger_type: str


@attrs.frozen(kw_only=True)
class AgentStepTaken(Event):
    """``kind`` is ``thinking``, ``decision``, ``progress`` or ``memory``; ``data`` its fields on the wire."""

    agent_id: str
    execution_id: str
    kind: str
    data: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class AgentExecutionCompleted(Event):
    agent_id: str
    execution_id: str
    success: bool
    duration_ms: float
    error: str | None = None


@attrs.frozen(kw_only=True)
class ExtensionOutputProduced(Event):
    extension_id: str
    output_name: str
    value: Any
    labels: Mapping[str, str] | None = None
    quality: float | None = None


@attrs.frozen(kw_only=True)
class ExtensionStateChanged(Event):
    """``state`` is ``registered``, ``unregistered``, ``loaded``, ``started``, ``stopped`` or ``error``."""

    extension_id: str
    state: str
    message: str | None = None


@attrs.frozen(kw_only=True)
class ExtensionCommandFinished(Event):
    extension_id: str
    command_id: str
    execution_id: str
    success: bool
    duration_ms: float
    outputs: Any = None
    error: str | None = None


@attrs.frozen(kw_only=True)
class DashboardUpdated(Event):
    dashboard_id: str
    action: str


@attrs.frozen(kw_only=True)
class SettingsChanged(Event):
    section: str


@attrs.frozen(kw_only=True)
class SessionEnded(Event):
    """A login, key or share ended (logout, password change, disabling, deletion): its streams must close."""

    principal_id: str
    session: str | None = None
    reason: str = ""


@attrs.frozen(kw_only=True)
class PlatformStopping(Event):
    """The platform is about to stop: streams end now, while the server can still say so to their clients."""


@attrs.frozen(kw_only=True)
class CustomPublished(Event):
    """Published by a client of the API or a plugin under a name of its own."""

    custom_type: str
    data: Any = None
    source: str = "api"


@runtime_checkable
class EventBus(Protocol):
    """In-process fan-out. Publishing never waits and never raises because of a listener."""

    def publish(self, event: Event) -> int:
        """Hand the event to every listener that asked for its class; returns its sequence number."""
        ...

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener while running; returns what takes it away again."""
        ...


@attrs.frozen(kw_only=True)
class Listener:
    """Gets events in batches, in order, one batch at a time.

    ``events``  the classes wanted; a class stands for its subclasses too
    ``handle``  ``async (Sequence[Notice]) -> None``; raising is logged and counted, the next batch comes
    ``queue``   how many notices may wait; then the oldest are dropped and a ``Lagged`` says how many
    """

    name: str
    events: tuple[type[Event], ...]
    handle: Callable[[Sequence[Notice]], Awaitable[None]]
    queue: int = 10_000
    batch: int = 500
