"""Recurring work of accounts."""

from __future__ import annotations

from neomind_sdk import Every, Job, PluginContext

from .service import Accounts


def jobs(ctx: PluginContext) -> list[Job]:
    async def purge() -> None:
        await ctx.services[Accounts].purge()

    return [Job(name="accounts.purge_sessions", trigger=Every(seconds=3600, jitter=0.1), run=purge)]
