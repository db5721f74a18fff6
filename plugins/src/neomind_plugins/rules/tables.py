"""Tables of rules and the queries on them; called inside ``await db.read(…)`` and ``await db.write(…)`` only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import orjson
from peewee import BigIntegerField, BooleanField, FloatField, IntegerField, TextField, fn

from neomind_sdk.tables import Model

from . import conditions, triggers
from .kept import CANCELLED, DONE, PENDING, Outcome, Raised, Rule, RuleState

COLUMNS = ("actions", "values", "variables", "outcomes")
"""Members of a firing that are kept as JSON."""
KEPT = 1000
"""How many firings of a rule are kept at most."""


class RuleRow(Model):
    """A rule; ``definition`` is the whole of it as JSON."""

    id = TextField(primary_key=True)
    definition = TextField()
    created_ms = BigIntegerField()

    class Meta:
        table_name = "rules_rule"


class StateRow(Model):
    """What changes of a rule while it works."""

    rule_id = TextField(primary_key=True)
    trigger_count = IntegerField()
    last_ms = BigIntegerField(null=True)
    cooling_ms = BigIntegerField(null=True)
    since_ms = BigIntegerField(null=True)
    paused = TextField(null=True)
    paused_ms = BigIntegerField(null=True)
    refunded = BooleanField()

    class Meta:
        table_name = "rules_state"


class FiringRow(Model):
    """Actions that are, or were, due. Numbers rise with the time and are never given twice."""

    number = BigIntegerField(primary_key=True)
    rule_id = TextField()
    rule_name = TextField()
    kind = TextField()
    fired_ms = BigIntegerField(index=True)
    actions = TextField()
    values = TextField()
    variables = TextField()
    cause = TextField(null=True)
    hops = IntegerField()
    outcomes = TextField()
    state = TextField(index=True)
    error = TextField(null=True)
    duration_ms = FloatField()

    class Meta:
        table_name = "rules_firings"
        indexes = ((("rule_id", "number"), False),)


MODELS = (RuleRow, StateRow, FiringRow)


def put_rule(rule: Rule) -> None:
    """Insert or replace."""
    definition = dumped(definition_of(rule))
    put(RuleRow, RuleRow.id, {"id": rule.id, "definition": definition, "created_ms": rule.created_ms})


def delete_rule(rule_id: str) -> None:
    """The rule, its state and its firings."""
    RuleRow.delete().where(RuleRow.id == rule_id).execute()
    StateRow.delete().where(StateRow.rule_id == rule_id).execute()
    FiringRow.delete().where(FiringRow.rule_id == rule_id).execute()


def all_rules() -> list[tuple[Rule, RuleState]]:
    """In the order they were made."""
    states = {row.rule_id: state_of(row) for row in StateRow.select()}
    rows = RuleRow.select().order_by(RuleRow.created_ms, RuleRow.id)
    return [(rule_of(row), states.get(row.id, RuleState())) for row in rows]


def put_states(states: Mapping[str, RuleState]) -> None:
    """Keep the states of those rules that are (still) there."""
    ids = list(states)
    for start in range(0, len(ids), 500):
        for row in RuleRow.select(RuleRow.id).where(RuleRow.id.in_(ids[start : start + 500])):
            put(StateRow, StateRow.rule_id, {"rule_id": row.id, **attrs.asdict(states[row.id])})


def resume(rule_id: str) -> None:
    """The platform does not pause the rule any longer; the rest of its state stays."""
    StateRow.update(paused=None, paused_ms=None).where(StateRow.rule_id == rule_id).execute()


def forget_since(rule_id: str) -> None:
    """Since when the condition held is of no account any longer; the rest of the state stays."""
    StateRow.update(since_ms=None).where(StateRow.rule_id == rule_id).execute()


def put(model: Any, key: Any, values: Mapping[str, Any]) -> None:
    """Insert a row, or replace the one with its key."""
    rest = {name: value for name, value in values.items() if name != key.name}
    model.insert(**values).on_conflict(conflict_target=[key], update=rest).execute()


def put_firings(firings: Iterable[Raised]) -> None:
    """Keep new firings; those that are kept already stay as they are."""
    for firing in firings:
        FiringRow.insert(**columns_of(firing)).on_conflict_ignore().execute()


def last_number() -> int:
    return int(FiringRow.select(fn.MAX(FiringRow.number)).scalar() or 0)


def progress(firing: Raised) -> None:
    """Keep what came of a firing so far."""
    changes = {"outcomes": dumped([attrs.asdict(each) for each in firing.outcomes]), "state": firing.state}
    more = {"error": firing.error, "duration_ms": firing.duration_ms}
    FiringRow.update(**changes, **more).where(FiringRow.number == firing.number).execute()


def pending(after: int, limit: int) -> list[Raised]:
    """Firings that were not brought to their end, oldest first."""
    which = (FiringRow.state == PENDING) & (FiringRow.number > after)
    return [firing_of(row) for row in FiringRow.select().where(which).order_by(FiringRow.number).limit(limit)]


def history(rule_id: str, limit: int, offset: int = 0) -> list[Raised]:
    """Newest first; those under way are not in it."""
    which = (FiringRow.rule_id == rule_id) & FiringRow.state.in_((DONE, CANCELLED))
    rows = FiringRow.select().where(which).order_by(FiringRow.number.desc()).limit(limit).offset(offset)
    return [firing_of(row) for row in rows]


def fired_since(ms: int) -> int:
    return int(FiringRow.select().where(FiringRow.fired_ms >= ms).count())


def prune(before_ms: int) -> int:
    """Delete what is older, and all but the newest of each rule; what is pending stays. Returns how many."""
    over = FiringRow.state != PENDING
    gone = FiringRow.delete().where(over & (FiringRow.fired_ms < before_ms)).execute()
    for row in list(FiringRow.select(FiringRow.rule_id).distinct()):
        mine = FiringRow.rule_id == row.rule_id
        numbers = FiringRow.select(FiringRow.number).where(mine).order_by(FiringRow.number.desc())
        last = numbers.offset(KEPT - 1).limit(1).scalar()
        if last is not None:
            gone += FiringRow.delete().where(mine & over & (FiringRow.number < last)).execute()
    return int(gone)


def dumped(value: Any) -> str:
    return orjson.dumps(value).decode()


def definition_of(rule: Rule) -> dict[str, Any]:
    """A rule as plain JSON."""
    return {
        **attrs.asdict(rule, recurse=False),
        "tags": list(rule.tags),
        "trigger": triggers.written(rule.trigger),
        "condition": conditions.written(rule.condition),
        "actions": [dict(action) for action in rule.actions],
    }


def rule_of(row: Any) -> Rule:
    found = orjson.loads(row.definition)
    changes = {
        "tags": tuple(found["tags"]),
        "trigger": triggers.read(found["trigger"]),
        "condition": conditions.read(found["condition"]),
        "actions": tuple(found["actions"]),
    }
    return Rule(**{**found, **changes})


def state_of(row: Any) -> RuleState:
    return RuleState(**{field.name: getattr(row, field.name) for field in attrs.fields(RuleState)})


def columns_of(firing: Raised) -> dict[str, Any]:
    found = attrs.asdict(firing, recurse=False)
    found["outcomes"] = [attrs.asdict(outcome) for outcome in firing.outcomes]
    return {name: dumped(value) if name in COLUMNS else value for name, value in found.items()}


def firing_of(row: Any) -> Raised:
    found = {field.name: getattr(row, field.name) for field in attrs.fields(Raised)}
    found |= {name: orjson.loads(found[name]) for name in COLUMNS}
    outcomes: Sequence[Any] = found["outcomes"]
    return Raised(
        **{**found, "actions": tuple(found["actions"]), "outcomes": tuple(Outcome(**each) for each in outcomes)}
    )
