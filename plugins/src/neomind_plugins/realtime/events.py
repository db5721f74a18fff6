"""The table of all events that are streamed: what each class of the bus is on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import attrs
import orjson

from neomind_sdk import (
    AgentExecutionCompleted,
    AgentExecutionStarted,
    AgentStepTaken,
    CustomPublished,
    DashboardUpdated,
    DeviceCommandFinished,
    DeviceDiscovered,
    DeviceOffline,
    DeviceOnline,
    DeviceRegistered,
    DeviceTransportOffline,
    DeviceTransportOnline,
    DeviceTypeRegistered,
    DeviceTypeUnregistered,
    DeviceUnregistered,
    DeviceUpdated,
    Event,
    ExtensionCommandFinished,
    ExtensionOutputProduced,
    ExtensionStateChanged,
    MessageAcknowledged,
    MessageCreated,
    MessageResolved,
    MetricsStored,
    Point,
    RuleEvaluated,
    RuleExecuted,
    RuleTriggered,
    SettingsChanged,
    series,
)

from .kinds import Fact, Kind, Tell, as_custom, copying, custom_fact, lookup
from .plain import plain

CUSTOM = "Custom"
DEVICE_CUSTOMS = frozenset(
    {
        "DeviceRegistered",
        "DeviceUpdated",
        "DeviceUnregistered",
        "DeviceTypeRegistered",
        "DeviceTypeUnregistered",
        "auto_onboard",
    }
)


def device(name: str, *, stamped: bool = False, deep: bool = False, typed: bool = False) -> Kind:
    area = Kind(type=name, scope="devices:read", categories=frozenset({"device"}))
    return attrs.evolve(area, stamped=stamped, deep=deep, typed=typed)


def rule(name: str) -> Kind:
    return Kind(type=name, scope="rules:read", categories=frozenset({"rule"}), typed=True)


def message(name: str, *, urgent: bool = False) -> Kind:
    return Kind(type=name, scope="messages:read", typed=True, urgent=urgent)


def agent(name: str, *, urgent: bool = False) -> Kind:
    return Kind(type=name, scope="agents:read", categories=frozenset({"agent", "llm"}), urgent=urgent)


def extension(name: str, *, stamped: bool = False, typed: bool = False) -> Kind:
    area = Kind(type=name, scope="extensions:read", categories=frozenset({"extension"}))
    return attrs.evolve(area, stamped=stamped, typed=typed)


METRIC = device("DeviceMetric", stamped=True)
DEVICE_CUSTOM = device(CUSTOM)
OTHER_CUSTOM = Kind(type=CUSTOM, scope="events:read")
DEVICE_CHANGE = device(CUSTOM, deep=True)
SETTINGS_CHANGE = Kind(type=CUSTOM, scope="settings:read", deep=True)
COMMAND_COMPLETED = extension("ExtensionCommandCompleted", typed=True)
COMMAND_FAILED = extension("ExtensionCommandFailed", typed=True)
AGENT_STEPS = {
    "thinking": agent("AgentThinking"),
    "decision": agent("AgentDecision"),
    "progress": agent("AgentProgress"),
    "memory": agent("AgentMemoryUpdated"),
}


# ---- metrics: the many ----------------------------------------------------------------------------------------------


class _Origin(NamedTuple):
    device_id: str
    metric: str
    virtual: bool


@lru_cache(maxsize=8192)
def _origin(name: str) -> _Origin | None:
    """What a series is called on the wire; ``None`` when its values are not streamed as metrics."""
    try:
        parts = series.split(name)
    except ValueError:  # not ours to complain about: it is stored
        return None
    if parts.source_type == series.EXTENSION or parts.metric == series.RAW:
        return None
    ident = parts.source_id if parts.source_type == series.DEVICE else parts.source
    return _Origin(ident, parts.metric, parts.virtual)


def metrics(event: MetricsStored) -> Iterable[Fact]:
    # A batch of several devices names the transport only: ``adapter:mqtt``.
    shared = event.source.startswith("adapter:") and event.source.count(":") == 1
    for point in event.points:
        origin = _origin(point.series)
        if origin is not None:
            source = f"{event.source}:{origin.device_id}" if shared else event.source
            yield _metric(point, origin, source, event.virtual or origin.virtual)


def _metric(point: Point, origin: _Origin, source: str, virtual: bool) -> Fact:
    value = point.value
    if isinstance(value, dict | list):
        value = orjson.dumps(value, default=plain, option=orjson.OPT_NON_STR_KEYS).decode()
    data = {"device_id": origin.device_id, "metric": origin.metric, "value": value, "quality": point.quality}
    if virtual:
        data["is_virtual"] = True
    return Fact(METRIC, data, source, point.ts_ms, point.series)


# ---- the others -----------------------------------------------------------------------------------------------------


def device_command(event: DeviceCommandFinished) -> Iterable[Fact]:
    data: dict[str, Any] = {
        "device_id": event.device_id,
        "command": event.command,
        "command_id": event.command_id,
        "success": event.success,
    }
    if event.result is not None:
        data["result"] = event.result
    return (Fact(device("DeviceCommandResult", typed=True), data),)


def device_discovered(event: DeviceDiscovered) -> Iterable[Fact]:
    names = ("device_id", "source", "metadata", "sample", "is_binary")
    data = {name: getattr(event, name) for name in names}
    if event.adapter_id is not None:
        data["adapter_id"] = event.adapter_id
    return (Fact(device("DeviceDiscovered", typed=True), data),)


def agent_step(event: AgentStepTaken) -> Iterable[Fact]:
    kind = AGENT_STEPS.get(event.kind)
    if kind is None:
        return ()
    return (Fact(kind, {"agent_id": event.agent_id, "execution_id": event.execution_id, **event.data}),)


def extension_command(event: ExtensionCommandFinished) -> Iterable[Fact]:
    data = {
        "extension_id": event.extension_id,
        "extension_name": event.extension_id,
        "command_id": event.command_id,
        "execution_id": event.execution_id,
        "duration_ms": event.duration_ms,
    }
    if event.success:
        return (Fact(COMMAND_COMPLETED, data | {"outputs": event.outputs}),)
    return (Fact(COMMAND_FAILED, data | {"error": event.error}),)


def custom(event: CustomPublished) -> Iterable[Fact]:
    kind = DEVICE_CUSTOM if event.custom_type in DEVICE_CUSTOMS else OTHER_CUSTOM
    return (custom_fact(kind, event.custom_type, event.data, event.source),)


TABLE: Mapping[type[Event], Tell] = {
    MetricsStored: metrics,
    DeviceOnline: copying(device("DeviceOnline", stamped=True), "device_id", "device_type"),
    DeviceOffline: copying(device("DeviceOffline", stamped=True), "device_id", "reason"),
    DeviceTransportOnline: copying(device("DeviceTransportOnline", stamped=True), "device_id", "client_id"),
    DeviceTransportOffline: copying(device("DeviceTransportOffline", stamped=True), "device_id", "client_id", "reason"),
    DeviceCommandFinished: device_command,
    DeviceDiscovered: device_discovered,
    DeviceRegistered: as_custom(DEVICE_CHANGE, "DeviceRegistered", "device_id", "device_type"),
    DeviceUpdated: as_custom(DEVICE_CHANGE, "DeviceUpdated", "device_id"),
    DeviceUnregistered: as_custom(DEVICE_CHANGE, "DeviceUnregistered", "device_id", "device_type"),
    DeviceTypeRegistered: as_custom(DEVICE_CHANGE, "DeviceTypeRegistered", "device_type"),
    DeviceTypeUnregistered: as_custom(DEVICE_CHANGE, "DeviceTypeUnregistered", "device_type"),
    RuleEvaluated: copying(rule("RuleEvaluated"), "rule_id", "rule_name", "condition_met"),
    RuleTriggered: copying(rule("RuleTriggered"), "rule_id", "rule_name", "trigger_value", "actions"),
    RuleExecuted: copying(rule("RuleExecuted"), "rule_id", "rule_name", "success", "duration_ms"),
    MessageCreated: copying(message("MessageCreated", urgent=True), "message_id", "title", "severity", "message"),
    MessageAcknowledged: copying(message("MessageAcknowledged"), "message_id", "acknowledged_by"),
    MessageResolved: copying(message("MessageResolved"), "message_id"),
    AgentExecutionStarted: copying(
        agent("AgentExecutionStarted"), "agent_id", "agent_name", "execution_id", "trigger_type"
    ),
    AgentStepTaken: agent_step,
    AgentExecutionCompleted: copying(
        agent("AgentExecutionCompleted", urgent=True), "agent_id", "execution_id", "success", "duration_ms", "error"
    ),
    ExtensionOutputProduced: copying(
        extension("ExtensionOutput", stamped=True), "extension_id", "output_name", "value", "labels", "quality"
    ),
    ExtensionStateChanged: copying(extension("ExtensionLifecycle", stamped=True), "extension_id", "state", "message"),
    ExtensionCommandFinished: extension_command,
    DashboardUpdated: copying(
        Kind(type="DashboardUpdated", scope="dashboards:read", typed=True), "dashboard_id", "action"
    ),
    SettingsChanged: as_custom(SETTINGS_CHANGE, "SettingsChanged", "section"),
    CustomPublished: custom,
}

SCOPES = frozenset(
    {f"{area}:read" for area in ("devices", "rules", "messages", "agents", "extensions", "dashboards", "settings")}
    | {OTHER_CUSTOM.scope}
)

tell_of = lookup(TABLE)
"""What finds the entry of a class, or of its nearest base, in the table; ``None`` for what is not streamed."""
