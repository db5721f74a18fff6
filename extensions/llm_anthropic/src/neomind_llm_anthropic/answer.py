"""From answers of ``/messages`` to the neutral form, whole or event by event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs

from neomind_sdk import Chunk, Completion, LLMError, ToolCall, Usage
from neomind_sdk.llm_wire import arguments, count, malformed, new_call_id

Said = Callable[[Any, str], LLMError]
"""Makes an error of what the server said, and its kind."""

KINDS = {
    "authentication_error": "auth",
    "permission_error": "auth",
    "rate_limit_error": "rate_limited",
    "timeout_error": "timeout",
    "api_error": "connect",
    "overloaded_error": "connect",
}
CUT = ("max_tokens", "model_context_window_exceeded")
_INPUT = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


@attrs.define
class PartialCall:
    """A tool call as it grows; ``given`` is what it began with."""

    id: str
    name: str
    given: Any = None
    written: list[str] = attrs.field(factory=list)

    def done(self) -> ToolCall:
        if not self.name:
            raise malformed("the server called a tool without saying which")
        given = arguments(self.name, "".join(self.written) if self.written else self.given)
        return ToolCall(id=self.id or new_call_id(), name=self.name, arguments=given)


@attrs.define
class Assembler:
    """Makes chunks of the events of a stream."""

    said: Said
    done: bool = attrs.field(default=False, init=False)
    _calls: dict[Any, PartialCall] = attrs.field(factory=dict, init=False)
    _stop: str = attrs.field(default="", init=False)
    _usage: dict[str, int] = attrs.field(factory=dict, init=False)

    def feed(self, event: dict[str, Any]) -> Chunk | None:
        """What the event adds to text and thinking; calls of tools are kept until ``end``. Raises ``LLMError``."""
        match event.get("type"):
            case "message_start":
                self._count(_dict(event.get("message")).get("usage"))
            case "content_block_start":
                return self._begun(event.get("index"), _dict(event.get("content_block")))
            case "content_block_delta":
                return self._grown(event.get("index"), _dict(event.get("delta")))
            case "message_delta":
                self._stop = _text(_dict(event.get("delta")).get("stop_reason")) or self._stop
                self._count(event.get("usage"))
            case "message_stop":
                self.done = True
            case "error":
                raise failure(event, self.said)
        return None

    def end(self) -> Chunk:
        """The last chunk."""
        if not self.done:
            raise malformed("the answer broke off before its end")
        return last(self._calls.values(), self._stop, self._usage, self.said)

    def _begun(self, index: Any, block: dict[str, Any]) -> Chunk | None:
        if block.get("type") == "tool_use":
            self._calls[_key(index)] = _partial(block)
            return None
        return _chunk(block)

    def _grown(self, index: Any, delta: dict[str, Any]) -> Chunk | None:
        if delta.get("type") != "input_json_delta":
            return _chunk(delta)
        call = self._calls.get(_key(index))
        if call is not None:  # else of a tool that the server itself uses
            call.written.append(_text(delta.get("partial_json")))
        return None

    def _count(self, usage: Any) -> None:
        """Counts are cumulative: the last of each is the one that holds."""
        self._usage |= {name: count(value) for name, value in _dict(usage).items() if type(value) is int}


def whole(answer: dict[str, Any], said: Said) -> Completion:
    """A completion of an answer that came at once; raises ``LLMError``."""
    if answer.get("type") == "error":
        raise failure(answer, said)
    blocks = answer.get("content")
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise malformed("the server answered without a list of content blocks")
    usage = {name: count(value) for name, value in _dict(answer.get("usage")).items()}
    calls = [_partial(block) for block in blocks if block.get("type") == "tool_use"]
    end = last(calls, _text(answer.get("stop_reason")), usage, said)
    return Completion(
        text="".join(_text(block.get("text")) for block in blocks if block.get("type") == "text"),
        thinking="".join(_text(block.get("thinking")) for block in blocks if block.get("type") == "thinking"),
        tool_calls=end.tool_calls,
        finish=end.finish or "stop",
        usage=end.usage or Usage(),
    )


def last(calls: Iterable[PartialCall], stop: str, usage: dict[str, int], said: Said) -> Chunk:
    """Calls, finish and usage."""
    if stop == "refusal":
        raise said("the model refused to answer", "refused")
    cut = stop in CUT
    done = tuple(_whole_calls(calls, cut=cut))
    return Chunk(
        tool_calls=done,
        finish="length" if cut else "tool_calls" if done else "stop",
        usage=Usage(
            prompt_tokens=sum(usage.get(name, 0) for name in _INPUT), completion_tokens=usage.get("output_tokens", 0)
        ),
    )


def failure(event: dict[str, Any], said: Said) -> LLMError:
    """The error in an answer or a stream."""
    error = _dict(event.get("error"))
    return said(error, KINDS.get(_text(error.get("type")), "refused"))


def _whole_calls(calls: Iterable[PartialCall], *, cut: bool) -> Iterator[ToolCall]:
    """The calls; of an answer that reached its limit only those that are whole: its finish tells what happened."""
    for call in calls:
        try:
            yield call.done()
        except LLMError:
            if not cut:
                raise


def _partial(block: dict[str, Any]) -> PartialCall:
    return PartialCall(id=_text(block.get("id")), name=_text(block.get("name")), given=block.get("input"))


def _chunk(part: dict[str, Any]) -> Chunk | None:
    """Text and thinking have one name in blocks and another in deltas; signatures and citations are not kept."""
    kind = part.get("type")
    text = _text(part.get("text")) if kind in ("text", "text_delta") else ""
    thinking = _text(part.get("thinking")) if kind in ("thinking", "thinking_delta") else ""
    return Chunk(text=text, thinking=thinking) if text or thinking else None


def _key(index: Any) -> Any:
    return index if isinstance(index, int) else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
