"""The interactive API reference of the NeoMind edge platform."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="web_console",
    summary="Shows the interactive API reference at /api/docs, without any network.",
)
