"""A model behind ``/chat/completions``."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import attrs

from neomind_sdk import Capabilities, Chunk, Completion, CompletionRequest, Egress, LLMError, llm_names
from neomind_sdk.llm_wire import ModelServer, json_object

from .answer import Assembler, collected, whole
from .dialects import Dialect
from .models import OpenAIConfig
from .request import body

PATH = "/chat/completions"
END = "[DONE]"


def guess(model: str, dialect: Dialect) -> Capabilities:
    """What a model can by its name, at a service that speaks this dialect."""
    named = llm_names.capabilities(model)
    thinks = named.thinking or bool(dialect.thinkers and dialect.thinkers.search(model.lower()))
    return attrs.evolve(named, thinking=thinks, efforts=dialect.efforts if thinks else ())


def server(egress: Egress, base: str, api_key: str) -> ModelServer:
    """The server below ``base``; without a key it is asked without one."""
    headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
    return ModelServer(egress=egress, base=base, headers=headers, secrets=(api_key,))


@attrs.frozen(kw_only=True)
class OpenAIBackend:
    """``asks_models``: whether the server's list of models may say how large a context is."""

    server: ModelServer
    config: OpenAIConfig
    dialect: Dialect
    asks_models: bool = False

    async def complete(self, request: CompletionRequest) -> Completion:
        if self.dialect.thinks_in_streams and request.thinking:
            return collected([chunk async for chunk in self.stream(request)])
        sent = body(self.config, self.dialect, request, stream=False)
        return whole(await self.server.ask("POST", PATH, sent, timeout_s=request.total_s), self.server.said)

    async def stream(self, request: CompletionRequest) -> AsyncGenerator[Chunk]:
        sent = body(self.config, self.dialect, request, stream=True)
        assembler, marked = Assembler(self.server.said), False
        async with aclosing(self.server.events(PATH, sent, request)) as events:
            async for event in events:
                if event is None:
                    yield Chunk()
                    continue
                marked = event.data.strip() == END
                if marked:
                    break
                chunk = assembler.feed(json_object(event.data))
                if chunk is not None:
                    yield chunk
        yield assembler.end(marked=marked)

    async def probe(self) -> Capabilities:
        named = guess(self.config.model, self.dialect)
        if not self.asks_models:
            return named
        try:
            listed = (await self.server.ask("GET", "/models")).get("data")
        except LLMError as error:
            if error.kind in ("auth", "connect", "timeout"):
                raise
            return named  # a server without a list
        length = _length(listed, self.config.model)
        return attrs.evolve(named, max_context=length, source="runtime_api") if length else named


def _length(listed: object, model: str) -> int | None:
    """``max_model_len`` of the model, as vLLM tells it."""
    found = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    length = next((item.get("max_model_len") for item in found if item.get("id") == model), None)
    return length if type(length) is int and length > 0 else None
