"""Commands of extensions for whoever is not a request: rules, agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from neomind_sdk import ApiError, ExtensionCommand, Platform, Principal

from . import catalog
from .arguments import UnusableSchema, arguments_of, check
from .runner import CommandRunner


@attrs.frozen
class Calls:
    """The ``ExtensionCommands`` of the platform: the runner of the REST route under the contract's names."""

    runner: CommandRunner
    platform: Platform

    async def run(
        self,
        extension_id: str,
        command: str,
        args: Mapping[str, Any],
        *,
        principal: Principal,
        cause: str | None = None,
        hops: int = 0,
    ) -> Any:
        """See ``ExtensionCommands.run``; raises ``NotRunning`` too."""
        outcome = await self.runner.run(extension_id, command, dict(args), principal, cause=cause, hops=hops)
        return outcome.result

    def problems(self, extension_id: str, command: str, args: Mapping[str, Any]) -> list[str]:
        """See ``ExtensionCommands.problems``."""
        try:
            found = catalog.command(self.platform, extension_id, command)
            check(found.input_schema, arguments_of(found, dict(args)))
        except ApiError as error:
            return [error.message]
        except UnusableSchema as error:
            return [f"the command '{command}' cannot be run: {error}"]
        return []

    def commands(self) -> Sequence[tuple[str, ExtensionCommand]]:
        """See ``ExtensionCommands.commands``."""
        return catalog.running_commands(self.platform)
