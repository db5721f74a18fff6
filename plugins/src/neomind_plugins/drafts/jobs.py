"""Recurring work of drafts."""

from __future__ import annotations

from neomind_sdk import Every, Job, PluginContext

from .service import Drafts

EVERY_S = 600.0


def jobs(ctx: PluginContext) -> list[Job]:
    async def clean() -> None:
        await ctx.services[Drafts].cleanup()

    return [Job(name="drafts.retention", trigger=Every(seconds=EVERY_S, jitter=0.1), run=clean)]
