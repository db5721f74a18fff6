"""Tools that agents may use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import attrs

from .auth import Principal

READ = "read"
ACTUATE = "actuate"


@attrs.frozen(kw_only=True)
class ToolContext:
    """On whose behalf a tool runs: the agent's principal and run; ``hops`` as in events."""

    principal: Principal
    agent_id: str
    execution_id: str
    hops: int = 0


@attrs.frozen(kw_only=True)
class AgentTool:
    """A typed tool. Grants are checked by the executor before ``run``; arguments are checked against ``parameters``.

    ``effect``   ``read``, or ``actuate`` for anything that changes the world
    ``targets``  names the resources that given arguments touch (``device:<id>``), for the grant check
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    run: Callable[[Mapping[str, Any], ToolContext], Awaitable[Any]]
    effect: str = READ
    category: str = "data"
    targets: Callable[[Mapping[str, Any]], tuple[str, ...]] | None = None


@runtime_checkable
class AgentRuns(Protocol):
    """What other plugins may know of agents; the plugin ``agents`` provides it."""

    def exists(self, agent_id: str) -> bool: ...

    async def latest(self, agent_id: str) -> Mapping[str, Any] | None:
        """The newest finished run as its execution record is served; ``None`` when there is none, or no such agent."""
        ...

    async def start(
        self,
        agent_id: str,
        *,
        text: str = "",
        data: Any = None,
        trigger: str = "rule",
        cause: str | None = None,
        hops: int = 0,
    ) -> str:
        """Begin a run in the background and return its execution id; raises ``NotFound`` and ``Conflict``."""
        ...
