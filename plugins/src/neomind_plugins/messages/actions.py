"""What rules can do with messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Set
from typing import Any

import attrs
import orjson

from neomind_sdk import ActionOutcome, ApiError, Firing, NewMessage, fields

from .board import Board
from .models import CHANNELS_MAX, TAGS_MAX, TEXT_MAX, TITLE_MAX, WORD_MAX, problem_of_tags
from .severities import problem_of, severity_of
from .templates import device_of, names_of, render
from .templates import problem_of as template_problem

VALUES_MAX = 16 * 1024
SUMMARY_MAX = 500


@attrs.frozen(kw_only=True)
class NotifyParams:
    """``title`` is the rule's name when it is absent. Title and text may have variables: ``{value}``, ``${value}``."""

    message: str = fields.text(min=1, max=TEXT_MAX)
    title: str | None = fields.text(max=TITLE_MAX, default=None)
    severity: str = fields.field(
        problem_of, default="info", schema={"enum": ["info", "warning", "critical", "emergency"]}
    )
    category: str = fields.text(min=1, max=WORD_MAX, default="alert")
    channels: list[str] | None = fields.field(
        lambda names: f"must have at most {CHANNELS_MAX} elements" if len(names) > CHANNELS_MAX else None,
        default=None,
        doc="Names of the channels that get it, whatever their filters say; absent: all whose filter lets it pass",
    )
    metadata: dict[str, Any] | None = None
    tags: list[str] = fields.field(problem_of_tags, factory=list, schema={"maxItems": TAGS_MAX})


class Notify:
    """The rule action ``notify``: raises a message that says which rule and device it is about."""

    name = "notify"
    summary = "Raises a message, which channels deliver."
    params = NotifyParams

    def __init__(self, board: Callable[[], Board], names: Callable[[], Set[str]]) -> None:
        self._board = board
        self._names = names

    def check(self, params: NotifyParams) -> list[str]:
        """Broken variables, and channels that do not exist."""
        texts = {"message": params.message, "title": params.title or ""}
        problems = {field: template_problem(text) for field, text in texts.items()}
        found = [f"{field} {problem}" for field, problem in problems.items() if problem]
        known = self._names() if params.channels else frozenset()
        return found + [no_channel(name) for name in params.channels or () if name not in known]

    async def run(self, params: NotifyParams, firing: Firing) -> ActionOutcome:
        """Done when the message is kept; its channels are not waited for."""
        new = message_of(params, firing)
        summary = f"NOTIFY: {new.message}"[:SUMMARY_MAX]
        try:
            raised = await self._board().post(new)
        except ApiError as error:
            return ActionOutcome(ok=False, summary=summary, error=error.message)
        unknown = "; ".join(no_channel(name) for name in raised.unknown)
        return ActionOutcome(ok=not unknown, summary=summary, error=unknown or None)


def no_channel(name: str) -> str:
    return f"there is no channel '{name}'"


def message_of(params: NotifyParams, firing: Firing) -> NewMessage:
    names = names_of(firing)
    title = render(params.title or "", names).strip() or firing.rule_name.strip() or "Rule"
    return NewMessage(
        title=title,
        message=render(params.message, names),
        severity=severity_of(params.severity) or params.severity,
        category=params.category,
        source=firing.rule_id,
        source_type="rule",
        metadata=metadata_of(params, firing),
        tags=tuple(params.tags),
        channels=None if params.channels is None else tuple(params.channels),
        variant=variant_of(params),
        cause=f"rule:{firing.rule_id}",
        hops=firing.hops + 1,
    )


def metadata_of(params: NotifyParams, firing: Firing) -> dict[str, Any]:
    """What the rule gives, and what tells the message apart; the latter wins."""
    facts: dict[str, Any] = {
        "rule_id": firing.rule_id,
        "rule_name": firing.rule_name,
        "device_id": device_of(firing),
        "fired_ms": firing.fired_ms,
        "values": small(firing.values),
        "test": True if firing.test else None,
    }
    return {**(params.metadata or {}), **{key: value for key, value in facts.items() if value is not None}}


def small(values: Any) -> Any:
    """The values, unless they are too many or too large to go with every message."""
    try:
        raw = orjson.dumps(values, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return None
    return orjson.loads(raw) if len(raw) <= VALUES_MAX else None


def variant_of(params: NotifyParams) -> str:
    """Two notifications of one rule are two alerts, not one and its repetition."""
    parts = [params.title, params.message, params.category, params.channels]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
