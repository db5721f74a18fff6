"""Recurring work of agents."""

from __future__ import annotations

from neomind_sdk import Every, Job, PluginContext

from . import tables
from .models import DAY_MS, AgentSettings
from .service import Agents

HOUR_S = 3600


def jobs(ctx: PluginContext) -> list[Job]:
    async def prune() -> None:
        """Old records go."""
        before_ms = ctx.clock.now_ms() - ctx.settings[AgentSettings].history_days * DAY_MS
        await ctx.services[Agents].parts.database.write(lambda: tables.prune(before_ms))

    return [Job(name="agents.prune", trigger=Every(seconds=HOUR_S, jitter=0.1), run=prune)]
