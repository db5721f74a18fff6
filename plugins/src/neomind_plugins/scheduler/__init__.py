"""Recurring work: runs the jobs of all plugins at their times."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="scheduler",
    summary="Runs the recurring jobs of all plugins: at intervals, by cron expressions, or once.",
    after=("settings", "storage"),
)
