"""From answers of ``/api/chat`` to the neutral form, whole or line by line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from neomind_sdk import Chunk, Completion, LLMError, ToolCall, Usage
from neomind_sdk.llm_wire import arguments, count, malformed, new_call_id

Said = Callable[[Any, str], LLMError]
"""Makes an error of what the server said, and its kind."""


@attrs.define
class Assembler:
    """Makes chunks of the lines of a stream; an answer that comes whole is a stream of one."""

    said: Said
    done: bool = attrs.field(default=False, init=False)
    _calls: list[ToolCall] = attrs.field(factory=list, init=False)

    def feed(self, line: dict[str, Any]) -> Chunk | None:
        """What the line adds; calls of tools are kept for the last chunk. Raises ``LLMError``."""
        if line.get("error"):
            # It got as far as answering: what fails now is the model, and another attempt may help.
            raise self.said(line, "connect")
        self.done = line.get("done") is True
        message = line.get("message", {} if self.done else None)
        if not isinstance(message, dict):
            raise malformed("the server sent a line without a message")
        self._calls += map(_call, _listed(message.get("tool_calls")))
        text, thinking = _text(message.get("content")), _text(message.get("thinking"))
        if self.done:
            return self._last(line, text, thinking)
        return Chunk(text=text, thinking=thinking) if text or thinking else None

    def _last(self, line: dict[str, Any], text: str, thinking: str) -> Chunk:
        cut = line.get("done_reason") == "length"
        return Chunk(
            text=text,
            thinking=thinking,
            tool_calls=tuple(self._calls),
            finish="length" if cut else "tool_calls" if self._calls else "stop",
            usage=Usage(
                prompt_tokens=count(line.get("prompt_eval_count")), completion_tokens=count(line.get("eval_count"))
            ),
        )


def whole(answer: dict[str, Any], said: Said) -> Completion:
    """A completion of an answer that came at once; raises ``LLMError``."""
    if not answer.get("error") and not isinstance(answer.get("message"), dict):
        raise malformed("the server answered without a message")
    assembler = Assembler(said)
    chunk = assembler.feed(answer)
    if chunk is None or not assembler.done:
        raise malformed("the answer broke off before its end")
    return Completion(
        text=chunk.text,
        thinking=chunk.thinking,
        tool_calls=chunk.tool_calls,
        finish=chunk.finish or "stop",
        usage=chunk.usage or Usage(),
    )


def _call(value: dict[str, Any]) -> ToolCall:
    function = value.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(name, str) or not name:
        raise malformed("the server called a tool without saying which")
    given = arguments(name, function.get("arguments"))
    return ToolCall(id=_text(value.get("id")) or new_call_id(), name=name, arguments=given)


def _listed(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise malformed("the server sent tool calls that are no list of objects")
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
