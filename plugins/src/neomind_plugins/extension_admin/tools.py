"""What agents can do with extensions: one pair of tools for the commands of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from neomind_sdk import ACTUATE, READ, AgentTool, ExtensionCommand, ExtensionCommands, ToolContext

from .jsonable import shown

Arguments = Mapping[str, Any]
LISTED = 50
EXTENSION = {"type": "string", "description": "The id of the extension"}
RUN_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "extension_id": EXTENSION,
        "command": {"type": "string", "description": "A command's name, as list_extension_commands says"},
        "args": {"type": "object", "description": "The arguments of the command by name, as its input_schema says"},
    },
    "required": ["extension_id", "command"],
    "additionalProperties": False,
}
LIST_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "extension_id": {**EXTENSION, "description": "Only commands of this extension"},
        "offset": {"type": "integer", "minimum": 0, "default": 0},
        "limit": {"type": "integer", "minimum": 1, "maximum": 200, "default": LISTED},
    },
    "additionalProperties": False,
}


class ExtensionTools:
    """The tools; ``commands`` gives the service of the moment."""

    def __init__(self, commands: Callable[[], ExtensionCommands]) -> None:
        self._commands = commands

    def tools(self) -> list[AgentTool]:
        return [
            AgentTool(
                name="run_extension_command",
                description="Runs a command of an extension, waits for it, and answers its result.",
                parameters=RUN_SCHEMA,
                run=self.run_extension_command,
                effect=ACTUATE,
                category="extensions",
                targets=lambda arguments: (f"extension:{arguments.get('extension_id')}",),
            ),
            AgentTool(
                name="list_extension_commands",
                description="Lists the commands that extensions offer, and the arguments that each takes.",
                parameters=LIST_SCHEMA,
                run=self.list_extension_commands,
                effect=READ,
                category="extensions",
            ),
        ]

    async def run_extension_command(self, arguments: Arguments, context: ToolContext) -> dict[str, Any]:
        result = await self._commands().run(
            str(arguments["extension_id"]),
            str(arguments["command"]),
            arguments.get("args") or {},
            principal=context.principal,
            cause=f"agent:{context.agent_id}",
            hops=context.hops + 1,
        )
        return {"result": result}

    async def list_extension_commands(self, arguments: Arguments, context: ToolContext) -> dict[str, Any]:
        wanted, offset = arguments.get("extension_id"), arguments.get("offset", 0)
        found = [each for each in self._commands().commands() if wanted in (None, each[0])]
        page = found[offset : offset + arguments.get("limit", LISTED)]
        return {"commands": [row(*each) for each in page], "total": len(found)}


def row(extension_id: str, command: ExtensionCommand) -> dict[str, Any]:
    return {
        "extension_id": extension_id,
        "command": command.name,
        "description": command.description or command.display_name,
        "input_schema": shown(command.input_schema),
    }
