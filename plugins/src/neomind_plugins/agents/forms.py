"""From bodies to agents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import attrs

from neomind_sdk import ApiError, BadRequest, Cron, Forbidden, Principal, ValidationFailed, fields, strict_json
from neomind_sdk.schema import structure

from .kept import (
    COMMAND,
    CRON,
    DATA_STREAM,
    DEVICE,
    EVENT,
    EXTENSION_METRIC,
    EXTENSION_TOOL,
    FOCUSED,
    FREE,
    INTERVAL,
    MANUAL,
    METRIC,
    NEVER,
    RESOURCE_TYPES,
    Agent,
    Grant,
    Limits,
    Resource,
    Schedule,
    ToolConfig,
)
from .models import (
    GRANTS_MAX,
    ID_MAX,
    KEEP,
    LIST_MAX,
    NAME_MAX,
    RESOURCE_WORDS,
    RESOURCES_MAX,
    AgentBody,
    GrantBody,
    ResourceBody,
    ScheduleBody,
    ToolConfigBody,
)

INTERVAL_S, INTERVAL_MIN_S = 300, 10
MODES = {"free": FREE, "react": FREE}
SIMPLE = ("llm_backend_id", "enable_tool_chaining", "max_chain_depth", "context_window_size", "priority")
_WORDS = re.compile(r"\s+")


def new_agent(body: AgentBody, now_ms: int) -> Agent:
    """The agent of a body; raises ``ValidationFailed`` and ``BadRequest``."""
    missing = [name for name in ("user_prompt", "schedule") if getattr(body, name) is None]
    if missing:
        raise ValidationFailed(*((name, "is required") for name in missing))
    blank = Agent(
        id=str(uuid4()),
        name=name_of(body.user_prompt or ""),
        user_prompt="",
        schedule=Schedule(schedule_type=MANUAL),
        created_ms=now_ms,
        updated_ms=now_ms,
    )
    agent = merged(blank, body, now_ms)
    if agent.execution_mode == FOCUSED and not agent.resources:
        text = "a focused agent must be bound to at least one resource; or set execution_mode to free"
        raise ValidationFailed(("resources", text)) if body.execution_mode else BadRequest(f"resources: {text}")
    return agent


def name_of(prompt: str) -> str:
    """A name from the first words of a prompt."""
    words = _WORDS.split(prompt.strip())
    name = ""
    for word in words[:6]:
        name = f"{name} {word}".strip()
    return name[: NAME_MAX // 2].strip() or "Agent"


def merged(agent: Agent, body: AgentBody, now_ms: int) -> Agent:
    """The agent with what a body says; the rest stays."""
    changes: dict[str, Any] = {"updated_ms": now_ms}
    changes |= {
        name: getattr(body, name).strip() for name in ("name", "user_prompt") if getattr(body, name) is not None
    }
    changes |= {name: getattr(body, name) for name in SIMPLE if getattr(body, name) is not None}
    changes |= cleared(body)
    if body.execution_mode is not None:
        changes["execution_mode"] = MODES.get(body.execution_mode.strip().lower(), FOCUSED)
    if body.schedule is not None:
        changes["schedule"] = schedule_of(body.schedule)
    if (resources := resources_of(body)) is not None:
        changes["resources"] = resources
    if body.grants is not None:
        changes["grants"] = grants_of(body.grants)
    if body.limits is not None:
        changes["limits"] = Limits(**attrs.asdict(body.limits))
    if body.status is not None:
        changes["status"] = body.status.capitalize()
    return attrs.evolve(agent, **changes)


def cleared(body: AgentBody) -> dict[str, Any]:
    """What ``null`` clears."""
    changes: dict[str, Any] = {}
    for name in ("description", "system_prompt"):
        if getattr(body, name) is not KEEP:
            changes[name] = (getattr(body, name) or "").strip() or None
    if body.tool_config is not KEEP:
        changes["tool_config"] = tool_config_of(body.tool_config)
    return changes


def tool_config_of(value: Any) -> ToolConfig | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise ValidationFailed(("tool_config", "must be an object or null"))
    try:
        body = structure(ToolConfigBody, dict(value))
    except ValidationFailed as error:
        raise ValidationFailed(*((f"tool_config.{each['field']}", each["message"]) for each in error.details)) from None
    names = texts("tool_config.allowed_tools", body.allowed_tools, 500)
    return ToolConfig(enabled=body.enabled, allowed_tools=names)


def grants_of(bodies: list[GrantBody]) -> tuple[Grant, ...]:
    if len(bodies) > GRANTS_MAX:
        raise ValidationFailed(("grants", f"must have at most {GRANTS_MAX} entries"))
    return tuple(
        Grant(tool=body.tool, targets=texts(f"grants[{index}].targets", body.targets or [], LIST_MAX), tier=body.tier)
        for index, body in enumerate(bodies)
    )


def texts(path: str, values: list[str], most: int) -> tuple[str, ...]:
    if len(values) > most:
        raise ValidationFailed((path, f"must have at most {most} entries"))
    for index, value in enumerate(values):
        if not 0 < len(value.strip()) <= ID_MAX or not fields.clean(value):
            raise ValidationFailed((f"{path}[{index}]", f"must be text of 1 to {ID_MAX} characters"))
    return tuple(dict.fromkeys(values))


# ---- schedules ----


def schedule_of(body: ScheduleBody) -> Schedule:
    """Raises ``ValidationFailed`` for members that are missing or cannot be, ``BadRequest`` for an event filter."""
    kind = MANUAL if body.schedule_type == "on_demand" else body.schedule_type
    zone = checked_zone(body.timezone)
    read: Mapping[str, Callable[[], Schedule]] = {
        INTERVAL: lambda: Schedule(schedule_type=INTERVAL, interval_seconds=interval_of(body), timezone=zone),
        CRON: lambda: Schedule(schedule_type=CRON, cron_expression=cron_of(body), timezone=zone),
        EVENT: lambda: Schedule(schedule_type=EVENT, event_filter=filter_of(body.event_filter), timezone=zone),
        MANUAL: lambda: Schedule(schedule_type=MANUAL),
    }
    return read[kind]()


def interval_of(body: ScheduleBody) -> int:
    seconds = INTERVAL_S if body.interval_seconds is None else body.interval_seconds
    if 0 < seconds < INTERVAL_MIN_S:
        raise ValidationFailed(("schedule.interval_seconds", f"must be at least {INTERVAL_MIN_S}, or 0 for never"))
    return seconds


def cron_of(body: ScheduleBody) -> str:
    if not (body.cron_expression or "").strip():
        raise ValidationFailed(("schedule.cron_expression", "is required"))
    return str(body.cron_expression).strip()


def checked_zone(name: str | None) -> str | None:
    if not name:
        return None
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        raise ValidationFailed(("schedule.timezone", f"'{name}' is no time zone")) from None


def filter_of(value: Any) -> str | None:
    """The text of an event filter that is an object, or its text already."""
    if value is None or value == "":
        return None
    try:
        found = strict_json.loads(value.encode()) if isinstance(value, str) else value
    except (ApiError, ValueError):
        raise BadRequest("schedule.event_filter: is no JSON") from None
    if not isinstance(found, dict):
        raise BadRequest("schedule.event_filter: must be a JSON object")
    sources = found.get("sources", [])
    if not isinstance(sources, list) or not all(isinstance(each, dict) for each in sources) or len(sources) > LIST_MAX:
        raise BadRequest(f"schedule.event_filter: sources must be at most {LIST_MAX} objects")
    return value if isinstance(value, str) else json.dumps(found)


def trigger_of(schedule: Schedule) -> Cron:
    return Cron(expression=schedule.cron_expression or "", timezone=schedule.timezone)


# ---- resources ----


def resources_of(body: AgentBody) -> tuple[Resource, ...] | None:
    """What the agent is bound to; ``None`` when the body does not say."""
    older = (body.device_ids, body.metrics, body.commands)
    if body.resources is None and not any(older):
        return None
    given = body.resources if body.resources is not None else older_resources(body)
    if len(given) > RESOURCES_MAX:
        raise ValidationFailed(("resources", f"must have at most {RESOURCES_MAX} entries"))
    return tuple(resource_of(each, f"resources[{index}]") for index, each in enumerate(given))


def older_resources(body: AgentBody) -> list[ResourceBody]:
    found = [
        ResourceBody(resource_id=each, resource_type=DEVICE) for each in texts("device_ids", body.device_ids or [], 100)
    ]
    for metric in body.metrics or []:
        name, config = metric.display_name or metric.metric_name, metric.config
        ident = f"{metric.device_id}:{metric.metric_name}"
        found.append(ResourceBody(resource_id=ident, resource_type=METRIC, name=name, config=config))
    for command in body.commands or []:
        name, config = command.display_name or command.command_name, {"parameters": command.parameters or {}}
        ident = f"{command.device_id}:{command.command_name}"
        found.append(ResourceBody(resource_id=ident, resource_type=COMMAND, name=name, config=config))
    return found


def resource_of(body: ResourceBody, path: str) -> Resource:
    """Raises ``ValidationFailed`` for an id that is not written as its type wants it."""
    ident = body.resource_id.strip()
    word = re.sub(r"[^a-z]", "", (body.resource_type or "").lower())
    kind = RESOURCE_WORDS.get(word) or guessed(ident)
    if kind == DEVICE or (kind in (METRIC, COMMAND) and ident.count(":") > 1):
        ident = ident.removeprefix("device:")
    problem = misspelt(kind, ident)
    if problem:
        raise ValidationFailed((f"{path}.resource_id", problem))
    return Resource(resource_id=ident, resource_type=kind, name=(body.name or ident).strip(), config=body.config or {})


def guessed(ident: str) -> str:
    """The type of a resource whose type nobody knows, by its id."""
    kind, _, rest = ident.partition(":")
    if kind == "extension":
        return EXTENSION_METRIC if ":" in rest else EXTENSION_TOOL
    if kind == "transform":
        return DATA_STREAM
    return METRIC if kind == DEVICE and ":" in rest else DEVICE


def misspelt(kind: str, ident: str) -> str | None:
    assert kind in RESOURCE_TYPES
    if not ident:
        return "must name a device"
    parts = ident.split(":")
    if kind in (METRIC, COMMAND) and (len(parts) < 2 or not all(parts[:2])):
        return f"must be <device id>:<{kind}>"
    if kind in (EXTENSION_METRIC, EXTENSION_TOOL) and (parts[0] != "extension" or not all(parts) or len(parts) < 2):
        return "must begin with extension:<id>"
    if kind in (EXTENSION_METRIC, DATA_STREAM) and len(parts) < 3:
        return "must be <type>:<id>:<field>"
    return None


# ---- who may grant what ----


def require_authority(principal: Principal, before: Agent | None, agent: Agent, area_of: Callable[[str], str]) -> None:
    """Nobody hands out what they may not do themselves; raises ``Forbidden``.

    What an agent could do before is not looked at again while nothing of it changes. ``area_of`` tells the area of a
    tool by its name.
    """
    if before is not None and reach(before) == reach(agent):
        return
    kinds = {resource.resource_type for resource in agent.resources}
    areas = {"devices"} if kinds & {DEVICE, COMMAND} else set()
    areas |= {"extension_commands"} if EXTENSION_TOOL in kinds else set()
    areas |= {area_of(grant.tool) for grant in agent.grants if grant.tier != NEVER}
    missing = sorted(area for area in areas if not principal.may(f"{area}:write"))
    if missing:
        raise Forbidden(f"to let an agent do this, you must be permitted {', '.join(f'{a}:write' for a in missing)}")


def reach(agent: Agent) -> tuple[object, ...]:
    """Everything that decides what an agent may do."""
    return agent.resources, agent.grants, agent.tool_config


def require_resources(before: Agent, agent: Agent) -> None:
    """A change must not leave a focused agent without anything to look at; raises ``ValidationFailed``."""
    bare = agent.execution_mode == FOCUSED and not agent.resources
    if bare and (before.resources or before.execution_mode != FOCUSED):
        raise ValidationFailed(("resources", "a focused agent must be bound to at least one resource"))
