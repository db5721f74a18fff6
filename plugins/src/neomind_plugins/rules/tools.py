"""What agents may do with rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from neomind_sdk import ACTUATE, READ, AgentTool, ToolContext

from . import views
from .models import RuleQuery
from .preview import preview
from .service import Rules

Arguments = Mapping[str, Any]
LISTED = 50
LIST_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "enabled": {"type": "boolean", "description": "Only rules that are enabled, or are not"},
        "search": {"type": "string", "description": "Part of a name or a description"},
        "limit": {"type": "integer", "minimum": 1, "maximum": 200, "default": LISTED},
        "offset": {"type": "integer", "minimum": 0, "default": 0},
    },
    "additionalProperties": False,
}
RULE_ID = {"type": "string", "description": "The id of the rule"}
TRIGGER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"rule_id": RULE_ID},
    "required": ["rule_id"],
    "additionalProperties": False,
}
ENABLE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"rule_id": RULE_ID, "enabled": {"type": "boolean", "default": True}},
    "required": ["rule_id"],
    "additionalProperties": False,
}


def targets(arguments: Arguments) -> tuple[str, ...]:
    return (f"rule:{arguments.get('rule_id')}",)


class RuleTools:
    """The tools; they look at the rules of the moment."""

    def __init__(self, rules: Callable[[], Rules]) -> None:
        self._rules = rules

    def tools(self) -> list[AgentTool]:
        common: dict[str, Any] = {"category": "rules"}
        acting: dict[str, Any] = {**common, "effect": ACTUATE, "targets": targets}
        return [
            AgentTool(
                **common,
                name="list_rules",
                description="Lists the automation rules: what they watch, what they do, and whether they are enabled.",
                parameters=LIST_SCHEMA,
                run=self.list_rules,
                effect=READ,
            ),
            AgentTool(
                **acting,
                name="trigger_rule",
                description="Fires a rule by hand; its condition and its cooldown count.",
                parameters=TRIGGER_SCHEMA,
                run=self.trigger_rule,
            ),
            AgentTool(
                **acting,
                name="enable_rule",
                description="Enables a rule, or disables it with enabled=false.",
                parameters=ENABLE_SCHEMA,
                run=self.enable_rule,
            ),
        ]

    async def list_rules(self, arguments: Arguments, context: ToolContext) -> dict[str, Any]:
        query = RuleQuery(**{"limit": LISTED, **arguments})
        found, start = self._rules().matching(query), query.offset
        page = found[start : start + (query.limit or LISTED)]
        rows = [
            {
                "rule_id": live.id,
                "name": live.rule.name,
                "state": views.state_word(live),
                "rule": preview(live.rule),
                "trigger_count": live.state.trigger_count,
            }
            for live in page
        ]
        return {"rules": rows, "total": len(found), "has_next": start + len(page) < len(found)}

    async def trigger_rule(self, arguments: Arguments, context: ToolContext) -> dict[str, Any]:
        rule_id, cause = str(arguments["rule_id"]), f"agent:{context.agent_id}"
        fired = await self._rules().trigger(rule_id, cause=cause, hops=context.hops)
        return {"rule_id": rule_id, **views.result_view(fired)}

    async def enable_rule(self, arguments: Arguments, context: ToolContext) -> dict[str, Any]:
        live = await self._rules().enable(str(arguments["rule_id"]), bool(arguments.get("enabled", True)))
        return {"rule_id": live.id, "enabled": live.rule.enabled}
