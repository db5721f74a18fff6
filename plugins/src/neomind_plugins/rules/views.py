"""Rules as they are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs

from neomind_sdk import DeviceDirectory, MetricDef, ParamDef

from . import conditions, triggers
from .actions import ActionTypes
from .kept import Issue, Raised, Rule
from .live import Live
from .preview import preview
from .service import Fired, Rules
from .times import iso, iso_or_none
from .trace import Entry

EXPORT_VERSION = "1.0"
CATEGORIES = (("alert", "Alert"), ("system", "System"), ("business", "Business"))
NUMBERS = ("integer", "float")


def rule_view(live: Live, types: ActionTypes, *, detail: bool = True) -> dict[str, Any]:
    """A rule. ``source`` is there in the detail only."""
    rule, state = live.rule, live.state
    found: dict[str, Any] = {
        "id": rule.id,
        "name": rule.name,
        "description": rule.description,
        "enabled": rule.enabled,
        "state": state_word(live),
        "trigger_count": state.trigger_count,
        "last_triggered": iso_or_none(state.last_ms),
        "created_at": iso(rule.created_ms),
        "updated_at": iso(rule.updated_ms),
        "trigger": trigger_view(rule),
        "condition": conditions.shown(rule.condition),
        "actions": list(rule.actions),
        "cooldown": rule.cooldown_ms,
        "dsl_preview": preview(rule),
        "problems": problems_of(live, types),
    }
    optional = {
        "tags": list(rule.tags) or None,
        "for_duration": rule.for_duration_ms,
        "source": rule.source if detail else None,
        "paused": paused_view(live),
    }
    return {**found, **{name: value for name, value in optional.items() if value is not None}}


def state_word(live: Live) -> str:
    if live.state.paused is not None:
        return "paused"
    return "active" if live.rule.enabled else "disabled"


def paused_view(live: Live) -> dict[str, Any] | None:
    if live.state.paused is None:
        return None
    return {"reason": live.state.paused, "since": iso_or_none(live.state.paused_ms)}


def trigger_view(rule: Rule) -> dict[str, Any]:
    found = triggers.written(rule.trigger)
    if rule.trigger.kind == triggers.DATA_CHANGE:
        found["sources"] = list(conditions.sources(rule.condition))
    return found


def problems_of(live: Live, types: ActionTypes) -> list[str]:
    """Why a rule that was saved does not work whole as things are now."""
    found = [f"schedule: {live.problem}"] if live.problem is not None else []
    for index, entry in enumerate(live.rule.actions):
        if types.find(entry["type"]) is None:
            found.append(f"actions[{index}].type: {types.missing(entry['type'])}")
    return found


def raw_view(live: Live) -> dict[str, Any]:
    """A rule as it is exported; ``take_in`` makes the same rule of it."""
    rule = live.rule
    return {
        "id": rule.id,
        "name": rule.name,
        "description": rule.description,
        "enabled": rule.enabled,
        "tags": list(rule.tags),
        "trigger": triggers.written(rule.trigger),
        "condition": conditions.written(rule.condition),
        "actions": list(rule.actions),
        "cooldown": rule.cooldown_ms,
        "for_duration": rule.for_duration_ms,
        "source": rule.source,
        "created_at": iso(rule.created_ms),
        "updated_at": iso(rule.updated_ms),
        "state": {
            "trigger_count": live.state.trigger_count,
            "last_triggered": iso_or_none(live.state.last_ms),
            "paused": live.state.paused,
        },
    }


def export_view(rules: Sequence[Live], now_ms: int) -> dict[str, Any]:
    exported = [raw_view(live) for live in rules]
    return {"version": EXPORT_VERSION, "exported_at": iso(now_ms), "count": len(exported), "rules": exported}


def issue_views(issues: Sequence[Issue], *severities: str) -> list[dict[str, Any]]:
    return [attrs.asdict(issue) for issue in issues if not severities or issue.severity in severities]


def execution_view(raised: Raised) -> dict[str, Any]:
    """A firing in the history."""
    return {
        "rule_id": raised.rule_id,
        "rule_name": raised.rule_name,
        "success": raised.success,
        "actions_executed": [outcome.summary for outcome in raised.outcomes if outcome.ok],
        "error": raised.error,
        "duration_ms": raised.duration_ms,
        "triggered_at": iso(raised.fired_ms),
        "trigger": raised.kind,
        "state": raised.state,
        "actions": [attrs.asdict(outcome) for outcome in raised.outcomes],
        "values": dict(raised.values),
    }


def result_view(fired: Fired) -> dict[str, Any]:
    """What came of triggering a rule."""
    raised = fired.raised
    if raised is None:
        return {"success": False, "actions_executed": [], "error": fired.error, "duration_ms": 0}
    return {
        "success": fired.error is None and raised.success,
        "actions_executed": [outcome.summary for outcome in raised.outcomes if outcome.ok],
        "error": fired.error or raised.error,
        "duration_ms": raised.duration_ms,
    }


def entry_view(entry: Entry) -> dict[str, Any]:
    """An entry of the trace."""
    return {
        "at": iso(entry.at_ms),
        "last_at": iso(entry.last_ms),
        "count": entry.count,
        "outcome": entry.outcome,
        "reason": entry.reason,
        "steps": list(entry.steps),
    }


def stats_view(rules: Rules, today: int) -> dict[str, Any]:
    every = rules.all()
    enabled = sum(live.rule.enabled for live in every)
    return {
        "total_rules": len(every),
        "enabled_rules": enabled,
        "disabled_rules": len(every) - enabled,
        "paused_rules": sum(live.state.paused is not None for live in every),
        "triggered_today": today,
        "firings_waiting": rules.runner.waiting,
        "by_type": dict(Counter(live.rule.trigger.kind for live in every)),
    }


def resources_view(directory: DeviceDirectory, types: ActionTypes) -> dict[str, Any]:
    """What conditions and actions may name."""
    categories = [{"id": name, "name": title, "channel_type": name, "enabled": True} for name, title in CATEGORIES]
    return {
        "devices": [device_view(directory, device) for device in directory.devices()],
        "message_categories": categories,
        "alert_channels": categories,
        "actions": [{"type": item.name, "summary": item.summary} for item in types.all()],
    }


def device_view(directory: DeviceDirectory, device: Any) -> dict[str, Any]:
    kind = directory.type_of(device.device_id)
    return {
        "id": device.device_id,
        "name": device.name,
        "device_type": device.device_type,
        "metrics": [metric_view(metric) for metric in kind.metrics] if kind else [],
        "commands": [
            {
                "name": command.name,
                "description": command.description or command.display_name,
                "parameters": [parameter_view(parameter) for parameter in command.parameters],
            }
            for command in (kind.commands if kind else ())
        ],
        "online": directory.status(device.device_id) == "online",
    }


def type_word(data_type: str, options: Sequence[str]) -> Any:
    if data_type == "enum":
        return {"enum": list(options)}
    if data_type in NUMBERS:
        return "number"
    return "boolean" if data_type == "boolean" else "string"


def metric_view(metric: MetricDef) -> dict[str, Any]:
    return {
        "name": metric.name,
        "data_type": type_word(metric.data_type, metric.options),
        "unit": metric.unit,
        "min_value": metric.min,
        "max_value": metric.max,
    }


def parameter_view(parameter: ParamDef) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "param_type": type_word(parameter.data_type, parameter.options),
        "required": parameter.required,
        "default_value": parameter.default_value,
    }
