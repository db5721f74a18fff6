"""Rules: what is to happen when values are such, at a time, or on request."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="rules",
    summary="Watches stored values and times, and runs the actions of the rules whose conditions hold.",
    requires=("storage", "devices"),
    after=("settings", "scheduler", "telemetry", "commands", "messages", "agents"),
)
