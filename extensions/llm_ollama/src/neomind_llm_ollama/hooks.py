"""What llm_ollama contributes."""

from __future__ import annotations

from neomind_sdk import LLMBackendType, PluginContext, hookimpl


@hookimpl
def neomind_llm_backends(ctx: PluginContext) -> list[LLMBackendType]:
    from .backend import OllamaType

    return [OllamaType()]
