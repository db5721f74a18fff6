"""Models behind any OpenAI-compatible server for the NeoMind edge platform."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="llm_openai",
    summary="Asks models behind any server that speaks the Chat Completions API.",
)
