"""Settings that are changed while the platform runs, and kept."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="settings",
    summary="Shows and changes the settings of all plugins, and keeps the changes over restarts.",
    requires=("storage",),
)
