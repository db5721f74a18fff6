"""What agents may do with agents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from neomind_sdk import ACTUATE, READ, AgentTool, ToolContext

from . import views
from .service import Agents

Arguments = Mapping[str, Any]
LIST_SCHEMA: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
START_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "agent_id": {"type": "string", "description": "The id of the agent"},
        "request": {"type": "string", "maxLength": 10_000, "description": "What it is to look at"},
    },
    "required": ["agent_id"],
    "additionalProperties": False,
}


class AgentTools:
    """The tools; they look at the agents of the moment."""

    def __init__(self, agents: Callable[[], Agents]) -> None:
        self._agents = agents

    def tools(self) -> list[AgentTool]:
        return [
            AgentTool(
                name="list_agents",
                description="Lists the agents, and whether they are active.",
                parameters=LIST_SCHEMA,
                run=self.list_agents,
                effect=READ,
                category="agents",
            ),
            AgentTool(
                name="start_agent",
                description="Begins a run of another agent.",
                parameters=START_SCHEMA,
                run=self.start_agent,
                effect=ACTUATE,
                category="agents",
                targets=lambda arguments: (f"agent:{arguments.get('agent_id')}",),
            ),
        ]

    async def list_agents(self, arguments: Arguments, context: ToolContext) -> dict[str, Any]:
        agents = self._agents()
        return {"agents": [views.summary(live, agents.executing(live.id)) for live in agents.all()[:200]]}

    async def start_agent(self, arguments: Arguments, context: ToolContext) -> dict[str, Any]:
        """What one model asks of another is data, not a word of the people who may command agents."""
        data = {"agent_id": context.agent_id, "request": arguments.get("request", "")}
        execution_id = await self._agents().start(
            str(arguments["agent_id"]),
            data=data,
            trigger="agent",
            cause=f"agent:{context.agent_id}",
            hops=context.hops + 1,
        )
        return {"execution_id": execution_id}
