"""Claude models of Anthropic for the NeoMind edge platform."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="llm_anthropic",
    summary="Asks models through the Messages API of Anthropic.",
)
