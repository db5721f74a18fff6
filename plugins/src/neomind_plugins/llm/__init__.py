"""Language model backends: which there are, what they can do, and asking them."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="llm",
    summary="Keeps language model backends, probes what they can do, and asks them.",
    requires=("storage",),
    after=("settings",),
)
