"""A Claude model, by the Messages API: https://platform.claude.com/docs/en/api/messages"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import attrs

from neomind_sdk import Capabilities, Chunk, Completion, CompletionRequest, Egress, Label, LLMBackend, llm_names
from neomind_sdk.llm_wire import ModelServer, json_object

from . import claude
from .answer import Assembler, whole
from .models import AnthropicConfig
from .request import body

PATH = "/messages"
VERSION = "2023-06-01"


def guess(model: str) -> Capabilities:
    """What a model can by its name; what is not known is a newer Claude, or speaks as one."""
    named = llm_names.capabilities(model)
    return attrs.evolve(named, efforts=claude.efforts(model) if named.thinking else ())


class AnthropicType:
    """Anthropic."""

    name = "anthropic"
    label = Label(
        name="Anthropic",
        description="Claude models of Anthropic",
        name_zh="Anthropic",
        description_zh="Anthropic 的 Claude 模型",
    )
    description = label.description
    config: type[Any] = AnthropicConfig
    default_endpoint = "https://api.anthropic.com/v1"
    default_model = "claude-3-5-sonnet-20241022"
    requires_api_key = True
    supports_streaming = True
    supports_thinking = False
    supports_multimodal = True

    def guess(self, model: str) -> Capabilities:
        """What a model can do, by its name."""
        return guess(model)

    def open(self, config: Any, egress: Egress) -> LLMBackend:
        base = (config.endpoint or self.default_endpoint).strip().rstrip("/").removesuffix(PATH)
        headers = {"anthropic-version": VERSION} | ({"x-api-key": config.api_key} if config.api_key else {})
        server = ModelServer(egress=egress, base=base, headers=headers, secrets=(config.api_key,))
        return AnthropicBackend(
            server=server, config=config if config.model else attrs.evolve(config, model=self.default_model)
        )


@attrs.frozen(kw_only=True)
class AnthropicBackend:
    """One model."""

    server: ModelServer
    config: AnthropicConfig

    async def complete(self, request: CompletionRequest) -> Completion:
        sent = body(self.config, request, stream=False)
        return whole(await self.server.ask("POST", PATH, sent, timeout_s=request.total_s), self.server.said)

    async def stream(self, request: CompletionRequest) -> AsyncGenerator[Chunk]:
        assembler = Assembler(self.server.said)
        async with aclosing(self.server.events(PATH, body(self.config, request, stream=True), request)) as events:
            async for event in events:
                if event is None:
                    yield Chunk()
                    continue
                chunk = assembler.feed(json_object(event.data))
                if assembler.done:
                    break
                if chunk is not None:
                    yield chunk
        yield assembler.end()

    async def probe(self) -> Capabilities:
        """What the name says: the service is not asked, so that a key is not needed to save a backend."""
        return guess(self.config.model)
