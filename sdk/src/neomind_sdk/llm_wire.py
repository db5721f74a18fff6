"""What language model backends share: one request to a model's server, and every failure of it as an ``LLMError``.

A backend makes a ``ModelServer`` of its configuration and asks it; who speaks which protocol is the backend's own.
Messages of errors hold what the server said, without the configuration's secrets.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from typing import Any, TypeVar

import attrs
import orjson

from neomind_core.contracts import (
    ADMIN_TARGET,
    ApiError,
    CompletionRequest,
    Delivery,
    Egress,
    EgressBlocked,
    EgressFailed,
    HttpAnswer,
    HttpStream,
    LLMError,
)

from . import strict_json
from .sse import Event, EventReader, LineReader, TooLong

__all__ = [
    "MAX_ANSWER",
    "ModelServer",
    "arguments",
    "count",
    "json_object",
    "kind_of",
    "malformed",
    "new_call_id",
    "words",
]

T = TypeVar("T")
MAX_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer, streamed or not."""
MAX_ERROR = 64 * 1024
_SAID_UNDER = ("error", "message", "msg", "status_msg", "detail")
PROBE_S = 5.0
"""How long a question about the server itself may take, in seconds."""


@attrs.frozen(kw_only=True)
class ModelServer:
    """A server of models: ``base`` is a URL without a slash at its end, ``secrets`` never appear in an error."""

    egress: Egress
    base: str
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False)

    async def ask(self, method: str, path: str, body: Any = None, *, timeout_s: float = PROBE_S) -> dict[str, Any]:
        """The JSON object that one request is answered with; raises ``LLMError``."""
        with self._explained():
            answer = await self.egress.request(
                method,
                self.base + path,
                trust=ADMIN_TARGET,
                headers=self.headers,
                json=body,
                timeout_s=timeout_s,
                max_bytes=MAX_ANSWER,
            )
        if not 200 <= answer.status < 300:
            raise self.failure(answer)
        return json_object(answer.body)

    async def events(self, path: str, body: Any, request: CompletionRequest) -> AsyncGenerator[Event | None]:
        """The answer to a POST as server-sent events, ``None`` before them; see ``pieces``."""
        reader = EventReader()
        async with aclosing(self.pieces(path, body, request)) as pieces:
            async for piece in pieces:
                if not piece:
                    yield None
                for event in _bounded(reader.feed(piece)):
                    yield event

    async def lines(self, path: str, body: Any, request: CompletionRequest) -> AsyncGenerator[bytes | None]:
        """The answer to a POST as lines that are not blank, ``None`` before them; see ``pieces``."""
        reader = LineReader()
        async with aclosing(self.pieces(path, body, request)) as pieces:
            async for piece in pieces:
                if not piece:
                    yield None
                for line in _bounded(reader.feed(piece)):
                    if line.strip():
                        yield line
        if reader.rest().strip():
            yield reader.rest()

    async def pieces(self, path: str, body: Any, request: CompletionRequest) -> AsyncGenerator[bytes]:
        """The answer to a POST as it arrives, under the time-outs of ``request``; raises ``LLMError``.

        The first piece is empty: the server has answered, with 2xx. No other is. Close it to end the request.
        """
        loop, size = asyncio.get_running_loop(), 0
        async with AsyncExitStack() as held:
            with self._explained():
                answer = await self._opened(path, body, request, held)
                arriving = await held.enter_async_context(_closing(answer.chunks()))
            yield b""
            deadline = loop.time() + request.first_token_s
            while True:
                with self._explained():
                    async with asyncio.timeout_at(deadline):
                        piece = await anext(arriving, None)
                if piece is None:
                    return
                size += len(piece)
                if size > MAX_ANSWER:
                    raise malformed(f"the answer is longer than {MAX_ANSWER} bytes")
                if piece:
                    yield piece
                deadline = loop.time() + request.chunk_s

    def failure(self, answer: HttpAnswer) -> LLMError:
        """What a status other than 2xx means, in the words of the server where it has some."""
        said = self._clean(words(answer.body))
        text = f"HTTP {answer.status}: {said}" if said else f"HTTP {answer.status}"
        # Google says so with 400.
        kind = "auth" if "api key not valid" in said.lower() else kind_of(answer.status)
        return LLMError(kind, text, retry_after=Delivery.of(answer).retry_after)

    def said(self, error: Any, kind: str) -> LLMError:
        """An error that stands inside an answer of status 200."""
        return LLMError(kind, self._clean(_words_of(error)) or "the server reported an error without saying which")

    async def _opened(self, path: str, body: Any, request: CompletionRequest, held: AsyncExitStack) -> HttpStream:
        opening = self.egress.stream(
            "POST", self.base + path, trust=ADMIN_TARGET, headers=self.headers, json=body, timeout_s=request.total_s
        )
        async with asyncio.timeout(request.connect_s + request.first_token_s):
            answer = await held.enter_async_context(opening)
            if not 200 <= answer.status < 300:
                raise self.failure(await _whole(answer))
        return answer

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what goes wrong below the protocol into an ``LLMError``."""
        try:
            yield
        except EgressBlocked as error:
            raise LLMError("refused", self._clean(str(error))) from error
        except EgressFailed as error:
            raise LLMError(_kind_of_failure(str(error)), self._clean(str(error))) from error
        except TimeoutError as error:
            raise LLMError("timeout", "the server did not answer in time") from error

    def _clean(self, text: str) -> str:
        for secret in sorted(filter(None, self.secrets), key=len, reverse=True):
            text = text.replace(secret, "***")
        return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:300]


def kind_of(status: Any) -> str:
    """The kind of error behind an HTTP status: 5xx counts as not reached, for another attempt may help."""
    if status in (401, 403):
        return "auth"
    if status == 429:
        return "rate_limited"
    if status in (408, 504):
        return "timeout"
    return "connect" if type(status) is int and status >= 500 and status != 501 else "refused"


def malformed(text: str) -> LLMError:
    """The server answered with something that makes no sense."""
    return LLMError("malformed", text)


def json_object(raw: bytes | str) -> dict[str, Any]:
    """A JSON object as a server sent it; raises ``LLMError`` for anything else."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise malformed("the server answered with something that is not JSON") from error
    if not isinstance(value, dict):
        raise malformed("the server answered with JSON that is not an object")
    return value


def arguments(tool: str, raw: Any) -> dict[str, Any]:
    """The arguments of a tool call, sent as a JSON text or as an object; nothing at all stands for none.

    Raises ``LLMError`` for a text that is not strict JSON, for anything but an object, and for one nested too deeply.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return {}
    try:
        value = strict_json.loads(raw.encode() if isinstance(raw, str) else orjson.dumps(raw))
    except (ApiError, UnicodeError, orjson.JSONEncodeError) as error:
        raise malformed(f"the arguments of the call of {tool[:64]!r} are not valid JSON") from error
    if not isinstance(value, dict):
        raise malformed(f"the arguments of the call of {tool[:64]!r} are not a JSON object")
    return value


def count(value: Any) -> int:
    """A number of tokens; 0 for what is none."""
    return value if type(value) is int and value >= 0 else 0


def new_call_id() -> str:
    """An id for a tool call whose server gave it none."""
    return f"call_{uuid.uuid4().hex[:16]}"


def words(body: bytes) -> str:
    """What the body of an error says, in any of the shapes that servers use; nothing when it is not JSON."""
    try:
        return _words_of(orjson.loads(body[:MAX_ERROR]))
    except orjson.JSONDecodeError:
        return ""


def _words_of(value: Any, depth: int = 0) -> str:
    if isinstance(value, str):
        return value
    if depth > 4 or not isinstance(value, dict | list):
        return ""
    parts = value if isinstance(value, list) else [value.get(key) for key in _SAID_UNDER]
    return next(filter(None, (_words_of(part, depth + 1) for part in parts)), "")


def _kind_of_failure(text: str) -> str:
    if "in time" in text:
        return "timeout"
    return "malformed" if "more than" in text and "bytes" in text else "connect"


def _bounded(found: Iterator[T]) -> Iterator[T]:
    try:
        yield from found
    except TooLong as error:
        raise malformed(f"the answer makes no sense: {error}") from error


@asynccontextmanager
async def _closing(pieces: AsyncIterator[bytes]) -> AsyncIterator[AsyncIterator[bytes]]:
    """Close ``pieces`` at the end where they can be: a generator must not be left half-way."""
    try:
        yield pieces
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()


async def _whole(answer: HttpStream) -> HttpAnswer:
    """The beginning of the body of an error."""
    body = bytearray()
    async for piece in answer.chunks():
        body += piece
        if len(body) > MAX_ERROR:
            break
    return HttpAnswer(status=answer.status, headers=answer.headers, body=bytes(body))
