"""An agent in memory."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from .kept import ACTIVE, Agent, AgentState


@attrs.define(eq=False)
class Live:
    """An agent with its state; ``unschedule`` takes its job away, ``problem`` says why it has none."""

    agent: Agent
    state: AgentState
    unschedule: Callable[[], None] | None = None
    problem: str | None = None

    @property
    def id(self) -> str:
        return self.agent.id

    @property
    def active(self) -> bool:
        return self.agent.status == ACTIVE
