"""The types of backends: where each service is, and which dialect it speaks."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import attrs

from neomind_sdk import Capabilities, Egress, Label, LLMBackend

from . import dialects, llamacpp
from .backend import PATH, OpenAIBackend, guess, server
from .dialects import Dialect
from .models import OpenAIConfig


@attrs.define(kw_only=True)
class OpenAIType:
    """A service that speaks the protocol."""

    name: str
    label: Label
    default_endpoint: str
    default_model: str
    dialect: Dialect
    requires_api_key: bool = True
    supports_streaming: bool = True
    supports_thinking: bool = False
    supports_multimodal: bool = False
    config: type[Any] = OpenAIConfig

    @property
    def description(self) -> str:
        return self.label.description

    def open(self, config: Any, egress: Egress) -> LLMBackend:
        base = self.base(config.endpoint)
        config = config if config.model else attrs.evolve(config, model=self.default_model)
        return OpenAIBackend(server=server(egress, base, config.api_key), config=config, dialect=self.dialect)

    def guess(self, model: str) -> Capabilities:
        """What a model of the service can do, by its name."""
        return guess(model, self.dialect)

    def base(self, endpoint: str | None) -> str:
        """What stands before ``/chat/completions``."""
        return (endpoint or self.default_endpoint).strip().rstrip("/").removesuffix(PATH)


class AnyServer(OpenAIType):
    """OpenAI, and with an endpoint of its own every server that speaks as OpenAI does: vLLM, LM Studio, …"""

    def open(self, config: Any, egress: Egress) -> LLMBackend:
        base = self.base(config.endpoint)
        official = urlsplit(base).hostname == urlsplit(self.default_endpoint).hostname
        return OpenAIBackend(
            server=server(egress, base, config.api_key),
            config=config if config.model else attrs.evolve(config, model=self.default_model),
            dialect=self.dialect if official else dialects.COMPATIBLE,
            asks_models=not official,
        )


class Google(OpenAIType):
    """Gemini: the protocol is spoken below ``/openai`` only."""

    def base(self, endpoint: str | None) -> str:
        base = super().base(endpoint)
        return f"{base}/openai" if base.endswith("/v1beta") else base


class LlamaCpp(OpenAIType):
    """A llama.cpp server: one model, whose name may be left out."""

    def open(self, config: Any, egress: Egress) -> LLMBackend:
        asked = server(egress, self.base(config.endpoint), config.api_key)
        return llamacpp.LlamaCppBackend(server=asked, config=config, dialect=self.dialect)

    def base(self, endpoint: str | None) -> str:
        return super().base(endpoint).removesuffix("/v1") + "/v1"

    async def server_info(self, endpoint: str | None, api_key: str | None, egress: Egress) -> dict[str, Any]:
        """What the server says about itself: ``{status, health, server, capabilities}``."""
        return await llamacpp.server_info(self.base(endpoint).removesuffix("/v1"), api_key or "", egress)


PRESETS = (
    AnyServer(
        name="openai",
        label=Label(
            name="OpenAI",
            description="OpenAI, or any server that speaks its Chat Completions API",
            name_zh="OpenAI",
            description_zh="OpenAI,或任何兼容 Chat Completions 接口的服务器",
        ),
        default_endpoint="https://api.openai.com/v1",
        default_model="gpt-4o-mini",
        dialect=dialects.OPENAI,
        supports_multimodal=True,
    ),
    LlamaCpp(
        name="llamacpp",
        label=Label(
            name="llama.cpp",
            description="A llama.cpp server, local or in the LAN",
            name_zh="llama.cpp",
            description_zh="本地或局域网内的 llama.cpp 服务器",
        ),
        default_endpoint="http://127.0.0.1:8080",
        default_model="",
        dialect=dialects.LLAMACPP,
        requires_api_key=False,
        supports_thinking=True,
        supports_multimodal=True,
    ),
    Google(
        name="google",
        label=Label(
            name="Google Gemini",
            description="Gemini models of Google",
            name_zh="谷歌 Gemini",
            description_zh="谷歌 Gemini 模型",
        ),
        default_endpoint="https://generativelanguage.googleapis.com/v1beta/openai",
        default_model="gemini-1.5-flash",
        dialect=dialects.GOOGLE,
        supports_multimodal=True,
    ),
    OpenAIType(
        name="xai",
        label=Label(name="xAI", description="Grok models of xAI", name_zh="xAI", description_zh="xAI Grok 模型"),
        default_endpoint="https://api.x.ai/v1",
        default_model="grok-beta",
        dialect=dialects.XAI,
    ),
    OpenAIType(
        name="qwen",
        label=Label(
            name="Qwen",
            description="Qwen models of Alibaba Cloud (DashScope)",
            name_zh="通义千问",
            description_zh="阿里云百炼(DashScope)的千问模型",
        ),
        default_endpoint="https://dashscope.aliyuncs.com/compatible-mode/v1",
        default_model="qwen-plus",
        dialect=dialects.QWEN,
        supports_multimodal=True,
    ),
    OpenAIType(
        name="deepseek",
        label=Label(
            name="DeepSeek",
            description="Models of DeepSeek",
            name_zh="深度求索 DeepSeek",
            description_zh="DeepSeek 模型",
        ),
        default_endpoint="https://api.deepseek.com/v1",
        default_model="deepseek-chat",
        dialect=dialects.DEEPSEEK,
        supports_thinking=True,
    ),
    OpenAIType(
        name="glm",
        label=Label(
            name="GLM", description="GLM models of Zhipu AI", name_zh="智谱 GLM", description_zh="智谱 AI 的 GLM 模型"
        ),
        default_endpoint="https://open.bigmodel.cn/api/paas/v4",
        default_model="glm-4-flash",
        dialect=dialects.GLM,
        supports_multimodal=True,
    ),
    OpenAIType(
        name="minimax",
        label=Label(
            name="MiniMax", description="Models of MiniMax", name_zh="MiniMax", description_zh="MiniMax 的模型"
        ),
        default_endpoint="https://api.minimax.chat/v1",
        default_model="abab6.5s-chat",
        dialect=dialects.MINIMAX,
    ),
)
