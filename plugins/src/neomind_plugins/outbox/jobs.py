"""Recurring work of the outbox."""

from __future__ import annotations

from neomind_sdk import Every, Job, PluginContext

from .service import DurableOutbox

EVERY_S = 3600.0


def jobs(ctx: PluginContext) -> list[Job]:
    async def clean_up() -> None:
        await ctx.services[DurableOutbox].clean_up()

    return [Job(name="outbox.retention", trigger=Every(seconds=EVERY_S, jitter=0.1), run=clean_up)]
