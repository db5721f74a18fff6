"""Recurring work of rules."""

from __future__ import annotations

from neomind_sdk import Every, Job, PluginContext

from . import tables
from .models import DAY_MS, RuleSettings
from .service import Rules

HOUR_S = 3600


def jobs(ctx: PluginContext) -> list[Job]:
    async def prune() -> None:
        """Old firings go."""
        before_ms = ctx.clock.now_ms() - ctx.settings[RuleSettings].history_days * DAY_MS
        await ctx.services[Rules].parts.database.write(lambda: tables.prune(before_ms))

    return [Job(name="rules.prune", trigger=Every(seconds=HOUR_S, jitter=0.1), run=prune)]
