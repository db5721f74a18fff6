"""Models served by Ollama for the NeoMind edge platform."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="llm_ollama",
    summary="Asks models that Ollama serves.",
)
