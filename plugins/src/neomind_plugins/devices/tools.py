"""What agents may ask about devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neomind_sdk import READ, AgentTool, PluginContext, ToolContext

from . import views
from .current import Current
from .listing import page_of
from .models import LIMIT_MAX, STATUSES, DeviceQuery
from .service import Directory

Arguments = Mapping[str, Any]
LISTED = 50
LIST_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "device_type": {"type": "string", "description": "Only devices of this type"},
        "status": {"enum": list(STATUSES), "description": "Only devices that are in this state"},
        "search": {"type": "string", "description": "Part of a name or an id"},
        "page": {"type": "integer", "minimum": 1, "default": 1},
        "limit": {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LISTED},
    },
    "additionalProperties": False,
}
GET_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"device_id": {"type": "string", "description": "The id of the device"}},
    "required": ["device_id"],
    "additionalProperties": False,
}


class DeviceTools:
    """The tools; they look at the directory of the moment."""

    def __init__(self, ctx: PluginContext) -> None:
        self._services = ctx.services

    def tools(self) -> list[AgentTool]:
        return [
            AgentTool(
                name="list_devices",
                description="Lists the devices with their type and whether they are online.",
                parameters=LIST_SCHEMA,
                run=self.list_devices,
                effect=READ,
                category="devices",
            ),
            AgentTool(
                name="get_device",
                description="Shows a device: its state, the newest value of each metric, and the commands it takes.",
                parameters=GET_SCHEMA,
                run=self.get_device,
                effect=READ,
                category="devices",
                targets=lambda arguments: (f"device:{arguments.get('device_id')}",),
            ),
        ]

    async def list_devices(self, arguments: Arguments, context: ToolContext) -> dict[str, Any]:
        directory = self._services[Directory]
        page = page_of(directory, DeviceQuery(**{"limit": LISTED, **arguments}))
        rows = [summary(directory, device.device_id) for device in page.devices]
        return {"devices": rows, "total": page.pagination.total, "has_next": page.pagination.has_next}

    async def get_device(self, arguments: Arguments, context: ToolContext) -> dict[str, Any]:
        device_id = str(arguments["device_id"])
        directory = self._services[Directory]
        metrics = await self._services[Current].metrics(device_id)
        device_type = directory.type_of(device_id)
        return {
            **summary(directory, device_id),
            "metrics": {name: metric_summary(metric) for name, metric in metrics.items()},
            "commands": [command_summary(command) for command in views.command_views(device_type)],
        }


def summary(directory: Directory, device_id: str) -> dict[str, Any]:
    """What an agent has to know of a device; raises ``NotFound``."""
    device, presence = directory.require(device_id), directory.presence
    return {
        "device_id": device_id,
        "name": device.name,
        "device_type": device.device_type,
        "status": presence.status(device_id),
        "status_reason": presence.standing(device_id).reason,
        "last_seen": views.iso(presence.last_seen(device_id)),
    }


def metric_summary(metric: Any) -> dict[str, Any]:
    return {"value": metric.value, "unit": metric.unit, "timestamp": metric.timestamp}


def command_summary(command: Any) -> dict[str, Any]:
    """A command without what concerns only its payload."""
    parameters = [
        {
            "name": parameter.name,
            "data_type": parameter.data_type,
            "required": parameter.required,
            "default_value": parameter.default_value,
            "min": parameter.min,
            "max": parameter.max,
            "unit": parameter.unit,
            "allowed_values": parameter.allowed_values,
        }
        for parameter in command.parameters
    ]
    return {"name": command.name, "description": command.description, "parameters": parameters}
