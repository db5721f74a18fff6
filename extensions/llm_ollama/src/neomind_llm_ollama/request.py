"""From the neutral form to the body of a request for ``/api/chat``."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from neomind_sdk import ChatMessage, CompletionRequest, ToolCall, ToolSpec

from .models import OllamaConfig

LEVELS = {"low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}


def body(config: OllamaConfig, request: CompletionRequest, *, stream: bool) -> dict[str, Any]:
    """What is sent; a field that nobody has set is left to the server."""
    sent: dict[str, Any] = {"model": config.model, "messages": messages(request.messages)}
    if request.tools:
        sent["tools"] = [_tool(tool) for tool in request.tools]
    think = _think(config.model, request)
    if think is not None:
        sent["think"] = think
    options = _options(request)
    return sent | ({"options": options} if options else {}) | {"stream": stream}


def messages(conversation: Sequence[ChatMessage]) -> list[dict[str, Any]]:
    """The conversation; a result of a tool also names the tool, as older servers want it."""
    names: dict[str | None, str] = {}
    sent = []
    for message in conversation:
        names |= {call.id: call.name for call in message.tool_calls}
        sent.append(_message(message, names))
    return sent


def _message(message: ChatMessage, names: dict[str | None, str]) -> dict[str, Any]:
    sent: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.images:
        sent["images"] = [b64encode(image.data).decode() for image in message.images]
    if message.tool_calls:
        sent["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.role == "tool":
        identity, name = message.tool_call_id, names.get(message.tool_call_id)
        sent |= ({"tool_name": name} if name else {}) | ({"tool_call_id": identity} if identity else {})
    return sent


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "function": {"name": call.name, "arguments": dict(call.arguments)}}


def _tool(tool: ToolSpec) -> dict[str, Any]:
    described = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": described}


def _options(request: CompletionRequest) -> dict[str, Any]:
    wanted = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "num_predict": request.max_tokens,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _think(model: str, request: CompletionRequest) -> bool | str | None:
    """A model of the family gpt-oss takes levels only, and cannot be kept from thinking."""
    if not takes_levels(model):
        return request.thinking
    return "low" if request.thinking is False else LEVELS.get(request.effort or "")


def takes_levels(model: str) -> bool:
    return "gpt-oss" in model.lower()
