"""Commands and metrics of an extension itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import attrs

from .auth import Principal


@attrs.frozen(kw_only=True)
class CommandCall:
    """Who runs the command; ``hops`` as in events."""

    principal: Principal
    execution_id: str
    hops: int = 0


@attrs.frozen(kw_only=True)
class OutputMetric:
    """A metric the extension produces; a command result with a key of this name is published as its value."""

    name: str
    display_name: str = ""
    data_type: str = "float"
    unit: str = ""
    min: float | None = None
    max: float | None = None
    required: bool = False


@attrs.frozen(kw_only=True)
class ExtensionCommand:
    """``POST /api/extensions/<plugin>/commands/<name>``.

    ``input_schema``  JSON Schema (draft 2020-12) of the arguments object; checked before ``run``
    ``run``           ``async (args, call) -> any JSON value``; raising answers 502, taking too long 504
    ``timeout_s``     the limit of one run
    """

    name: str
    run: Callable[[Mapping[str, Any], CommandCall], Awaitable[Any]]
    display_name: str = ""
    description: str = ""
    input_schema: Mapping[str, Any] = attrs.field(factory=lambda: {"type": "object", "properties": {}})
    timeout_s: float = 300.0
    outputs: tuple[OutputMetric, ...] = ()


@runtime_checkable
class ExtensionCommands(Protocol):
    """Runs the commands of extensions for whoever is not a request: rules, agents. ``extension_admin`` provides it."""

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
        """Run one command, exactly as ``POST /api/extensions/<plugin>/commands/<name>`` does, and return its result.

        Raises ``NotFound`` for the extension or the command, ``ValidationFailed`` naming the argument, and
        ``ApiError`` (502, 504) when the command raises or takes too long.
        """
        ...

    def problems(self, extension_id: str, command: str, args: Mapping[str, Any]) -> list[str]:
        """What speaks against ``run`` as things are now, as text; for whoever saves a rule."""
        ...

    def commands(self) -> Sequence[tuple[str, ExtensionCommand]]:
        """``(extension id, command)`` of every extension that is enabled."""
        ...
