"""Agents: language models that look at data and act within what they were granted."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="agents",
    summary="Runs agents on schedules, events and request, with typed tools, grants and approvals.",
    requires=("storage", "llm"),
    after=("settings", "scheduler", "devices", "telemetry", "commands", "messages", "extension_admin"),
)
