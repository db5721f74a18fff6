"""Spellings of the reference implementation that are not on the reference page."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="compat",
    summary="Answers under the paths and with the shapes that older clients use.",
    # Nothing is required: what a spelling stands for may be missing, and then the spelling is, too.
    after=("commands", "devices", "extension_admin", "llm"),
)
