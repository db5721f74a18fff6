"""Language models in one neutral form."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import attrs

from .egress import Egress
from .labels import Label


@attrs.frozen(kw_only=True)
class ImagePart:
    """An image inside a message: raw bytes and the media type."""

    data: bytes
    media_type: str


@attrs.frozen(kw_only=True)
class ToolCall:
    """The model wants a tool run; ``arguments`` are parsed JSON."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class ChatMessage:
    """``role`` is ``system``, ``user``, ``assistant`` or ``tool`` (``tool_call_id``: which call it answers)."""

    role: str
    text: str = ""
    images: tuple[ImagePart, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@attrs.frozen(kw_only=True)
class ToolSpec:
    """A tool as the model is told of it; ``parameters`` is a JSON Schema object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class CompletionRequest:
    """Time-outs in seconds: to connect, to the first token, between chunks, in total.

    ``thinking`` is ``None`` where it is left to the model; ``effort`` is how hard to think, one of
    ``Capabilities.efforts``, ``None`` where that is left to the model.
    """

    messages: Sequence[ChatMessage]
    tools: Sequence[ToolSpec] = ()
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    thinking: bool | None = None
    effort: str | None = None
    connect_s: float = 10.0
    first_token_s: float = 60.0
    chunk_s: float = 30.0
    total_s: float = 300.0


@attrs.frozen(kw_only=True)
class Usage:
    """Tokens as the server counted them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@attrs.frozen(kw_only=True)
class Chunk:
    """A piece of a streamed answer; the last one has ``finish`` (``stop``, ``length``, ``tool_calls``) and usage."""

    text: str = ""
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: str | None = None
    usage: Usage | None = None


@attrs.frozen(kw_only=True)
class Completion:
    """A whole answer."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    thinking: str = ""
    finish: str = "stop"
    usage: Usage = Usage()


@attrs.frozen(kw_only=True)
class Capabilities:
    """What a model can do, and how we know.

    ``source``   ``runtime_api`` (its server said so), ``registry`` (a list of known models), ``heuristic`` (its name),
                 ``default`` (we do not know: the platform then goes by the name), or, in ``ModelInfo`` only,
                 ``user_override``
    ``efforts``  the levels of reasoning it takes (``low``, ``medium``, ``high`` …); empty: thinking is on or off
    """

    streaming: bool = True
    multimodal: bool = False
    thinking: bool = False
    tools: bool = False
    max_context: int | None = None
    source: str = "default"
    efforts: tuple[str, ...] = ()


class LLMError(Exception):
    """The backend failed: ``connect``, ``timeout``, ``auth``, ``rate_limited``, ``refused`` or ``malformed``."""

    def __init__(self, kind: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after


class LLMBackend(Protocol):
    """A configured model. Cancelling the caller cancels the request; nothing runs on."""

    async def complete(self, request: CompletionRequest) -> Completion: ...

    def stream(self, request: CompletionRequest) -> AsyncIterator[Chunk]:
        """The answer in pieces; closing the iterator ends the request.

        One that learns when its server has answered yields an empty ``Chunk()`` then: the platform gives it
        ``connect_s`` plus ``first_token_s`` for the first token, and ``first_token_s`` from that chunk on.
        """
        ...

    async def probe(self) -> Capabilities:
        """What the model can do; raises ``LLMError``. Asked hourly where the source is ``runtime_api``."""
        ...


@runtime_checkable
class LLMBackendType(Protocol):
    """A kind of backend, e.g. ``openai``. ``config`` is an attrs class with ``endpoint``, ``model`` and secrets.

    The key, where there is one, is the secret field ``api_key``; further fields of the class are configured and shown
    as they are. The platform fills in ``endpoint`` (the default one where none was given) and ``model``.

    A type may also have, each read only where it is there:

    ``supports_streaming``, ``supports_thinking``, ``supports_multimodal``
        what is advertised of it in the list of types (true, false, false)
    ``guess(model: str) -> Capabilities``
        what is to be supposed of a model by its name, without asking anybody
    ``async models(endpoint: str | None, api_key: str | None, egress: Egress) -> list[dict]``
        the models that a server has (``/llm-backends/<type>/models``); raises ``LLMError``
    ``async server_info(endpoint: str | None, api_key: str | None, egress: Egress) -> dict``
        what the server says of itself (``/llm-backends/<type>/server-info``); raises ``LLMError``
    """

    name: str
    label: Label
    config: type[Any]
    default_endpoint: str
    default_model: str
    requires_api_key: bool

    def open(self, config: Any, egress: Egress) -> LLMBackend: ...


@attrs.frozen(kw_only=True)
class ModelInfo:
    """A configured backend as others may see it: never an endpoint's secret.

    ``reason`` says why it is not ``available``.
    """

    backend_id: str
    name: str
    backend_type: str
    model: str
    capabilities: Capabilities
    active: bool = False
    available: bool = True
    reason: str = ""


@runtime_checkable
class LanguageModels(Protocol):
    """The configured language models; the plugin ``llm`` provides it. ``backend_id=None`` stands for the active one.

    Both ways of asking wait for a free place of the backend (its ``max_concurrent``), fill in what the request leaves
    open (temperature, thinking …) from the backend's configuration, keep the time-outs of the request whatever the
    backend does, and count the tokens. ``total_s`` counts from the call on, the wait for a place included; the limits
    for the first token and between chunks are those of streams.

    Both raise ``NotFound`` (``LLM_BACKEND_NOT_FOUND``) for an unknown id, ``Unavailable`` when there is no active
    backend or its type is not installed, and ``LLMError``.
    """

    def find(self, backend_id: str | None = None) -> ModelInfo | None: ...

    def models(self) -> Sequence[ModelInfo]:
        """All of them, by name then id."""
        ...

    async def complete(self, request: CompletionRequest, backend_id: str | None = None) -> Completion: ...

    def stream(self, request: CompletionRequest, backend_id: str | None = None) -> AsyncIterator[Chunk]:
        """The answer in pieces; the request ends when the iterator is closed."""
        ...
