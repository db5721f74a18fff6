"""Asking models: the service ``LanguageModels``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs

from neomind_sdk import (
    Chunk,
    Clock,
    Completion,
    CompletionRequest,
    LanguageModels,
    LLMBackend,
    LLMError,
    ModelInfo,
    Usage,
)
from neomind_sdk.foreign import ForeignError
from neomind_sdk.kinds import Unusable
from neomind_sdk.waiting import TooSlow, within

from . import talents
from .configs import Configs
from .errors import NoBackend
from .failures import failure
from .places import Places
from .reading import Pump, Reading
from .records import Backend, Used
from .registry import Registry
from .usage import Usages

TOKENS_MAX = 2**53


@attrs.frozen(kw_only=True)
class Asked:
    """A call to make: of whom, what, and the monotonic time at which it must be over."""

    ident: str
    backend: LLMBackend
    secrets: tuple[str, ...] = attrs.field(repr=False)
    request: CompletionRequest
    ends: float


@attrs.define
class Tally:
    """The tokens of a call under way."""

    usage: Usage = Usage()


@attrs.frozen(kw_only=True)
class Parts:
    """What asking works with."""

    registry: Registry
    configs: Configs
    places: Places
    usages: Usages
    clock: Clock


class Models(LanguageModels):
    """The configured models. Whatever a backend does, a call ends in its time, with an answer or an ``LLMError``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._clock = parts.clock

    # ---- looking ----

    def find(self, backend_id: str | None = None) -> ModelInfo | None:
        registry = self._parts.registry
        backend = registry.find(registry.active_id if backend_id is None else backend_id)
        return None if backend is None else self._info(backend)

    def models(self) -> Sequence[ModelInfo]:
        return [self._info(backend) for backend in self._parts.registry.all()]

    def _info(self, backend: Backend) -> ModelInfo:
        trouble = self._parts.configs.trouble(backend)
        return ModelInfo(
            backend_id=backend.id,
            name=backend.name,
            backend_type=backend.backend_type,
            model=backend.model,
            capabilities=talents.effective(backend),
            active=backend.id == self._parts.registry.active_id,
            available=trouble is None,
            reason=trouble or "",
        )

    # ---- asking ----

    async def complete(self, request: CompletionRequest, backend_id: str | None = None) -> Completion:
        asked = self._asked(request, backend_id)
        async with self._placed(asked) as tally:
            left = asked.ends - self._clock.monotonic()
            try:
                answer = await within(self._clock, left, lambda: asked.backend.complete(asked.request))
            except TooSlow:
                raise LLMError("timeout", f"no answer within {request.total_s:g} s") from None
            if not isinstance(answer, Completion):
                raise LLMError("malformed", f"the backend answered with a {type(answer).__name__}, no Completion")
            tally.usage = answer.usage
        return answer

    async def stream(self, request: CompletionRequest, backend_id: str | None = None) -> AsyncIterator[Chunk]:
        asked = self._asked(request, backend_id)
        async with self._placed(asked) as tally:
            pump = Pump(lambda: asked.backend.stream(asked.request))
            reading = Reading(pump, self._clock, asked.request, asked.ends)
            try:
                while (chunk := await reading.next()) is not None:
                    tally.usage = chunk.usage or tally.usage
                    yield chunk
            finally:
                await pump.close()

    def _asked(self, request: CompletionRequest, backend_id: str | None) -> Asked:
        """Raises ``BackendNotFound``, and ``Unavailable`` with the reason why nothing can be asked."""
        registry = self._parts.registry
        ident = registry.active_id if backend_id is None else backend_id
        if ident is None:
            raise NoBackend("No LLM backend is active", retry_after=60)
        backend = registry.get(ident)
        try:
            opened = self._parts.configs.opened(backend)
        except Unusable as error:
            raise NoBackend(f"The LLM backend '{backend.name}' is not available: {error}", retry_after=60) from None
        return Asked(
            ident=ident,
            backend=opened.backend,
            secrets=opened.secrets,
            request=completed(request, backend),
            ends=self._clock.monotonic() + request.total_s,
        )

    @asynccontextmanager
    async def _placed(self, asked: Asked) -> AsyncIterator[Tally]:
        """A place at the backend; what comes of the call is counted, and every failure is an ``LLMError``."""
        places, tally, failed = self._parts.places, Tally(), False
        if not await places.enter(asked.ident, asked.ends - self._clock.monotonic()):
            self._count(asked, tally, failed=True)
            raise LLMError("timeout", f"no free place at the backend within {asked.request.total_s:g} s")
        try:
            yield tally
        except (LLMError, ForeignError) as error:
            failed = True
            raise failure(error, asked.secrets) from None
        finally:
            places.leave(asked.ident)
            self._count(asked, tally, failed)

    def _count(self, asked: Asked, tally: Tally, failed: bool) -> None:
        if self._parts.registry.find(asked.ident) is None:  # deleted meanwhile
            return
        used = Used(
            calls=1,
            errors=int(failed),
            prompt_tokens=tokens(tally.usage, "prompt_tokens"),
            completion_tokens=tokens(tally.usage, "completion_tokens"),
            last_used_ms=self._clock.now_ms(),
        )
        self._parts.usages.note(asked.ident, used)


def completed(request: CompletionRequest, backend: Backend) -> CompletionRequest:
    """The request with the backend's configuration for what it leaves open."""
    own: Mapping[str, Any] = {"temperature": backend.temperature, "top_p": backend.top_p, "top_k": backend.top_k}
    request = attrs.evolve(request, **{name: value for name, value in own.items() if getattr(request, name) is None})
    found = talents.effective(backend)
    if request.thinking is None and found.thinking:
        request = attrs.evolve(request, thinking=backend.thinking_enabled and backend.thinking_effort != "none")
    effort = request.effort or (backend.thinking_effort if request.thinking else None)
    fits = effort not in (None, "none") and (not found.efforts or effort in found.efforts)
    return attrs.evolve(request, effort=effort if fits else None)


def tokens(usage: Any, name: str) -> int:
    """A count out of what a backend calls its usage."""
    value = getattr(usage, name, 0)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < TOKENS_MAX else 0
