"""Recurring work of data push."""

from __future__ import annotations

from neomind_sdk import Every, Job, PluginContext

from .stats import Numbers

EVERY_S = 86_400.0


def jobs(ctx: PluginContext) -> list[Job]:
    async def tidy() -> None:
        await ctx.services[Numbers].tidy()

    return [Job(name="data_push.retention", trigger=Every(seconds=EVERY_S, jitter=0.1), run=tidy)]
