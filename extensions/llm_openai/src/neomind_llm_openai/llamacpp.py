"""What a llama.cpp server says about itself."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs

from neomind_sdk import Capabilities, Egress, LLMError, llm_names
from neomind_sdk.llm_wire import ModelServer

from .backend import OpenAIBackend, server


class LlamaCppBackend(OpenAIBackend):
    """``/chat/completions`` as everywhere, and ``/props`` for what the loaded model can."""

    async def probe(self) -> Capabilities:
        root = attrs.evolve(self.server, base=self.server.base.removesuffix("/v1"))
        return await capabilities(root, self.config.model)


async def capabilities(root: ModelServer, model: str) -> Capabilities:
    """What the server at ``root`` says of its model, and what its name says where the server is silent."""
    try:
        props = await root.ask("GET", "/props")
    except LLMError as error:
        if error.kind in ("auth", "connect", "timeout"):
            raise
        props = {}
    try:
        listed = await root.ask("GET", "/v1/models")
    except LLMError:
        listed = {}
    return judged(props, _model(listed), model)


def judged(props: dict[str, Any], listed: dict[str, Any], model: str) -> Capabilities:
    """The capabilities in ``/props`` and in the entry of ``/v1/models``."""
    named = llm_names.capabilities(model or name_of(props, listed))
    if not props and not listed:
        return named
    sees, caps = _dict(props.get("modalities")).get("vision"), _dict(props.get("chat_template_caps"))
    template, tools = props.get("chat_template"), caps.get("supports_tools")
    thinks = isinstance(template, str) and ("enable_thinking" in template or "<think>" in template)
    return Capabilities(
        multimodal=sees if isinstance(sees, bool) else named.multimodal,
        thinking=thinks or named.thinking,
        tools=tools if isinstance(tools, bool) else named.tools,
        max_context=context(props, listed) or named.max_context,
        source="runtime_api",
    )


def context(props: dict[str, Any], listed: dict[str, Any]) -> int | None:
    """How many tokens a slot takes; what the model was trained for where the server does not say."""
    meta = _dict(listed.get("meta"))
    said = (
        _dict(props.get("default_generation_settings")).get("n_ctx"),
        props.get("n_ctx"),
        meta.get("n_ctx"),
        meta.get("n_ctx_train"),
    )
    return next((size for size in said if type(size) is int and size > 0), None)


def name_of(props: dict[str, Any], listed: dict[str, Any]) -> str:
    """The name of the loaded model: a server without an alias calls it by its path, of which the file is shown."""
    names = (listed.get("id"), props.get("model_alias"), props.get("model_path"))
    found = next((name for name in names if isinstance(name, str) and name), "")
    return found.replace("\\", "/").rpartition("/")[2] if found.endswith(".gguf") else found


async def server_info(root: str, api_key: str, egress: Egress) -> dict[str, Any]:
    """Health, model, slots and capabilities in the shape of the REST API; a server that fails is a status, no error."""
    asked = server(egress, root, api_key)
    started = asyncio.get_running_loop().time()
    try:
        health = await asked.ask("GET", "/health")
        latency = round((asyncio.get_running_loop().time() - started) * 1000, 1)
        props, listed = await asked.ask("GET", "/props"), _model(await asked.ask("GET", "/v1/models"))
    except LLMError as error:
        down = {"status": "error", "latency_ms": None}
        unknown = dict.fromkeys(("model_name", "n_ctx", "total_slots", "version"))
        return {"status": "error", "error": str(error), "health": down, "server": unknown, "capabilities": None}
    return {
        "status": "ok",
        "health": {"status": health.get("status", "ok"), "latency_ms": latency},
        "server": {
            "model_name": name_of(props, listed),
            "n_ctx": context(props, listed),
            "total_slots": props.get("total_slots"),
            "version": props.get("build_info"),
        },
        "capabilities": _shown(judged(props, listed, "")),
    }


def _shown(found: Capabilities) -> dict[str, Any]:
    return {
        "supports_streaming": found.streaming,
        "supports_multimodal": found.multimodal,
        "multimodal_source": found.source,
        "supports_thinking": found.thinking,
        "supports_tools": found.tools,
        "max_context": found.max_context,
    }


def _model(listed: dict[str, Any]) -> dict[str, Any]:
    data = listed.get("data")
    return _dict(data[0]) if isinstance(data, list) and data else {}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
