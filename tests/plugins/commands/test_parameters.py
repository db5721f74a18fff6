"""Required, defaults, ranges, allowed values, rules: every refusal names the parameter."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from neomind_plugins.commands.errors import BadParameter
from neomind_plugins.commands.parameters import check
from neomind_plugins.commands.patterns import first_failure
from neomind_sdk import CommandDef, ParamDef, ValidationFailed
from neomind_sdk.testing.strategies import json_objects


def of(*params: ParamDef) -> CommandDef:
    return CommandDef(name="c", parameters=params)


def one(value: Any, **param: Any) -> Any:
    return check(of(ParamDef(name="p", **param)), {"p": value}).declared["p"]


def problem(value: Any, **param: Any) -> str:
    with pytest.raises(BadParameter) as caught:
        one(value, **param)
    [detail] = caught.value.details
    assert detail["field"] == "params.p"
    return str(detail["message"])


def test_required_and_defaults() -> None:
    command = of(
        ParamDef(name="must", required=True),
        ParamDef(name="usual", data_type="integer", default_value="5"),
        ParamDef(name="both", required=True, default_value="d"),
        ParamDef(name="may"),
    )
    checked = check(command, {"must": "x", "other": [1]})
    assert checked.declared == {"must": "x", "usual": 5, "both": "d"}
    assert checked.all == {"must": "x", "usual": 5, "both": "d", "other": [1]}
    with pytest.raises(BadParameter, match=r"params\.must: is required"):
        check(command, {})


def test_a_default_is_checked_like_everything_else() -> None:
    with pytest.raises(BadParameter, match=r"params\.p: must be at most 3"):
        check(of(ParamDef(name="p", data_type="integer", default_value=4, max=3)), {})


@pytest.mark.parametrize(
    ("value", "bounds", "good"),
    [
        (5, {"min": 5}, True),
        (4, {"min": 5}, False),
        (5, {"max": 5}, True),
        (6, {"max": 5}, False),
        (5, {"min": 1, "max": 9}, True),
        (-1, {"min": -0.5}, False),
        ("10", {"max": 9}, False),
    ],
)
def test_either_bound_holds(value: Any, bounds: Any, good: bool) -> None:
    if good:
        assert one(value, data_type="integer", **bounds) == int(value)
    else:
        assert "must be at" in problem(value, data_type="integer", **bounds)


def test_bounds_do_not_concern_texts() -> None:
    assert one("abc", min=10) == "abc"


def test_allowed_values_are_of_the_parameters_type() -> None:
    assert one("2", data_type="integer", allowed_values=("1", 2.0)) == 2
    assert problem(3, data_type="integer", allowed_values=(1, 2)) == "must be one of 1, 2"
    assert one(None, data_type="integer", allowed_values=(1, None)) is None
    assert "must be one of" in problem("c", allowed_values=("a", "b"))
    assert one("yes", data_type="boolean", allowed_values=(True,)) is True
    assert "must be one of" in problem("no", data_type="boolean", allowed_values=(True,))


def test_enums_know_their_words() -> None:
    assert one("a", data_type="enum", options=("a", "b")) == "a"
    assert problem("A", data_type="enum", options=("a", "b")) == "must be one of a, b"
    assert one(1, data_type="enum", options=("1",)) == "1"


def rule(kind: str, **members: Any) -> dict[str, Any]:
    return {"type": kind, "min": None, "max": None, "error_message": None, **members}


def test_rules_of_ranges_and_lengths() -> None:
    assert problem(11, data_type="float", validation=(rule("range", max=10),)) == "must be at most 10"
    assert problem("abc", validation=(rule("length", max=2),)) == "must have at most 2 characters"
    assert problem("", validation=(rule("length", min=1),)) == "must have at least 1 characters"
    assert problem([1], data_type="array", validation=(rule("length", min=2),)) == "must have at least 2 elements"
    assert problem("abc", validation=(rule("length", max=2, error_message="Too long!"),)) == "Too long!"
    assert (
        one("abc", validation=(rule("range", max=1), {"type": "custom", "validator": "luhn", "params": None})) == "abc"
    )


async def test_patterns() -> None:
    pattern = {"type": "pattern", "regex": "^[a-z]+$", "error_message": None}
    command = of(ParamDef(name="p", validation=(pattern,)))
    assert await first_failure(check(command, {"p": "abc"}).trials) is None
    assert await first_failure(check(command, {"p": "ABC"}).trials) == ("p", "must match ^[a-z]+$")
    worded = of(ParamDef(name="p", validation=({**pattern, "error_message": "Lower case!"},)))
    assert await first_failure(check(worded, {"p": "ABC"}).trials) == ("p", "Lower case!")
    numbers = of(ParamDef(name="p", data_type="integer", validation=({**pattern, "regex": "^1"},)))
    assert await first_failure(check(numbers, {"p": 15}).trials) is None
    assert check(command, {}).trials == []


@pytest.mark.parametrize("given", [{"p": object()}, {"p": "\ud800"}, {1: 2}, {"p": 2**64}])
def test_what_json_cannot_say_is_refused(given: Any) -> None:
    with pytest.raises(ValidationFailed, match="params"):
        check(of(ParamDef(name="p")), given)


@given(json_objects())
def test_everything_is_taken_or_refused(given: dict[str, Any]) -> None:
    names = [*given, "extra"][:4]
    kinds = ("integer", "boolean", "array", "string")
    command = of(*(ParamDef(name=name, data_type=kind, min=0) for name, kind in zip(names, kinds, strict=False)))
    try:
        checked = check(command, given)
    except ValidationFailed:
        return
    assert set(checked.declared) <= {param.name for param in command.parameters}
    assert set(checked.all) == set(given)
