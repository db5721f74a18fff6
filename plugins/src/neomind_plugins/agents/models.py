"""What the routes of agents take, and the settings of agents."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import fields

from .kept import RESOURCE_TYPES, TIERS

DAY_MS = 86_400_000
NAME_MAX, DESCRIPTION_MAX, PROMPT_MAX, SYSTEM_MAX = 100, 500, 10_000, 4_000
ID_MAX, RESOURCES_MAX, GRANTS_MAX, LIST_MAX = 500, 100, 100, 50
INPUT_MAX = 100_000
KEEP: Any = object()
"""Stands for a member that a body does not have, where ``null`` has a meaning of its own."""


@attrs.frozen(kw_only=True)
class AgentSettings:
    """Limits of every run, where the agent has none of its own.

    A run has ``max_rounds`` answers of the model, ``max_tokens`` tokens, ``execution_timeout_secs`` and
    ``max_actuations`` calls of tools that act. ``approval_minutes`` is how long a call waits for approval,
    ``event_cooldown_secs`` how often one source may start an agent, ``history_days`` how long records are kept.
    """

    max_rounds: int = fields.number(ge=1, le=50, default=30)
    execution_timeout_secs: int = fields.number(ge=30, le=1800, default=300)
    tool_concurrency: int = fields.number(ge=1, le=16, default=6)
    tool_timeout_secs: int = fields.number(ge=1, le=600, default=60)
    default_temperature: float = fields.number(ge=0, le=2, default=0.3)
    default_top_p: float = fields.number(ge=0, le=1, default=0.7)
    default_thinking_enabled: bool | None = None
    max_tokens: int = fields.number(ge=1000, le=10_000_000, default=200_000)
    max_actuations: int = fields.number(ge=0, le=1000, default=20)
    max_concurrent: int = fields.number(ge=1, le=100, default=10)
    max_concurrent_per_backend: int = fields.number(ge=1, le=100, default=2)
    approval_minutes: float = fields.number(ge=0.1, le=1440, default=15)
    event_cooldown_secs: float = fields.number(ge=0, le=86_400, default=60)
    history_days: int = fields.number(ge=1, le=3650, default=30)


def text_or_null(most: int) -> Any:
    """A member that ``null`` clears and absence leaves as it is."""

    def check(value: Any) -> str | None:
        if value is KEEP:
            return None
        if not isinstance(value, str) or not fields.clean(value):
            return "must be text"
        return None if len(value.strip()) <= most else f"must have at most {most} characters"

    return fields.field(check, factory=keep, schema={"type": ["string", "null"], "maxLength": most})


def keep() -> Any:
    return KEEP


@attrs.frozen(kw_only=True)
class ScheduleBody:
    """``interval`` with ``interval_seconds`` (0: never; default 300), ``cron`` with ``cron_expression``, ``event``, or
    ``manual`` (``on_demand``). ``event_filter`` is a JSON object, or its text."""

    schedule_type: str = fields.one_of(("interval", "cron", "event", "manual", "on_demand"))
    interval_seconds: int | None = fields.number(ge=0, le=366 * 86_400, default=None)
    cron_expression: str | None = fields.text(max=1000, default=None)
    timezone: str | None = fields.text(max=100, default=None)
    event_filter: Any = None


@attrs.frozen(kw_only=True)
class ResourceBody:
    resource_id: str = fields.text(min=1, max=ID_MAX)
    resource_type: str | None = fields.text(max=50, default=None)
    name: str | None = fields.text(max=200, default=None)
    config: dict[str, Any] | None = None


@attrs.frozen(kw_only=True)
class MetricBody:
    """The older way of binding a metric."""

    device_id: str = fields.text(min=1, max=200)
    metric_name: str = fields.text(min=1, max=200)
    display_name: str | None = fields.text(max=200, default=None)
    config: dict[str, Any] | None = None


@attrs.frozen(kw_only=True)
class CommandBody:
    """The older way of binding a command."""

    device_id: str = fields.text(min=1, max=200)
    command_name: str = fields.text(min=1, max=200)
    display_name: str | None = fields.text(max=200, default=None)
    parameters: dict[str, Any] | None = None


@attrs.frozen(kw_only=True)
class GrantBody:
    tool: str = fields.text(min=1, max=100)
    targets: list[str] | None = None
    tier: str = fields.one_of(TIERS, default="auto")


@attrs.frozen(kw_only=True)
class ToolConfigBody:
    enabled: bool = True
    allowed_tools: list[str] = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class LimitsBody:
    """Of one run; what is absent or null is as the settings say."""

    max_rounds: int | None = fields.number(ge=1, le=50, default=None)
    max_tokens: int | None = fields.number(ge=1, le=10_000_000, default=None)
    timeout_secs: int | None = fields.number(ge=1, le=1800, default=None)
    max_actuations: int | None = fields.number(ge=0, le=1000, default=None)


@attrs.frozen(kw_only=True)
class AgentBody:
    """An agent, or with PUT any part of one: what is absent stays as it is.

    ``resources``   what it looks at and may act upon; the older ``device_ids``, ``metrics``, ``commands`` are read too
    ``grants``      what else its tools may touch, and whether somebody must approve
    ``limits``      of one run
    """

    name: str | None = fields.text(min=1, max=NAME_MAX, default=None)
    description: Any = text_or_null(DESCRIPTION_MAX)
    user_prompt: str | None = fields.text(min=1, max=PROMPT_MAX, default=None)
    schedule: ScheduleBody | None = None
    resources: list[ResourceBody] | None = None
    device_ids: list[str] | None = None
    metrics: list[MetricBody] | None = None
    commands: list[CommandBody] | None = None
    llm_backend_id: str | None = fields.text(max=200, default=None)
    execution_mode: str | None = fields.text(max=50, default=None)
    system_prompt: Any = text_or_null(SYSTEM_MAX)
    enable_tool_chaining: bool | None = None
    max_chain_depth: int | None = fields.number(ge=1, le=30, default=None)
    context_window_size: int | None = fields.number(ge=1, le=100, default=None)
    priority: int | None = fields.number(ge=0, le=255, default=None)
    tool_config: Any = attrs.field(factory=keep)
    grants: list[GrantBody] | None = None
    limits: LimitsBody | None = None
    status: str | None = fields.one_of(("active", "paused", "stopped", "error"), default=None)


@attrs.frozen(kw_only=True)
class StatusBody:
    status: str = fields.one_of(("active", "paused", "stopped", "error"))


@attrs.frozen(kw_only=True)
class AgentsQuery:
    """``view=summary`` leaves all but id, name and status out."""

    view: str | None = fields.text(max=20, default=None)


@attrs.frozen(kw_only=True)
class RunBody:
    """``input`` is what the agent is asked this time, ``data`` any JSON for it to look at."""

    input: str | None = fields.text(max=INPUT_MAX, default=None)
    data: Any = None


@attrs.frozen(kw_only=True)
class IdsBody:
    ids: list[str]


@attrs.frozen(kw_only=True)
class CronBody:
    expression: str = fields.text(max=1000)
    timezone: str | None = fields.text(max=100, default=None)


@attrs.frozen(kw_only=True)
class BackendBody:
    backend_id: str | None = fields.text(max=200, default=None)


@attrs.frozen(kw_only=True)
class NoteBody:
    content: str = fields.text(min=1, max=PROMPT_MAX)
    message_type: str | None = fields.text(max=50, default=None)


@attrs.frozen(kw_only=True)
class ApprovalsQuery:
    state: str | None = fields.text(max=20, default=None)
    agent_id: str | None = fields.text(max=100, default=None)


@attrs.frozen(kw_only=True)
class DecisionBody:
    """``digest``: the call as it was shown to who decides; when it is another one, nothing is done."""

    digest: str | None = fields.text(max=100, default=None)


RESOURCE_WORDS = {name.replace("_", ""): name for name in RESOURCE_TYPES}
"""Types by their letters, so that ``ExtensionTool`` is one."""
