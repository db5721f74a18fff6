"""A model that Ollama serves, by its own API: https://docs.ollama.com/api"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import attrs

from neomind_sdk import Capabilities, Chunk, Completion, CompletionRequest, Egress, Label, LLMBackend, LLMError
from neomind_sdk import llm_names as names
from neomind_sdk.llm_wire import ModelServer, json_object, malformed

from .answer import Assembler, whole
from .models import OllamaConfig
from .request import body, takes_levels

PATH = "/api/chat"
EFFORTS = ("low", "medium", "high")
SHOWN = ("name", "size", "modified_at", "digest", "details")


class OllamaType:
    """Ollama, local or in the LAN."""

    name = "ollama"
    label = Label(
        name="Ollama",
        description="Models that Ollama serves, local or in the LAN",
        name_zh="Ollama",
        description_zh="本地或局域网内由 Ollama 提供的模型",
    )
    description = label.description
    config: type[Any] = OllamaConfig
    default_endpoint = "http://localhost:11434"
    default_model = "qwen3.5:4b"
    requires_api_key = False
    supports_streaming = True
    supports_thinking = True
    supports_multimodal = True

    def open(self, config: Any, egress: Egress) -> LLMBackend:
        config = config if config.model else attrs.evolve(config, model=self.default_model)
        return OllamaBackend(self._server(config.endpoint, config.api_key, egress), config)

    def guess(self, model: str) -> Capabilities:
        """What a model can do, by its name."""
        return guess(model)

    async def models(self, endpoint: str | None, api_key: str | None, egress: Egress) -> list[dict[str, Any]]:
        """The models at the server, by name, each with what it can; raises ``LLMError``."""
        listed = (await self._server(endpoint, api_key, egress).ask("GET", "/api/tags")).get("models")
        if not isinstance(listed, list):
            raise malformed("the server answered with no list of models")
        found = [_shown(model) for model in listed if isinstance(model, dict) and isinstance(model.get("name"), str)]
        return sorted(found, key=lambda model: str(model["name"]))

    def _server(self, endpoint: str | None, api_key: str | None, egress: Egress) -> ModelServer:
        base = (endpoint or self.default_endpoint).strip().rstrip("/").removesuffix("/v1").removesuffix("/api")
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        return ModelServer(egress=egress, base=base, headers=headers, secrets=(api_key or "",))


class OllamaBackend:
    """One model."""

    def __init__(self, server: ModelServer, config: OllamaConfig) -> None:
        self._server = server
        self._config = config

    async def complete(self, request: CompletionRequest) -> Completion:
        sent = body(self._config, request, stream=False)
        return whole(await self._server.ask("POST", PATH, sent, timeout_s=request.total_s), self._server.said)

    async def stream(self, request: CompletionRequest) -> AsyncGenerator[Chunk]:
        sent = body(self._config, request, stream=True)
        assembler, chunk = Assembler(self._server.said), None
        async with aclosing(self._server.lines(PATH, sent, request)) as lines:
            async for line in lines:
                if line is None:
                    yield Chunk()
                    continue
                chunk = assembler.feed(json_object(line))
                if assembler.done:
                    break
                if chunk is not None:
                    yield chunk
        if chunk is None or not assembler.done:
            raise malformed("the answer broke off before its end")
        yield chunk

    async def probe(self) -> Capabilities:
        try:
            shown = await self._server.ask("POST", "/api/show", {"model": self._config.model})
        except LLMError as error:
            if error.kind in ("auth", "connect", "timeout"):
                raise
            return guess(self._config.model)  # the model is not there yet
        return capabilities(self._config.model, shown)


def guess(model: str) -> Capabilities:
    """What a model can by its name."""
    return attrs.evolve(names.capabilities(model), efforts=EFFORTS if takes_levels(model) else ())


def capabilities(model: str, shown: Mapping[str, Any]) -> Capabilities:
    """What ``/api/show`` says; its name says what a server that is too old to say so leaves open."""
    named, can = guess(model), shown.get("capabilities")
    context = _context(shown.get("model_info")) or named.max_context
    if not isinstance(can, list):
        return attrs.evolve(named, max_context=context)
    return Capabilities(
        multimodal="vision" in can,
        thinking="thinking" in can,
        tools="tools" in can,
        max_context=context,
        source="runtime_api",
        efforts=named.efforts,
    )


def _context(info: Any) -> int | None:
    """The context length among facts of which the keys begin with the architecture: ``llama.context_length``."""
    facts = info.items() if isinstance(info, dict) else ()
    return next((size for key, size in facts if "context" in key and type(size) is int and size > 0), None)


def _shown(model: dict[str, Any]) -> dict[str, Any]:
    name, details = model["name"], model.get("details")
    families = details.get("families") if isinstance(details, dict) else None
    sees = isinstance(families, list) and any(family in ("clip", "mllama") for family in families)
    found = capabilities(name, model)
    return {key: model[key] for key in SHOWN if key in model} | {
        "supports_multimodal": found.multimodal or sees,
        "supports_thinking": found.thinking,
        "supports_tools": found.tools,
        "max_context": found.max_context,
    }
