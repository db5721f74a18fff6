"""From bodies to rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID, uuid4

import attrs

from neomind_sdk import BadRequest, ValidationFailed, fields
from neomind_sdk.schema import structure

from . import conditions, triggers
from .actions import ActionTypes
from .errors import BadRule
from .kept import Rule
from .models import KEEP, TAG_MAX, TAGS_MAX, RuleBody
from .unfit import Unfit

T = TypeVar("T")


def new_rule(body: RuleBody, types: ActionTypes, now_ms: int, rule_id: str | None = None) -> Rule:
    """The rule of a body; raises ``BadRequest`` without a name, ``BadRule`` for parts that cannot be."""
    if body.name is None:
        raise BadRequest("name: is required")
    rule = Rule(id=rule_id or str(uuid4()), name="", created_ms=now_ms)
    return merged(rule, body, types, now_ms)


def merged(rule: Rule, body: RuleBody, types: ActionTypes, now_ms: int) -> Rule:
    """The rule with what a body says; the rest stays."""
    changes: dict[str, Any] = {"updated_ms": now_ms}
    if body.name is not None:
        changes["name"] = body.name.strip()
    if body.description is not KEEP:
        changes["description"] = body.description
    if body.enabled is not None:
        changes["enabled"] = body.enabled
    if body.tags is not None:
        changes["tags"] = tags_of(body.tags)
    if body.cooldown is not None:
        changes["cooldown_ms"] = body.cooldown
    if body.for_duration is not KEEP:
        changes["for_duration_ms"] = body.for_duration or None
    if body.source is not KEEP:
        changes["source"] = body.source
    return attrs.evolve(rule, **changes, **parts_of(body, types))


def parts_of(body: RuleBody, types: ActionTypes) -> dict[str, Any]:
    """Trigger, condition and actions, as far as the body has them; raises ``BadRule`` naming all at fault."""
    changes: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []

    def take(name: str, read: Callable[[], Any]) -> None:
        try:
            changes[name] = read()
        except Unfit as error:
            problems.append((error.path, error.problem))

    if body.trigger is not None:
        take("trigger", lambda: triggers.read(body.trigger))
    if body.condition is not KEEP:
        take("condition", lambda: conditions.read(body.condition))
    actions = body.actions
    if actions is not None:
        take("actions", lambda: entries_of(actions, types))
    if problems:
        raise BadRule(*problems)
    return changes


def entries_of(actions: list[Any], types: ActionTypes) -> tuple[Mapping[str, Any], ...]:
    types.check_shape(actions)
    return tuple(actions)


def tags_of(tags: list[str]) -> tuple[str, ...]:
    """Without repetitions; raises ``ValidationFailed``."""
    if len(tags) > TAGS_MAX:
        raise ValidationFailed(("tags", f"must have at most {TAGS_MAX} entries"))
    for index, tag in enumerate(tags):
        if not 0 < len(tag.strip()) <= TAG_MAX or not fields.clean(tag):
            raise ValidationFailed((f"tags[{index}]", f"must be text of 1 to {TAG_MAX} characters"))
    return tuple(dict.fromkeys(tags))


def imported(entry: Any, types: ActionTypes, now_ms: int, taken: Callable[[str], bool]) -> Rule:
    """A rule of an export; its id stays if it is one and free. Raises ``ApiError``."""
    if not isinstance(entry, Mapping):
        raise BadRequest("must be an object")
    rule_id = entry.get("id")
    keeps = is_id(rule_id) and not taken(str(rule_id))
    return new_rule(structure(RuleBody, dict(entry)), types, now_ms, str(rule_id) if keeps else None)


def is_id(text: Any) -> bool:
    try:
        return isinstance(text, str) and str(UUID(text)) == text
    except ValueError:
        return False
