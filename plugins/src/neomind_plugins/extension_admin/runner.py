"""Running the commands of extensions: checked, limited in time, and told to everybody."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from neomind_sdk import (
    Clock,
    CommandCall,
    EventBus,
    ExtensionCommand,
    ExtensionCommandFinished,
    ExtensionOutputProduced,
    Ingest,
    Logger,
    OutputMetric,
    Platform,
    Point,
    Principal,
)
from neomind_sdk.foreign import ForeignError, TookTooLong, call

from . import catalog
from .arguments import UnusableSchema, arguments_of, check
from .errors import CommandFailed, CommandTimeout
from .jsonable import NotJson, plain

Values = list[tuple[OutputMetric, Any]]


@attrs.frozen(kw_only=True)
class Outcome:
    """What a command answered; ``warnings`` say what of it could not be kept."""

    result: Any
    execution_id: str
    duration_ms: float
    warnings: tuple[str, ...] = ()


class CommandRunner:
    """Runs commands for whoever may; ``find_ingest`` returns where outputs are stored, if anywhere."""

    def __init__(
        self, platform: Platform, bus: EventBus, clock: Clock, log: Logger, find_ingest: Callable[[], Ingest | None]
    ) -> None:
        self._platform = platform
        self._bus = bus
        self._clock = clock
        self._log = log
        self._find_ingest = find_ingest

    async def run(
        self,
        extension_id: str,
        name: str,
        body: Any,
        principal: Principal,
        *,
        cause: str | None = None,
        hops: int = 0,
    ) -> Outcome:
        """Run a command with the arguments in ``body`` and wait for it; ``cause`` and ``hops`` are of its events.

        Raises ``NotFound`` and ``NotRunning``, ``ValidationFailed`` for the arguments, ``CommandTimeout`` and
        ``CommandFailed``. Who is cancelled while waiting cancels the command.
        """
        command = catalog.command(self._platform, extension_id, name)
        arguments = arguments_of(command, body)
        try:
            await asyncio.to_thread(check, command.input_schema, arguments)
        except UnusableSchema as error:
            raise CommandFailed(extension_id, name, str(error)) from error
        context = CommandCall(principal=principal, execution_id=str(uuid.uuid4()), hops=hops)
        return await self._run(extension_id, command, arguments, context, cause)

    async def _run(
        self,
        extension_id: str,
        command: ExtensionCommand,
        arguments: Mapping[str, Any],
        context: CommandCall,
        cause: str | None,
    ) -> Outcome:
        start = self._clock.monotonic()

        def finish(result: Any = None, error: str | None = None) -> float:
            taken = round((self._clock.monotonic() - start) * 1000, 3)
            event = ExtensionCommandFinished(
                extension_id=extension_id,
                command_id=command.name,
                execution_id=context.execution_id,
                success=error is None,
                duration_ms=taken,
                outputs=result,
                error=error,
                cause=cause,
                hops=context.hops,
            )
            self._bus.publish(event)
            return taken

        try:
            result = await answer(extension_id, command, arguments, context)
        except (CommandFailed, CommandTimeout) as error:
            finish(error=error.message)
            raise
        except asyncio.CancelledError:
            finish(error="cancelled: whoever asked for it went away")
            raise
        taken = finish(result)
        warnings = await self._keep(extension_id, outputs(command, result), context)
        return Outcome(result=result, execution_id=context.execution_id, duration_ms=taken, warnings=warnings)

    async def _keep(self, extension_id: str, values: Values, context: CommandCall) -> tuple[str, ...]:
        """Store the outputs and say so; what cannot be stored is a warning: the command itself has done its work."""
        ingest, source, hops = self._find_ingest(), f"extension:{extension_id}", context.hops + 1
        now_ms = self._clock.now_ms()
        points = [Point(f"{source}:{output.name}", now_ms, value) for output, value in values]
        try:
            if ingest is not None and points:
                await ingest.write(points, source=source, cause=source, hops=hops)
        except Exception as error:
            self._log.warning("extension_outputs_not_stored", extension=extension_id, reason=str(error))
            return (f"the outputs were not stored: {error}",)
        for output, value in values:
            self._bus.publish(
                ExtensionOutputProduced(
                    extension_id=extension_id, output_name=output.name, value=value, cause=source, hops=hops
                )
            )
        return ()


async def answer(
    extension_id: str, command: ExtensionCommand, arguments: Mapping[str, Any], context: CommandCall
) -> Any:
    """What the command returns, as JSON; raises ``CommandTimeout`` and ``CommandFailed``."""
    try:
        return plain(await call(lambda: command.run(arguments, context), command.timeout_s))
    except TookTooLong as error:
        raise CommandTimeout(extension_id, command.name, command.timeout_s) from error
    except (ForeignError, NotJson) as error:
        raise CommandFailed(extension_id, command.name, str(error)) from error


def outputs(command: ExtensionCommand, result: Any) -> Values:
    """The declared outputs that are members of the result, or of its member ``data``. A null is no value."""
    members = result if isinstance(result, dict) else {}
    inner = members.get("data")
    members = {**inner, **members} if isinstance(inner, dict) else members
    return [(output, members[output.name]) for output in command.outputs if members.get(output.name) is not None]
