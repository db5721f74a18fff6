"""What rules can do with commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from neomind_sdk import ActionOutcome, ApiError, Firing, fields

from .service import Commands

NO_EXTENSIONS = "commands of extensions cannot be executed by rules here"


@attrs.frozen(kw_only=True)
class ExecuteParams:
    """``target`` is the id of the device."""

    target: str = fields.text(min=1, max=200)
    target_type: str = fields.one_of(("device", "extension"))
    command: str = fields.text(min=1, max=100)
    params: dict[str, Any] | None = None


class Execute:
    """The rule action ``execute``: gives a command to a device, as a request would."""

    name = "execute"
    summary = "Gives a command to a device."
    params = ExecuteParams

    def __init__(self, commands: Callable[[], Commands]) -> None:
        self._commands = commands

    def check(self, params: ExecuteParams) -> list[str]:
        """Whether the device exists and takes the command with these parameters."""
        if params.target_type != "device":
            return [NO_EXTENSIONS]
        return self._commands().problems(params.target, params.command, params.params or {})

    async def run(self, params: ExecuteParams, firing: Firing) -> ActionOutcome:
        """Done when the command is kept: one that has to wait for its transport is sent later."""
        summary = f"EXECUTE: {params.target}.{params.command}"
        if params.target_type != "device":
            return ActionOutcome(ok=False, summary=summary, error=NO_EXTENSIONS)
        cause = f"rule:{firing.rule_id}"
        try:
            await self._commands().give(
                params.target,
                params.command,
                params.params or {},
                source=cause,
                cause=cause,
                hops=firing.hops + 1,
            )
        except ApiError as error:
            return ActionOutcome(ok=False, summary=summary, error=error.message)
        return ActionOutcome(ok=True, summary=summary)
