"""What agents can do with messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from neomind_sdk import ACTUATE, READ, SEVERITIES, AgentTool, NewMessage, ToolContext

from . import views
from .board import Board
from .models import PAGE_MAX, TEXT_MAX, TITLE_MAX
from .records import STATUSES, Wanted
from .service import Messages

Arguments = Mapping[str, Any]
LISTED = 20
SEND_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "minLength": 1, "maxLength": TITLE_MAX},
        "message": {"type": "string", "minLength": 1, "maxLength": TEXT_MAX},
        "severity": {"enum": list(SEVERITIES), "default": "info"},
        "device_id": {"type": "string", "description": "The id of the device that the message is about"},
        "channels": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Names of the channels that get it; absent: all whose filter lets it pass",
        },
    },
    "required": ["title", "message"],
    "additionalProperties": False,
}
LIST_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "status": {"enum": list(STATUSES)},
        "severity": {"enum": list(SEVERITIES)},
        "search": {"type": "string", "description": "Part of a title, text or source"},
        "limit": {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": LISTED},
    },
    "additionalProperties": False,
}


class MessageTools:
    """The tools; ``board`` and ``messages`` give the services of the moment."""

    def __init__(self, board: Callable[[], Board], messages: Callable[[], Messages]) -> None:
        self._board = board
        self._messages = messages

    def tools(self) -> list[AgentTool]:
        return [
            AgentTool(
                name="send_message",
                description="Raises a message for people, which notification channels deliver.",
                parameters=SEND_SCHEMA,
                run=self.send_message,
                effect=ACTUATE,
                category="messages",
                targets=targets,
            ),
            AgentTool(
                name="list_messages",
                description="Lists messages, newest first: what was raised, how severe it is, whether it is resolved.",
                parameters=LIST_SCHEMA,
                run=self.list_messages,
                effect=READ,
                category="messages",
            ),
        ]

    async def send_message(self, arguments: Arguments, context: ToolContext) -> dict[str, Any]:
        channels = arguments.get("channels")
        facts = {"agent_id": context.agent_id, "execution_id": context.execution_id}
        device = {"device_id": arguments["device_id"]} if arguments.get("device_id") else {}
        raised = await self._board().post(
            NewMessage(
                title=str(arguments["title"]),
                message=str(arguments["message"]),
                severity=arguments.get("severity", "info"),
                source=context.agent_id,
                source_type="agent",
                metadata={**facts, **device},
                channels=None if channels is None else tuple(channels),
                cause=f"agent:{context.agent_id}",
                hops=context.hops + 1,
            )
        )
        message = raised.message
        return {"id": message.id, "repeat_of": message.repeat_of, "unknown_channels": list(raised.unknown)}

    async def list_messages(self, arguments: Arguments, context: ToolContext) -> dict[str, Any]:
        page = await self._messages().page(Wanted(**{"limit": LISTED, **arguments}))
        rows = [views.message_view(message, page.counts.get(message.id, {})) for message in page.messages]
        return {"messages": [attrs.asdict(row) for row in rows], "total": page.total}


def targets(arguments: Arguments) -> tuple[str, ...]:
    """The channels that are named; whoever may use the tool may leave the choice to the channels' filters."""
    return tuple(f"channel:{name}" for name in arguments.get("channels") or ())
