"""Settings, and what comes in and goes out."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import fields

SECTION = "llm"
EFFORTS = ("none", "low", "medium", "high", "xhigh", "max")
NAME_MAX = 200
TEXT_MAX = 2000
TOP_K_MAX = 100_000
CONTEXT_MAX = 1_000_000_000


@attrs.frozen(kw_only=True)
class LLMSettings:
    """How backends are asked."""

    max_concurrent: int = fields.number(ge=1, le=1000, default=2, doc="Calls that a backend gets at a time")
    probe_timeout_s: int = fields.number(
        ge=1, le=60, default=10, doc="Seconds that finding out what a model can may take"
    )
    test_timeout_s: int = fields.number(ge=1, le=100, default=60, doc="Seconds that the test of a backend may take")


# ---- requests ----


@attrs.frozen(kw_only=True)
class CapabilitiesBody:
    """What is said of a model by whoever configures it; what its server says is believed rather."""

    supports_streaming: bool | None = None
    supports_multimodal: bool | None = None
    supports_thinking: bool | None = None
    supports_tools: bool | None = None
    max_context: int | None = fields.number(ge=1, le=CONTEXT_MAX, default=None)


@attrs.frozen(kw_only=True)
class BackendBody:
    """Further keys are those of the type's configuration. ``endpoint`` absent, null or empty: the type's own."""

    name: str = fields.text(min=1, max=NAME_MAX)
    backend_type: str = fields.text(min=1, max=NAME_MAX)
    model: str = fields.text(max=NAME_MAX)
    endpoint: str | None = fields.text(max=TEXT_MAX, default=None)
    api_key: str | None = fields.secret(max=TEXT_MAX, default=None)
    temperature: float | None = fields.number(ge=0, le=2, default=None)
    top_p: float | None = fields.number(ge=0, le=1, default=None)
    top_k: int | None = fields.number(ge=0, le=TOP_K_MAX, default=None)
    thinking_enabled: bool | None = None
    thinking_effort: str | None = fields.one_of(EFFORTS, default=None)
    capabilities: CapabilitiesBody | None = None
    config: dict[str, Any] | None = None


@attrs.frozen(kw_only=True)
class BackendChange:
    """What is absent stays, and so does a key that is blank or the mask; ``endpoint`` null: the type's own again."""

    name: str | None = fields.text(min=1, max=NAME_MAX, default=None)
    backend_type: str | None = fields.text(max=NAME_MAX, default=None)
    model: str | None = fields.text(max=NAME_MAX, default=None)
    endpoint: str | None = fields.text(max=TEXT_MAX, default=None)
    api_key: str | None = fields.secret(max=TEXT_MAX, default=None)
    temperature: float | None = fields.number(ge=0, le=2, default=None)
    top_p: float | None = fields.number(ge=0, le=1, default=None)
    top_k: int | None = fields.number(ge=0, le=TOP_K_MAX, default=None)
    thinking_enabled: bool | None = None
    thinking_effort: str | None = fields.one_of(EFFORTS, default=None)
    capabilities: CapabilitiesBody | None = None
    config: dict[str, Any] | None = None


@attrs.frozen(kw_only=True)
class OverrideBody:
    """``true`` and ``false`` pin what the model is said to be able to, ``null`` unpins it. The key must be there."""

    multimodal: bool | None = None


@attrs.frozen(kw_only=True)
class ListQuery:
    type: str | None = fields.text(max=NAME_MAX, default=None)
    active_only: bool = False


@attrs.frozen(kw_only=True)
class ServerQuery:
    """Which server to ask; absent: the type's own."""

    endpoint: str | None = fields.text(max=TEXT_MAX, default=None)
    api_key: str | None = fields.secret(max=TEXT_MAX, default=None)


# ---- answers ----


@attrs.frozen(kw_only=True)
class ReasoningView:
    supported_efforts: list[str]
    mandatory: bool
    control: str


@attrs.frozen(kw_only=True)
class CapabilitiesView:
    """``multimodal_source``: user_override, runtime_api, registry, heuristic or default."""

    supports_streaming: bool
    supports_multimodal: bool
    supports_thinking: bool
    supports_tools: bool
    max_context: int
    multimodal_source: str
    multimodal_user_override: bool | None = None
    reasoning: ReasoningView | None = None


@attrs.frozen(kw_only=True)
class UsageView:
    """Since the backend was made; tokens as its server counted them."""

    calls: int
    errors: int
    prompt_tokens: int
    completion_tokens: int
    last_used_at: int | None


@attrs.frozen(kw_only=True)
class BackendView:
    """A backend without its secrets. Times are seconds since 1970.

    ``endpoint`` is null for the type's own, ``config`` has the further keys of the type, ``healthy`` is how the last
    test went, for a minute. ``max_tokens`` is null: there is no limit but the model's.
    """

    id: str
    name: str
    backend_type: str
    endpoint: str | None
    model: str
    api_key_configured: bool
    is_active: bool
    available: bool
    reason: str | None
    temperature: float
    top_p: float
    top_k: int
    max_tokens: int | None
    thinking_enabled: bool
    thinking_effort: str | None
    capabilities: CapabilitiesView
    config: dict[str, Any]
    usage: UsageView
    healthy: bool | None
    created_at: int
    updated_at: int


@attrs.frozen(kw_only=True)
class BackendList:
    backends: list[BackendView]
    count: int
    active_id: str | None


@attrs.frozen(kw_only=True)
class BackendDetail:
    backend: BackendView


@attrs.frozen(kw_only=True)
class Saved:
    id: str
    message: str


@attrs.frozen(kw_only=True)
class Said:
    message: str


@attrs.frozen(kw_only=True)
class Overridden:
    id: str
    supports_multimodal: bool
    multimodal_user_override: bool | None
    multimodal_source: str
    message: str


@attrs.frozen(kw_only=True)
class TestResult:
    """``tested_at`` in seconds since 1970."""

    __test__ = False

    success: bool
    latency_ms: int | None
    error: str | None
    tested_at: int


@attrs.frozen(kw_only=True)
class Tested:
    backend_id: str
    result: TestResult


@attrs.frozen(kw_only=True)
class TypeView:
    """A type of backends, and by which JSON Schema one is configured."""

    id: str
    name: str
    name_zh: str
    description: str
    description_zh: str
    icon: str
    default_model: str
    default_endpoint: str
    requires_api_key: bool
    supports_streaming: bool
    supports_thinking: bool
    supports_multimodal: bool
    config_schema: dict[str, Any]


@attrs.frozen(kw_only=True)
class TypeList:
    types: list[TypeView]
    count: int


@attrs.frozen(kw_only=True)
class TypeSchema:
    backend_type: str
    schema: dict[str, Any]


@attrs.frozen(kw_only=True)
class Stats:
    """``by_type`` names every installed type; ``usage`` is the sum over ``usage_by_backend``."""

    total: int
    active_id: str | None
    by_type: dict[str, int]
    usage: UsageView
    usage_by_backend: dict[str, UsageView]


@attrs.frozen(kw_only=True)
class ModelList:
    """As the server describes its models; each has a ``name``."""

    models: list[dict[str, Any]]
    count: int
