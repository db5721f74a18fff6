"""Dashboards: layouts of components, and links that show them to others."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="dashboards",
    summary="Keeps dashboards, their templates and their share links.",
    requires=("storage",),
    after=("settings", "devices", "telemetry", "commands", "extension_admin", "agents"),
)
