"""Samples of devices: taken in from every transport, kept, read back, and deleted when they are old."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="telemetry",
    summary="Takes in samples from every transport, serves history and data sources, deletes what is old.",
    requires=("storage", "devices"),
    after=("drafts",),
)
