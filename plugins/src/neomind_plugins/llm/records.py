"""What is kept of a backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from neomind_sdk import Capabilities


@attrs.frozen(kw_only=True)
class Backend:
    """A configured backend.

    ``config``      what was given of its type's configuration, without the secrets; no ``endpoint``: the type's own
    ``sealed``      the secrets, encrypted, by field
    ``plugin``      which plugin provided the type when the backend was saved
    ``detected``    what was found out about the model, or supposed by its name
    ``probed``      whether the backend itself was asked for that, with success
    ``declared``    what whoever configured it said of the model, by field of ``Capabilities``
    ``multimodal``  the override: pinned to true or false, or ``None``
    """

    id: str
    name: str
    backend_type: str
    plugin: str
    config: Mapping[str, Any]
    sealed: Mapping[str, str]
    temperature: float = 0.6
    top_p: float = 0.85
    top_k: int = 20
    thinking_enabled: bool = True
    thinking_effort: str | None = None
    detected: Capabilities = Capabilities()
    probed: bool = False
    declared: Mapping[str, Any] = attrs.field(factory=dict)
    multimodal: bool | None = None
    created_ms: int = 0
    updated_ms: int = 0

    @property
    def model(self) -> str:
        return str(self.config.get("model", ""))


@attrs.frozen(kw_only=True)
class Used:
    """How often a backend was asked, how often that failed, and the tokens that its server counted."""

    calls: int = 0
    errors: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    last_used_ms: int | None = None

    def plus(self, more: Used) -> Used:
        return Used(
            calls=self.calls + more.calls,
            errors=self.errors + more.errors,
            prompt_tokens=self.prompt_tokens + more.prompt_tokens,
            completion_tokens=self.completion_tokens + more.completion_tokens,
            last_used_ms=max((at for at in (self.last_used_ms, more.last_used_ms) if at is not None), default=None),
        )


def same_target(one: Backend, other: Backend) -> bool:
    """Whether both ask the same server for the same model."""
    return (one.config, one.sealed) == (other.config, other.sealed)
