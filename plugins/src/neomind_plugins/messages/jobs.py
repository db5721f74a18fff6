"""Recurring work of messages."""

from __future__ import annotations

from neomind_sdk import Every, Job, PluginContext

from .service import Messages

EVERY_S = 3600.0


def jobs(ctx: PluginContext) -> list[Job]:
    async def clean() -> None:
        await ctx.services[Messages].retain()

    return [Job(name="messages.retention", trigger=Every(seconds=EVERY_S, jitter=0.1), run=clean)]
