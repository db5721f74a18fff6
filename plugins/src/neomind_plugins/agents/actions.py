"""What rules can do with agents."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from neomind_sdk import ActionOutcome, AgentRuns, ApiError, Firing, fields


@attrs.frozen(kw_only=True)
class TriggerParams:
    """``input`` is what the agent is asked; the values that fired the rule come along as data."""

    agent_id: str = fields.text(min=1, max=100)
    input: str | None = fields.text(max=10_000, default=None)


class TriggerAgent:
    """The rule action ``trigger_agent``: begins a run of an agent."""

    name = "trigger_agent"
    summary = "Begins a run of an agent, which looks at the values that fired the rule."
    params = TriggerParams

    def __init__(self, runs: Callable[[], AgentRuns]) -> None:
        self._runs = runs

    def check(self, params: TriggerParams) -> list[str]:
        """Whether there is such an agent."""
        return [] if self._runs().exists(params.agent_id) else [f"there is no agent '{params.agent_id}'"]

    async def run(self, params: TriggerParams, firing: Firing) -> ActionOutcome:
        """Done when the run has begun."""
        summary = f"TRIGGER AGENT: {params.agent_id}"
        data = {"rule_id": firing.rule_id, "rule_name": firing.rule_name, "values": dict(firing.values)}
        try:
            await self._runs().start(
                params.agent_id,
                text=params.input or "",
                data=data,
                trigger="rule",
                cause=f"rule:{firing.rule_id}",
                hops=firing.hops + 1,
            )
        except ApiError as error:
            return ActionOutcome(ok=False, summary=summary, error=error.message)
        return ActionOutcome(ok=True, summary=summary)
