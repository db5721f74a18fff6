"""A rule as a few lines of text, for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .conditions import phrase
from .kept import Rule
from .triggers import MANUAL, SCHEDULE

SHORT = {"info": "INFO", "warning": "WARNING", "critical": "CRITICAL", "emergency": "EMERGENCY"}
MINUTE_MS = 60_000


def preview(rule: Rule) -> str:
    """``RULE "…"`` … ``END``."""
    lines = [f'RULE "{rule.name}"']
    if rule.trigger.kind == SCHEDULE:
        lines.append(f'ON SCHEDULE "{rule.trigger.words}"')
    elif rule.trigger.kind == MANUAL:
        lines.append("ON MANUAL")
    if rule.condition is not None:
        lines.append(f"WHEN {phrase(rule.condition)}")
    if rule.for_duration_ms:
        lines.append(f"FOR {span(rule.for_duration_ms)}")
    return "\n".join([*lines, "DO", *(f"    {line(action)}" for action in rule.actions), "END"])


def span(ms: int) -> str:
    return f"{ms // MINUTE_MS}min" if ms % MINUTE_MS == 0 else f"{ms / 1000:g}s"


def line(action: Mapping[str, Any]) -> str:
    """One action; those whose names everybody knows have their own words."""
    writer = _WRITERS.get(action["type"])
    return writer(action) if writer else f"{str(action['type']).upper()}{pairs(action, skip=('type',))}"


def _notify(action: Mapping[str, Any]) -> str:
    severity = str(action.get("severity") or "info")
    return f'NOTIFY [{SHORT.get(severity, severity.upper())}] "{action.get("message", "")}"'


def _execute(action: Mapping[str, Any]) -> str:
    params = action.get("params")
    inner = ", ".join(f"{k}={text(v)}" for k, v in params.items()) if isinstance(params, Mapping) else ""
    return f"EXECUTE {action.get('target_type', 'device')}.{action.get('target')} {action.get('command')}({inner})"


def _agent(action: Mapping[str, Any]) -> str:
    given = f' INPUT "{action["input"]}"' if action.get("input") else ""
    data = f" DATA {text(action['data'])}" if action.get("data") is not None else ""
    return f"TRIGGER AGENT {action.get('agent_id')}{given}{data}"


_WRITERS = {"notify": _notify, "execute": _execute, "trigger_agent": _agent}


def pairs(action: Mapping[str, Any], skip: tuple[str, ...]) -> str:
    return "".join(f" {name}={text(value)}" for name, value in action.items() if name not in skip)


def text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
