"""The parameters of a command: taken, completed, coerced and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import orjson

from neomind_sdk import CommandDef, ParamDef, ValidationFailed

from .coercion import Unfit, coerce
from .errors import BadParameter
from .patterns import Trial

Params = Mapping[str, Any]
Rule = Mapping[str, Any]


@attrs.frozen
class Checked:
    """``declared`` is sent; ``all`` is kept, with what the type does not know; ``trials`` are still to be made."""

    declared: dict[str, Any]
    all: dict[str, Any]
    trials: list[Trial]


def check(command: CommandDef, given: Params) -> Checked:
    """Everything but the patterns; raises ``ValidationFailed`` that names the parameter."""
    given = as_json(given)
    declared = {param.name: value for param in command.parameters for value in taken(param, given)}
    trials = [
        trial
        for param in command.parameters
        if param.name in declared
        for trial in trials_of(param, declared[param.name])
    ]
    return Checked(declared, {**given, **declared}, trials)


def as_json(given: Params) -> dict[str, Any]:
    """The parameters as JSON gives them back; raises ``ValidationFailed`` for what it cannot say."""
    try:
        copy: dict[str, Any] = orjson.loads(orjson.dumps(dict(given)))
    except (TypeError, ValueError) as error:
        raise ValidationFailed(("params", f"must be what JSON can say: {error}")) from error
    numbers = {name: value for name, value in given.items() if isinstance(value, float)}
    return {**copy, **numbers}  # infinity is null in JSON; here it is what the parameter must refuse


def taken(param: ParamDef, given: Params) -> Iterator[Any]:
    """The value of the parameter, if it has one."""
    if param.name in given:
        value = given[param.name]
    elif param.default_value is not None:
        value = param.default_value
    elif param.required:
        raise BadParameter(param.name, "is required")
    else:
        return
    yield fitted(param, value)


def fitted(param: ParamDef, value: Any) -> Any:
    """The value in its type, within what is allowed; raises ``BadParameter``."""
    try:
        value = coerce(param, value)
        allowed = allowed_values(param)
    except Unfit as unfit:
        raise BadParameter(param.name, str(unfit)) from None
    if value is None:
        return None
    if allowed and not any(same(value, one) for one in allowed):
        raise BadParameter(param.name, f"must be one of {', '.join(map(shown, allowed))}")
    problems = (rule_problem(rule, value) for rule in (*ranges(param), *param.validation))
    problem = next((text for text in problems if text), None)
    if problem:
        raise BadParameter(param.name, problem)
    return value


def allowed_values(param: ParamDef) -> list[Any]:
    """The words of an enum, and the allowed values in the parameter's own type; empty when everything is allowed."""
    if param.allowed_values:
        return [coerce(param, value) for value in param.allowed_values]
    return list(param.options) if param.data_type == "enum" else []


def same(value: Any, other: Any) -> bool:
    """Whether two values are one: ``true`` is not 1."""
    return isinstance(value, bool) == isinstance(other, bool) and bool(value == other)


def shown(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def ranges(param: ParamDef) -> tuple[Rule, ...]:
    return ({"type": "range", "min": param.min, "max": param.max},)


def rule_problem(rule: Rule, value: Any) -> str | None:
    """What a rule about ranges or lengths finds wrong. ``custom`` names a validator that nobody here has."""
    measured, unit = measure(rule, value)
    if measured is None:
        return None
    low, high = rule.get("min"), rule.get("max")
    problem = None
    if low is not None and measured < low:
        problem = f"must {unit[0]} at least {low:g}{unit[1]}"
    elif high is not None and measured > high:
        problem = f"must {unit[0]} at most {high:g}{unit[1]}"
    return problem and (rule.get("error_message") or problem)


def measure(rule: Rule, value: Any) -> tuple[float | None, tuple[str, str]]:
    """What a rule measures of a value, and the words for it; ``None`` when it does not concern such values."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if rule.get("type") == "range" and number:
        return value, ("be", "")
    if rule.get("type") == "length" and isinstance(value, str | list):
        return len(value), ("have", " characters" if isinstance(value, str) else " elements")
    return None, ("", "")


def trials_of(param: ParamDef, value: Any) -> Sequence[Trial]:
    """The patterns that the value has to match; those of an array concern its elements, null concerns none."""
    texts = [shown(item) for item in (value if isinstance(value, list) else [value]) if item is not None]
    rules = [rule for rule in param.validation if rule.get("type") == "pattern"]
    return [Trial(param.name, text, str(rule["regex"]), rule.get("error_message")) for rule in rules for text in texts]
