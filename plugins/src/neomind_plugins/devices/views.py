"""Devices and types as they are answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from neomind_sdk import CommandDef, Device, DeviceType, MetricDef, ParamDef
from neomind_sdk.units import seconds

from .configs import texts
from .models import AddedDevice, DeviceCount, DeviceState, DeviceStats, ListedDevice
from .service import Directory
from .type_models import (
    CommandView,
    DownlinkView,
    ListedCommand,
    ListedMetric,
    ListedParam,
    ListedType,
    MdlAnswer,
    MetricView,
    ParamView,
    TypeView,
    UplinkView,
)

MQTT_ADAPTER = ("internal-mqtt", "Internal MQTT")
# Not by way of a float, which would take a millisecond off far times.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(ts_ms: int | None) -> str | None:
    """RFC 3339, in UTC, with milliseconds."""
    return None if ts_ms is None else (EPOCH + timedelta(milliseconds=ts_ms)).isoformat(timespec="milliseconds")


def whole_seconds(ts_ms: int | None) -> int | None:
    return None if ts_ms is None else ts_ms // 1000


def state_members(directory: Directory, device: Device) -> dict[str, Any]:
    """The members of ``DeviceState``."""
    ident, presence = device.device_id, directory.presence
    status, standing = presence.status(ident), presence.standing(ident)
    plugin_id, plugin_name = (device.adapter_id, device.adapter_id) if device.adapter_id else MQTT_ADAPTER
    return {
        "id": ident,
        "device_id": ident,
        "name": device.name,
        "device_type": device.device_type,
        "adapter_type": device.adapter_type,
        "adapter_id": device.adapter_id,
        "plugin_id": plugin_id,
        "plugin_name": plugin_name,
        "status": status,
        "online": status == "online",
        "last_seen": iso(directory.last_seen(ident)),
        "status_since": whole_seconds(standing.since_ms),
        "status_reason": standing.reason,
        "transport_connected": presence.is_connected(ident),
        "transport_changed_at": whole_seconds(presence.connection_changed(ident)),
        "offline_timeout_secs": device.offline_timeout_secs,
        "effective_offline_timeout_secs": directory.effective_timeout(ident),
    }


def listed_members(directory: Directory, device: Device) -> dict[str, Any]:
    """The members of ``ListedDevice``."""
    device_type = directory.type_of(device.device_id)
    return {
        **state_members(directory, device),
        "metric_count": len(device_type.metrics) if device_type else 0,
        "command_count": len(device_type.commands) if device_type else 0,
        "config": texts(device.connection_config),
    }


def state(directory: Directory, device: Device) -> DeviceState:
    return DeviceState(**state_members(directory, device))


def listed(directory: Directory, device: Device) -> ListedDevice:
    return ListedDevice(**listed_members(directory, device))


def added(directory: Directory, device: Device) -> AddedDevice:
    config = dict(device.connection_config)
    return AddedDevice(**listed_members(directory, device), connection_config=config)


def stats(directory: Directory) -> DeviceStats:
    rows = [counted(directory, device) for device in directory.devices()]
    online = sum(row.online for row in rows)
    return DeviceStats(total_devices=len(rows), online_devices=online, offline_devices=len(rows) - online, devices=rows)


def counted(directory: Directory, device: Device) -> DeviceCount:
    ident = device.device_id
    device_type, last_seen = directory.type_of(ident), directory.last_seen(ident)
    return DeviceCount(
        device_id=ident,
        device_type=device.device_type,
        name=device.name,
        online=directory.status(ident) == "online",
        metrics_count=len(device_type.metrics) if device_type else 0,
        last_seen=None if last_seen is None else seconds(last_seen),
    )


def type_view(device_type: DeviceType) -> TypeView:
    return TypeView(
        device_type=device_type.device_type,
        name=device_type.name,
        description=device_type.description,
        categories=list(device_type.categories),
        mode=device_type.mode,
        metrics=[metric_view(metric) for metric in device_type.metrics],
        uplink_samples=list(device_type.uplink_samples),
        commands=command_views(device_type),
        default_offline_timeout_secs=device_type.default_offline_timeout_secs,
        store_raw=device_type.store_raw,
        metric_count=len(device_type.metrics),
        command_count=len(device_type.commands),
    )


def command_views(device_type: DeviceType | None) -> list[CommandView]:
    return [command_view(command) for command in device_type.commands] if device_type else []


def command_view(command: CommandDef) -> CommandView:
    return CommandView(
        name=command.name,
        display_name=command.display_name,
        description=command.description,
        payload_template=command.payload_template,
        parameters=[param_view(parameter) for parameter in command.parameters],
        fixed_values=dict(command.fixed_values),
        samples=list(command.samples),
        parameter_groups=[dict(group) for group in command.parameter_groups],
    )


def metric_view(metric: MetricDef) -> MetricView:
    return MetricView(**same_members(metric, MetricView), data_type=data_type(metric))


def param_view(parameter: ParamDef) -> ParamView:
    return ParamView(**same_members(parameter, ParamView), data_type=data_type(parameter))


def data_type(item: MetricDef | ParamDef) -> Any:
    """The data type with what belongs to it: ``float``, ``{"enum": {"options": […]}}``, ``{"array": {…}}``."""
    if item.data_type == "enum":
        return {"enum": {"options": list(item.options)}}
    return {"array": {"element_type": item.element_type}} if item.data_type == "array" else item.data_type


def listed_type(device_type: DeviceType) -> ListedType:
    return ListedType(
        device_type=device_type.device_type,
        name=device_type.name,
        description=device_type.description,
        categories=list(device_type.categories),
        mode=device_type.mode,
        metrics=[
            ListedMetric(**same_members(metric, ListedMetric), data_type=metric.data_type)
            for metric in device_type.metrics
        ],
        commands=[listed_command(command) for command in device_type.commands],
        metric_count=len(device_type.metrics),
        command_count=len(device_type.commands),
    )


def listed_command(command: CommandDef) -> ListedCommand:
    rows = [
        ListedParam(**same_members(parameter, ListedParam), data_type=parameter.data_type)
        for parameter in command.parameters
    ]
    return ListedCommand(name=command.name, display_name=command.display_name, parameters=rows)


def same_members(item: Any, view: type[Any]) -> dict[str, Any]:
    """What a definition and its view have in common, but for the data type."""
    names = {field.name for field in attrs.fields(view)} - {"data_type"}
    return {name: getattr(item, name) for name in names}


def mdl(device_type: DeviceType) -> MdlAnswer:
    view = type_view(device_type)
    return MdlAnswer(
        device_type=view.device_type,
        name=view.name,
        description=view.description,
        categories=view.categories,
        mode=view.mode,
        uplink=UplinkView(metrics=view.metrics, samples=view.uplink_samples),
        downlink=DownlinkView(commands=view.commands),
    )
