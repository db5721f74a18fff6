"""What is kept of agents and their runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

ACTIVE, PAUSED, STOPPED, ERROR = "Active", "Paused", "Stopped", "Error"
EXECUTING = "Executing"
"""Shown of an agent that runs; never kept, so that no crash can leave it."""
STATUSES = (ACTIVE, PAUSED, STOPPED, ERROR)
FOCUSED, FREE = "focused", "free"
INTERVAL, CRON, EVENT, MANUAL = "interval", "cron", "event", "manual"
RUNNING, COMPLETED, FAILED, PARTIAL = "Running", "Completed", "Failed", "Partial"
AUTO, CONFIRM, NEVER = "auto", "confirm", "never"
TIERS = (AUTO, CONFIRM, NEVER)
ANYTHING = "*"
INTERRUPTED = "interrupted"

DEVICE, METRIC, COMMAND = "device", "metric", "command"
EXTENSION_METRIC, EXTENSION_TOOL, DATA_STREAM = "extension_metric", "extension_tool", "data_stream"
RESOURCE_TYPES = (DEVICE, METRIC, COMMAND, EXTENSION_METRIC, EXTENSION_TOOL, DATA_STREAM)


@attrs.frozen(kw_only=True)
class Schedule:
    """When an agent runs by itself; an interval of 0 is never. ``event_filter`` is the text of a JSON object."""

    schedule_type: str
    interval_seconds: int | None = None
    cron_expression: str | None = None
    timezone: str | None = None
    event_filter: str | None = None


@attrs.frozen(kw_only=True)
class Resource:
    """What an agent is bound to; ``resource_id`` is written as its type wants it."""

    resource_id: str
    resource_type: str
    name: str = ""
    config: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class ToolConfig:
    """``allowed_tools`` is a whitelist unless it is empty."""

    enabled: bool = True
    allowed_tools: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Grant:
    """``tool`` is a name, or ``*`` for every tool that acts; without ``targets`` it holds for whatever they are."""

    tool: str
    targets: tuple[str, ...] = ()
    tier: str = AUTO


@attrs.frozen(kw_only=True)
class Limits:
    """Of one run; ``None``: as the settings say."""

    max_rounds: int | None = None
    max_tokens: int | None = None
    timeout_secs: int | None = None
    max_actuations: int | None = None


@attrs.frozen(kw_only=True)
class Agent:
    """An agent as people made it."""

    id: str
    name: str
    user_prompt: str
    schedule: Schedule
    created_ms: int
    updated_ms: int
    status: str = ACTIVE
    description: str | None = None
    resources: tuple[Resource, ...] = ()
    llm_backend_id: str | None = None
    execution_mode: str = FOCUSED
    system_prompt: str | None = None
    enable_tool_chaining: bool = False
    max_chain_depth: int = 3
    context_window_size: int = 10
    priority: int = 128
    tool_config: ToolConfig | None = None
    grants: tuple[Grant, ...] = ()
    limits: Limits = Limits()


@attrs.frozen(kw_only=True)
class JournalEntry:
    """What is remembered of a run."""

    at_ms: int
    execution_id: str
    outcome: str
    action_taken: str
    success: bool


@attrs.frozen(kw_only=True)
class AgentState:
    """What changes of an agent while it works; ``error_message`` is of the last run, if that failed."""

    total: int = 0
    successful: int = 0
    failed: int = 0
    total_ms: float = 0.0
    last_ms: int | None = None
    error_message: str | None = None
    journal: tuple[JournalEntry, ...] = ()
    journal_ms: int | None = None


@attrs.frozen(kw_only=True)
class Execution:
    """A run. ``record`` holds what the loop learned: the situation, collected data, the conclusion."""

    id: str
    agent_id: str
    started_ms: int
    trigger_type: str
    status: str = RUNNING
    duration_ms: float = 0.0
    error: str | None = None
    stop_reason: str | None = None
    rounds: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cause: str | None = None
    hops: int = 0
    record: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Step:
    """A step of a run, kept when it is taken; ``state`` is ``started`` while a tool runs, else ``done``."""

    number: int
    kind: str
    at_ms: int
    state: str = "done"
    data: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Approval:
    """A call that waits for somebody's word; ``digest`` is the hash of agent, tool and arguments."""

    id: str
    agent_id: str
    execution_id: str
    tool: str
    arguments: Mapping[str, Any]
    targets: tuple[str, ...]
    digest: str
    created_ms: int
    expires_ms: int
    reason: str = ""
    state: str = "pending"
    decided_ms: int | None = None
    decided_by: str | None = None
    finished_ms: int | None = None
    result: Any = None
    error: str | None = None


@attrs.frozen(kw_only=True)
class Note:
    """What a person told an agent between its runs."""

    id: str
    agent_id: str
    at_ms: int
    content: str
    message_type: str | None = None
