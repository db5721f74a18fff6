"""Recurring work of telemetry."""

from __future__ import annotations

from neomind_sdk import Every, Job, PluginContext

from .models import RetentionSettings
from .retention import Retention

TIMEOUT_S = 3600.0


def jobs(ctx: PluginContext) -> list[Job]:
    async def clean() -> None:
        await ctx.services[Retention].recur()

    trigger = Every(seconds=lambda: ctx.settings[RetentionSettings].interval_hours * 3600, jitter=0.1)
    return [Job(name="telemetry.retention", trigger=trigger, run=clean, timeout_s=TIMEOUT_S)]
