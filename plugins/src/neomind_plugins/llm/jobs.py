"""Recurring work of backends."""

from __future__ import annotations

from neomind_sdk import Every, Job, PluginContext

from .probing import Prober

EVERY_S = 3600.0


def jobs(ctx: PluginContext) -> list[Job]:
    async def probe() -> None:
        await ctx.services[Prober].probe_again()

    return [Job(name="llm.probe", trigger=Every(seconds=EVERY_S, jitter=0.1), run=probe)]
