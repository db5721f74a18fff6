"""From the neutral form to the body of a request for ``/messages``."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from neomind_sdk import ChatMessage, CompletionRequest, ImagePart, ToolSpec

from . import claude
from .models import AnthropicConfig


def body(config: AnthropicConfig, request: CompletionRequest, *, stream: bool) -> dict[str, Any]:
    """What is sent; a field that nobody has set is left to the server."""
    limit = request.max_tokens or claude.max_tokens(config.model)
    reasoning = claude.thinking(config.model, limit, wish(request))
    sent: dict[str, Any] = {"model": config.model} | reasoning
    system = "\n\n".join(message.text for message in request.messages if message.role == "system" and message.text)
    sent |= {"system": system} if system else {}
    sent["messages"] = messages(request.messages)
    if request.tools:
        sent["tools"] = [_tool(tool) for tool in request.tools]
    sent |= claude.sampling(config.model, request, thinks="thinking" in reasoning)
    return sent | ({"stream": True} if stream else {})


def wish(request: CompletionRequest) -> claude.Thinking:
    """What the request wants of thinking."""
    resumes = bool(request.messages) and request.messages[-1].role == "tool"
    return claude.Thinking(wanted=request.thinking, effort=request.effort, resumes=resumes)


def messages(conversation: Sequence[ChatMessage]) -> list[dict[str, Any]]:
    """User and assistant by turns: results of tools are the user's, and all of one turn stand first in one message."""
    turns: list[dict[str, Any]] = []
    for message in conversation:
        role, blocks = "assistant" if message.role == "assistant" else "user", _blocks(message)
        if not blocks:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    for turn in turns:
        turn["content"].sort(key=lambda block: block["type"] != "tool_result")
    return turns


def _blocks(message: ChatMessage) -> list[dict[str, Any]]:
    if message.role == "system":
        return []
    if message.role == "tool":
        result = {"type": "tool_result", "tool_use_id": _identity(message.tool_call_id or "")}
        return [result | {"content": _content(message)}]
    blocks = [_image(image) for image in message.images] if message.role == "user" else []
    blocks += _text(message.text)
    for call in message.tool_calls:
        used = {"type": "tool_use", "id": _identity(call.id), "name": call.name, "input": dict(call.arguments)}
        blocks.append(used)
    return blocks


def _content(message: ChatMessage) -> str | list[dict[str, Any]]:
    if not message.images:
        return message.text
    return [*_text(message.text), *map(_image, message.images)]


def _text(text: str) -> list[dict[str, Any]]:
    """A text that is all blanks is refused."""
    return [{"type": "text", "text": text}] if text.strip() else []


def _image(image: ImagePart) -> dict[str, Any]:
    source = {"type": "base64", "media_type": image.media_type, "data": b64encode(image.data).decode()}
    return {"type": "image", "source": source}


def _identity(value: str) -> str:
    """An id as the API takes it; those of other servers may have other characters."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", value)


def _tool(tool: ToolSpec) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": dict(tool.parameters)}
