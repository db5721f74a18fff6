"""From the neutral form to the body of a request for ``/chat/completions``."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from neomind_sdk import ChatMessage, CompletionRequest, ImagePart, ToolCall, ToolSpec

from .dialects import Dialect, Wish
from .models import OpenAIConfig


def body(config: OpenAIConfig, dialect: Dialect, request: CompletionRequest, *, stream: bool) -> dict[str, Any]:
    """What is sent; a field that nobody has set is left to the server."""
    sent: dict[str, Any] = {"model": config.model} if config.model else {}
    sent["messages"] = messages(request.messages)
    if request.tools:
        sent["tools"] = [_tool(tool) for tool in request.tools]
    sent |= _sampling(config, dialect, request) | dialect.thinking(wish(config, request))
    if stream:
        sent["stream"] = True
        sent |= {"stream_options": {"include_usage": True}} if dialect.usage else {}
    return sent


def wish(config: OpenAIConfig, request: CompletionRequest) -> Wish:
    """What the request wants of thinking."""
    resumes = any(message.tool_calls for message in request.messages)
    return Wish(model=config.model.lower(), thinking=request.thinking, effort=request.effort, resumes=resumes)


def _sampling(config: OpenAIConfig, dialect: Dialect, request: CompletionRequest) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    if dialect.samples(config.model):
        wanted |= {"temperature": request.temperature, "top_p": request.top_p}
    if dialect.top_k:
        wanted["top_k"] = request.top_k
    wanted[dialect.limit] = request.max_tokens
    return {name: value for name, value in wanted.items() if value is not None}


def messages(conversation: Sequence[ChatMessage]) -> list[dict[str, Any]]:
    """The conversation. Results of tools take text only: their images follow behind the last of them, from the user."""
    sent: list[dict[str, Any]] = []
    shown: list[ImagePart] = []
    for message in conversation:
        if shown and message.role != "tool":
            sent.append(_user("", shown))
            shown = []
        if message.role == "tool":
            shown += message.images
        sent.append(_message(message))
    return [*sent, _user("", shown)] if shown else sent


def _message(message: ChatMessage) -> dict[str, Any]:
    if message.role == "user":
        return _user(message.text, message.images)
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call_id or "", "content": message.text}
    if message.role == "assistant" and message.tool_calls:
        calls = [_call(call) for call in message.tool_calls]
        return {"role": "assistant", "content": message.text or None, "tool_calls": calls}
    return {"role": message.role, "content": message.text}


def _user(text: str, images: Sequence[ImagePart]) -> dict[str, Any]:
    if not images:
        return {"role": "user", "content": text}
    parts: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    parts += [{"type": "image_url", "image_url": {"url": _data_url(image)}} for image in images]
    return {"role": "user", "content": parts}


def _data_url(image: ImagePart) -> str:
    return f"data:{image.media_type};base64,{b64encode(image.data).decode()}"


def _call(call: ToolCall) -> dict[str, Any]:
    written = json.dumps(dict(call.arguments), ensure_ascii=False, separators=(",", ":"))
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": written}}


def _tool(tool: ToolSpec) -> dict[str, Any]:
    described = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": described}
