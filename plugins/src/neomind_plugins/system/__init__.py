"""The platform about itself: whether it lives and is ready, where it is reached, what it runs on."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="system",
    summary="Tells whether the platform is well, how it is reached, and how the machine fares.",
    # For their number only; this plugin must answer whatever else fails.
    after=("devices",),
)
