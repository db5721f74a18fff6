"""What rules can do with commands, of devices and of extensions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from neomind_sdk import ActionOutcome, ApiError, ExtensionCommands, Firing, Principal, fields

from .service import Commands

NO_EXTENSIONS = "commands of extensions cannot be run: the plugin 'extension_admin' is not running"
SCOPES = frozenset({"extension_commands:write"})


@attrs.frozen(kw_only=True)
class ExecuteParams:
    """``target`` is the id of the device or of the extension."""

    target: str = fields.text(min=1, max=200)
    target_type: str = fields.one_of(("device", "extension"))
    command: str = fields.text(min=1, max=100)
    params: dict[str, Any] | None = None


class Execute:
    """The rule action ``execute``: gives a command to a device or an extension, as a request would.

    ``commands`` and ``extensions`` give the services of the moment.
    """

    name = "execute"
    summary = "Gives a command to a device or an extension."
    params = ExecuteParams

    def __init__(self, commands: Callable[[], Commands], extensions: Callable[[], ExtensionCommands | None]) -> None:
        self._commands = commands
        self._extensions = extensions

    def check(self, params: ExecuteParams) -> list[str]:
        """Whether the target exists and takes the command with these parameters."""
        if params.target_type == "device":
            return self._commands().problems(params.target, params.command, params.params or {})
        extensions = self._extensions()
        if extensions is None:
            return [NO_EXTENSIONS]
        return extensions.problems(params.target, params.command, params.params or {})

    async def run(self, params: ExecuteParams, firing: Firing) -> ActionOutcome:
        """One attempt; what went wrong is in the outcome."""
        device = params.target_type == "device"
        summary = f"{'EXECUTE' if device else 'EXTENSION'}: {params.target}.{params.command}"
        try:
            error = await (self._to_device(params, firing) if device else self._to_extension(params, firing))
        except ApiError as refused:
            error = refused.message
        return ActionOutcome(ok=error is None, summary=summary, error=error)

    async def _to_device(self, params: ExecuteParams, firing: Firing) -> str | None:
        """Done when the command is kept: one that has to wait for its transport is sent later."""
        cause = f"rule:{firing.rule_id}"
        await self._commands().give(
            params.target, params.command, params.params or {}, source=cause, cause=cause, hops=firing.hops + 1
        )
        return None

    async def _to_extension(self, params: ExecuteParams, firing: Firing) -> str | None:
        """Done when the command has come to its end; returns why it could not even begin."""
        extensions, cause = self._extensions(), f"rule:{firing.rule_id}"
        if extensions is None:
            return NO_EXTENSIONS
        rule = Principal(kind="plugin", id=cause, name=firing.rule_name, scopes=SCOPES)
        await extensions.run(
            params.target, params.command, params.params or {}, principal=rule, cause=cause, hops=firing.hops + 1
        )
        return None
