"""Commands as they are answered."""

from __future__ import annotations

from typing import Any

import orjson

from .kept import DELIVERED, EXPIRED, FAILED, QUEUED, SENT, SUCCEEDED, Command
from .models import CommandView, ControlAnswer

STATUS = {QUEUED: "pending", SENT: "executing", SUCCEEDED: "success", FAILED: "failed", EXPIRED: "timeout"}


def status(command: Command) -> str:
    """The word that clients know; what was handed over counts as done unless an acknowledgement is required."""
    if command.state == DELIVERED:
        return "executing" if command.requires_ack else "success"
    return STATUS[command.state]


def answer(command: Command) -> ControlAnswer:
    return ControlAnswer(
        device_id=command.device_id,
        command=command.command,
        command_id=command.command_id,
        sent=command.sent_ms is not None,
        status=status(command),
        state=command.state,
        detail=command.error,
    )


def view(command: Command) -> CommandView:
    word = status(command)
    done_ms = command.sent_ms if word == "success" and command.finished_ms is None else command.finished_ms
    return CommandView(
        command_id=command.command_id,
        command_name=command.command,
        parameters=dict(command.params),
        status=word,
        state=command.state,
        result=text(command.result),
        error=command.error,
        source=command.source,
        created_at=command.created_ms // 1000,
        sent_at=whole_seconds(command.sent_ms),
        completed_at=whole_seconds(done_ms),
    )


def whole_seconds(ts_ms: int | None) -> int | None:
    return None if ts_ms is None else ts_ms // 1000


def text(value: Any) -> str | None:
    """A result as text: JSON, unless it is a text already."""
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
