"""From answers of ``/chat/completions`` to the neutral form, whole or in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from neomind_sdk import Chunk, Completion, LLMError, ToolCall, Usage
from neomind_sdk.llm_wire import arguments, count, kind_of, malformed, new_call_id

from .thoughts import ThoughtSplitter

Said = Callable[[Any, str], LLMError]
"""Makes an error of what the server said, and its kind."""

# MiniMax: https://platform.minimax.io/docs/api-reference/errorcode
_MINIMAX = {1001: "timeout", 1002: "rate_limited", 1004: "auth", 1008: "refused", 1039: "rate_limited", 2049: "auth"}
_FAILED = {"network_error", "insufficient_system_resource", "error"}
_BLOCKED = {"content_filter", "sensitive"}


@attrs.define
class PartialCall:
    """A tool call as it grows."""

    id: str = ""
    name: str = ""
    written: list[str] = attrs.field(factory=list)
    parsed: Any = None

    def grow(self, delta: dict[str, Any]) -> None:
        function = delta.get("function")
        function = function if isinstance(function, dict) else {}
        self.id = self.id or _text(delta.get("id"))
        self.name = self.name or _text(function.get("name"))
        given = function.get("arguments")
        if isinstance(given, str):
            self.written.append(given)
        elif given is not None:
            self.parsed = given

    def done(self) -> ToolCall:
        if not self.name:
            raise malformed("the server called a tool without saying which")
        given = arguments(self.name, "".join(self.written) if self.parsed is None else self.parsed)
        return ToolCall(id=self.id or new_call_id(), name=self.name, arguments=given)


@attrs.define
class Assembler:
    """Makes chunks of the events of a stream; an answer that comes whole is a stream of one."""

    said: Said
    _thoughts: ThoughtSplitter = attrs.field(factory=ThoughtSplitter, init=False)
    _calls: list[tuple[Any, PartialCall]] = attrs.field(factory=list, init=False)
    _usage: Usage | None = attrs.field(default=None, init=False)
    _finish: str | None = attrs.field(default=None, init=False)
    _began: bool = attrs.field(default=False, init=False)

    def feed(self, event: dict[str, Any], part: str = "delta") -> Chunk | None:
        """What the event adds to text and thinking; calls of tools are kept until ``end``. Raises ``LLMError``."""
        self._check(event)
        self._usage = _usage(event.get("usage")) or self._usage
        choice = _choice(event)
        if choice is None:
            return None
        self._began = True
        self._finish = _text(choice.get("finish_reason")) or self._finish
        delta = choice.get(part)
        if not isinstance(delta, dict):
            if delta is None and part == "delta":
                return None
            raise malformed(f"the server sent a choice without a {part}")
        return self._grown(delta)

    def end(self, *, marked: bool) -> Chunk:
        """The last chunk. ``marked``: the server said that the answer is whole; a reason to finish says so too."""
        if not (self._began and (marked or self._finish)):
            raise malformed("the answer broke off before its end")
        if self._finish in _FAILED:
            raise self.said("the server broke off: " + self._finish, "connect")
        if self._finish in _BLOCKED:
            raise self.said("the service withheld the answer: " + self._finish, "refused")
        text, thinking = self._thoughts.end()
        cut = self._finish in ("length", "max_tokens")
        calls = tuple(_whole_calls((call for _, call in self._calls), cut=cut))
        finish = "length" if cut else "tool_calls" if calls else "stop"
        return Chunk(text=text, thinking=thinking, tool_calls=calls, finish=finish, usage=self._usage or Usage())

    def _grown(self, delta: dict[str, Any]) -> Chunk | None:
        text, thought = self._thoughts.feed(_written(delta.get("content")) or _text(delta.get("refusal")))
        thought = (_text(delta.get("reasoning_content")) or _text(delta.get("reasoning"))) + thought
        for call in _listed(delta.get("tool_calls"), "tool calls"):
            self._call(call).grow(call)
        return Chunk(text=text, thinking=thought) if text or thought else None

    def _call(self, delta: dict[str, Any]) -> PartialCall:
        """The call that a delta belongs to: by its index; a name with another id begins a new one all the same."""
        index, identity = delta.get("index"), _text(delta.get("id"))
        function = delta.get("function")
        named = isinstance(function, dict) and bool(function.get("name"))
        same: list[PartialCall] = [call for known, call in self._calls if index in (None, known)]
        another = named and (index is None or bool(same and identity and same[-1].id not in ("", identity)))
        if same and not another:
            return same[-1]
        begun = PartialCall()
        self._calls.append((index, begun))
        return begun

    def _check(self, event: dict[str, Any]) -> None:
        error = event.get("error")
        if error:
            raise self.said(error, _kind_of(error))
        told = event.get("base_resp")
        code = told.get("status_code") if isinstance(told, dict) else None
        if code:
            raise self.said(told, _MINIMAX.get(code, "refused") if type(code) is int else "refused")


def whole(answer: dict[str, Any], said: Said) -> Completion:
    """A completion of an answer that came at once; raises ``LLMError``."""
    assembler = Assembler(said)
    return collected([assembler.feed(answer, "message"), assembler.end(marked=True)])


def collected(chunks: Iterable[Chunk | None]) -> Completion:
    """A completion of the chunks of a stream."""
    found = [chunk for chunk in chunks if chunk is not None]
    return Completion(
        text="".join(chunk.text for chunk in found),
        thinking="".join(chunk.thinking for chunk in found),
        tool_calls=tuple(call for chunk in found for call in chunk.tool_calls),
        finish=found[-1].finish or "stop",
        usage=found[-1].usage or Usage(),
    )


def _whole_calls(calls: Iterable[PartialCall], *, cut: bool) -> Iterable[ToolCall]:
    """The calls; of an answer that reached its limit only those that are whole: its finish tells what happened."""
    for call in calls:
        try:
            yield call.done()
        except LLMError:
            if not cut:
                raise


def _choice(event: dict[str, Any]) -> dict[str, Any] | None:
    choices = _listed(event.get("choices"), "choices")
    return next((choice for choice in choices if choice.get("index") in (0, None)), None)


def _listed(value: Any, what: str) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise malformed(f"the server sent {what} that are no list of objects")
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _written(content: Any) -> str:
    """Content is text, or a list of parts of which some are text."""
    if not isinstance(content, list):
        return _text(content)
    return "".join(_text(part.get("text")) for part in content if isinstance(part, dict))


def _usage(value: Any) -> Usage | None:
    if not isinstance(value, dict):
        return None
    return Usage(
        prompt_tokens=count(value.get("prompt_tokens")), completion_tokens=count(value.get("completion_tokens"))
    )


def _kind_of(error: Any) -> str:
    """The kind of an error inside an answer: by its code where that is a status, else by the words for its type."""
    if not isinstance(error, dict):
        return "refused"
    code = error.get("code")
    if type(code) is int and 400 <= code < 600:
        return kind_of(code)
    named = f"{error.get('type')} {code} {error.get('status')}".lower()
    if any(word in named for word in ("rate_limit", "quota", "resource_exhausted")):
        return "rate_limited"
    if any(word in named for word in ("auth", "permission", "api_key")):
        return "auth"
    return "connect" if any(word in named for word in ("server", "overload", "internal", "unavailable")) else "refused"
