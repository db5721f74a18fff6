"""Backends as administrators see them: kept, probed, tested and counted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import attrs
import orjson

from neomind_sdk import (
    BadRequest,
    ChatMessage,
    Clock,
    CompletionRequest,
    Egress,
    Health,
    LanguageModels,
    LLMBackendType,
    LLMError,
    Unavailable,
)
from neomind_sdk.foreign import ForeignError
from neomind_sdk.waiting import TooSlow, within

from .configs import Configs
from .failures import failure
from .kinds import Kinds
from .models import LLMSettings, TestResult
from .probing import Prober
from .records import Backend, Used, same_target
from .registry import Change, Registry
from .usage import Usages

HEALTHY_S = 60.0
"""How long the result of a test is worth something."""
TEST_TOKENS = 16
TEST = ChatMessage(role="user", text="Answer with the word OK.")


@attrs.frozen(kw_only=True)
class Parts:
    """What backends work with."""

    registry: Registry
    prober: Prober
    usages: Usages
    models: LanguageModels
    kinds: Kinds
    configs: Configs
    egress: Egress
    clock: Clock
    settings: Callable[[], LLMSettings]


class Backends:
    """The backends of the platform."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._tested: dict[str, tuple[float, bool]] = {}

    # ---- looking ----

    @property
    def active_id(self) -> str | None:
        return self._parts.registry.active_id

    def all(self) -> Sequence[Backend]:
        """By name, then id."""
        return self._parts.registry.all()

    def get(self, backend_id: str) -> Backend:
        """Raises ``BackendNotFound``."""
        return self._parts.registry.get(backend_id)

    def used(self, backend_id: str | None = None) -> Used:
        """What was asked of one, or of all that there are."""
        return self._parts.usages.total() if backend_id is None else self._parts.usages.of(backend_id)

    def healthy(self, backend_id: str) -> bool | None:
        """How the last test went, if that was within a minute."""
        at, success = self._tested.get(backend_id, (float("-inf"), None))
        return success if self._clock.monotonic() - at <= HEALTHY_S else None

    async def health(self) -> Health:
        """It is fine that no backend is active; an active one that cannot be asked is not."""
        backend = self._parts.registry.find(self.active_id)
        trouble = None if backend is None else self._parts.configs.trouble(backend)
        if backend is None or trouble is None:
            return Health(ok=True, detail="" if backend else "no backend is active")
        return Health(ok=False, detail=f"the active LLM backend '{backend.name}' is not available: {trouble}")

    # ---- changing ----

    async def create(self, backend_type: str, change: Change) -> Backend:
        """Make one and probe it. Raises ``UnknownType``, ``ValidationFailed`` and ``EgressBlocked``."""
        backend = await self._parts.registry.create(backend_type, change)
        await self._parts.prober.probe(backend.id)
        return backend

    async def update(self, backend_id: str, change: Change) -> Backend:
        """Change one, and probe it when it is another model or server then. Raises as ``create`` does, and more."""
        before, after = await self._parts.registry.update(backend_id, change)
        if not same_target(before, after):
            self._tested.pop(backend_id, None)
            await self._parts.prober.probe(backend_id)
        return after

    async def delete(self, backend_id: str) -> Backend:
        """Raises ``BackendNotFound`` and ``BackendActive``."""
        backend = await self._parts.registry.delete(backend_id)
        self._parts.usages.forget(backend_id)
        self._tested.pop(backend_id, None)
        return backend

    async def activate(self, backend_id: str) -> Backend:
        """Raises ``BackendNotFound``."""
        return await self._parts.registry.activate(backend_id)

    async def pin(self, backend_id: str, multimodal: bool | None) -> Backend:
        """Raises ``BackendNotFound``."""
        return await self._parts.registry.pin(backend_id, multimodal)

    # ---- trying out ----

    async def test(self, backend_id: str) -> TestResult:
        """Have the model say a word. Raises ``BackendNotFound`` only: whatever else goes wrong is the result."""
        self.get(backend_id)
        limit_s = float(self._parts.settings().test_timeout_s)
        request = CompletionRequest(messages=(TEST,), max_tokens=TEST_TOKENS, thinking=False, total_s=limit_s)
        begun, error = self._clock.monotonic(), None
        try:
            await self._parts.models.complete(request, backend_id)
        except LLMError as failed:
            error = f"{failed.kind}: {failed}"
        except Unavailable as failed:
            error = failed.message
        ended = self._clock.monotonic()
        self._tested[backend_id] = ended, error is None
        return TestResult(
            success=error is None,
            latency_ms=round((ended - begun) * 1000) if error is None else None,
            error=error,
            tested_at=self._clock.now_ms() // 1000,
        )

    async def models_of(self, backend_type: str, endpoint: str | None, api_key: str | None) -> list[dict[str, Any]]:
        """The models that a server of a type has. Raises ``BadRequest`` with the reason, and ``EgressBlocked``."""
        found = await self._of_server(backend_type, "models", endpoint, api_key)
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise BadRequest(f"The backend type '{backend_type}' did not return a list of models")
        return found

    async def server_info(self, backend_type: str, endpoint: str | None, api_key: str | None) -> dict[str, Any]:
        """What a server of a type says of itself. Raises as ``models_of`` does."""
        found = await self._of_server(backend_type, "server_info", endpoint, api_key)
        if not isinstance(found, dict):
            raise BadRequest(f"The backend type '{backend_type}' did not return an object")
        return found

    async def _of_server(self, backend_type: str, method: str, endpoint: str | None, api_key: str | None) -> Any:
        _, kind = self._parts.kinds.wanted(backend_type)
        ask = self._method(kind, method)
        endpoint, api_key = endpoint or None, api_key or None
        if endpoint:
            await self._parts.configs.check_endpoint(endpoint)
        limit_s = float(self._parts.settings().probe_timeout_s)
        try:
            found = await within(self._clock, limit_s, lambda: ask(endpoint, api_key, self._parts.egress))
            orjson.dumps(found)
        except (TooSlow, ForeignError, TypeError) as error:
            said = failure(error, (api_key,) if api_key else ())
            raise BadRequest(f"The server of '{backend_type}' could not be asked: {said.kind}: {said}") from None
        return found

    def _method(self, kind: LLMBackendType, name: str) -> Callable[..., Awaitable[Any]]:
        found: Callable[..., Awaitable[Any]] | None = getattr(kind, name, None)
        if found is None:
            raise BadRequest(f"The backend type '{kind.name}' cannot be asked for that")
        return found
