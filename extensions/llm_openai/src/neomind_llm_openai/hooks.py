"""What llm_openai contributes: eight types of backends that speak one protocol."""

from __future__ import annotations

from neomind_sdk import LLMBackendType, PluginContext, hookimpl


@hookimpl
def neomind_llm_backends(ctx: PluginContext) -> list[LLMBackendType]:
    from .presets import PRESETS

    return list(PRESETS)
