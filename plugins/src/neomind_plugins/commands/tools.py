"""What agents can do with commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from neomind_sdk import ACTUATE, READ, AgentTool, ToolContext

from . import views
from .kept import KEPT, Command
from .service import Commands, source_of

Arguments = Mapping[str, Any]
LISTED = 10
DEVICE = {"type": "string", "description": "The id of the device"}
CONTROL_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "device_id": DEVICE,
        "command": {"type": "string", "description": "The name of a command of the device, as get_device lists them"},
        "params": {"type": "object", "description": "The parameters of the command by name"},
    },
    "required": ["device_id", "command"],
    "additionalProperties": False,
}
LIST_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "device_id": DEVICE,
        "limit": {"type": "integer", "minimum": 1, "maximum": KEPT, "default": LISTED},
    },
    "required": ["device_id"],
    "additionalProperties": False,
}


class CommandTools:
    """The tools; ``commands`` gives the service of the moment."""

    def __init__(self, commands: Callable[[], Commands]) -> None:
        self._commands = commands

    def tools(self) -> list[AgentTool]:
        return [
            AgentTool(
                name="control_device",
                description="Gives a command to a device. The answer says whether it was sent, or what it waits for.",
                parameters=CONTROL_SCHEMA,
                run=self.control_device,
                effect=ACTUATE,
                category="devices",
                targets=target,
            ),
            AgentTool(
                name="list_commands",
                description="Lists the commands that were given to a device, newest first, and what became of them.",
                parameters=LIST_SCHEMA,
                run=self.list_commands,
                effect=READ,
                category="devices",
                targets=target,
            ),
        ]

    async def control_device(self, arguments: Arguments, context: ToolContext) -> dict[str, Any]:
        command = await self._commands().give(
            str(arguments["device_id"]),
            str(arguments["command"]),
            arguments.get("params") or {},
            source=source_of(context.principal),
            cause=f"agent:{context.agent_id}",
            hops=context.hops + 1,
        )
        return attrs.asdict(views.answer(command))

    async def list_commands(self, arguments: Arguments, context: ToolContext) -> dict[str, Any]:
        commands = await self._commands().newest(str(arguments["device_id"]), arguments.get("limit", LISTED))
        return {"commands": [row(command) for command in commands]}


def target(arguments: Arguments) -> tuple[str, ...]:
    return (f"device:{arguments.get('device_id')}",)


def row(command: Command) -> dict[str, Any]:
    return attrs.asdict(views.view(command))
