"""Plugins as people see them: what is installed, how it is, what it offers, and its commands."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="extension_admin",
    summary="Lists all plugins with their status, finds new ones, runs their commands and serves their components.",
    # No storage: this is where one looks when the storage does not start.
    after=("telemetry",),
)
