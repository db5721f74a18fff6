"""Payloads: JSON stays JSON whatever the parameters are, and text is text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.commands.errors import BadTemplate
from neomind_plugins.commands.templates import compile_template
from neomind_sdk import CommandDef, ParamDef
from neomind_sdk.testing.strategies import TEXT, json_objects, json_values


def render(template: str, values: Any = None, fixed: Any = None, optional: tuple[str, ...] = ()) -> bytes:
    params = tuple(ParamDef(name=name) for name in optional)
    command = CommandDef(name="c", payload_template=template, fixed_values=fixed or {}, parameters=params)
    return compile_template(command).render(values or {}, "req-1")


@pytest.mark.parametrize(
    ("template", "values", "expected"),
    [
        ('{"a": ${x}}', {"x": 5}, {"a": 5}),
        ('{"a": "${x}"}', {"x": 5}, {"a": 5}),
        ('{"a": ${x}}', {"x": "5"}, {"a": "5"}),
        ('{"a": ${x}}', {"x": True}, {"a": True}),
        ('{"a": ${x}}', {"x": None}, {"a": None}),
        ('{"a": ${x}}', {"x": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}),
        ('  ["${x}", ${y}, 1]', {"x": 1.5, "y": "z"}, [1.5, "z", 1]),
        ('{"a": "t=${x}, u=${y}"}', {"x": 1, "y": True}, {"a": "t=1, u=true"}),
        ('{"a": "say ${x}"}', {"x": 'a "quoted" \\ thing\n'}, {"a": 'say a "quoted" \\ thing\n'}),
        ('{"a": {"b": [{"c": ${x.y}}]}}', {"x.y": 3}, {"a": {"b": [{"c": 3}]}}),
        ('{"a": ${x.y}}', {"x": {"y": 3}}, {"a": 3}),
        ('{"${x}": 1}', {"x": "key"}, {"key": 1}),
        ('{"a": "$x ${} ${1x} ${ x }"}', {}, {"a": "$x ${} ${1x} ${ x }"}),
        ('{"a": "\\" ${x}"}', {"x": 1}, {"a": '" 1'}),
        ('{"id": ${request_id}}', {}, {"id": "req-1"}),
        ('{"id": ${request_id}}', {"request_id": "mine"}, {"id": "mine"}),
        ("{}", {}, {}),
    ],
)
def test_json_templates(template: str, values: Any, expected: Any) -> None:
    assert json.loads(render(template, values)) == expected


@pytest.mark.parametrize(
    ("template", "values", "expected"),
    [
        ("ON", {}, b"ON"),
        ("SET ${x};${y}\n", {"x": 5, "y": False}, b"SET 5;false\n"),
        ("${x}", {"x": [1, 2]}, b"[1,2]"),
        ("${x}", {"x": "{\u00e9}"}, "{\u00e9}".encode()),
        ("${x}", {"x": 2.5}, b"2.5"),
    ],
)
def test_text_templates(template: str, values: Any, expected: bytes) -> None:
    assert render(template, values) == expected


def test_without_a_template() -> None:
    assert json.loads(render("", {"x": 1}, {"x": 2, "y": 3})) == {
        "command": "c",
        "params": {"x": 1, "y": 3},
        "request_id": "req-1",
    }


def test_parameters_win_over_fixed_values() -> None:
    assert json.loads(render('{"a": ${a}, "b": ${b}}', {"a": 1}, {"a": 2, "b": 3})) == {"a": 1, "b": 3}


def test_optional_parameters_that_were_not_given_are_left_out() -> None:
    template = '{"a": ${a}, "b": [${b}, 1], "c": {"d": "${c}"}}'
    assert json.loads(render(template, {}, optional=("a", "b", "c"))) == {"b": [1], "c": {}}
    assert json.loads(render(template, {"a": 1, "b": 2, "c": 3})) == {"a": 1, "b": [2, 1], "c": {"d": 3}}


@pytest.mark.parametrize(
    ("template", "values"),
    [
        ('{"a": ${x}}', {}),
        ('{"a": "${x}"}', {}),
        ("SET ${x}", {}),
        ('{"a": "t=${x}"}', {"x": [1]}),
        ('{"a": "t=${x}"}', {"x": {}}),
        ('{"a": ${x.z}}', {"x": {"y": 1}}),
        ('{"a": ${x.y}}', {"x": 5}),
        ('{"a": ${x}${y}}', {"x": 1, "y": 2}),
        ('{"a": ${x}', {"x": 1}),
        ("{nonsense", {}),
        ('{"a": 1, "a": 2}', {}),
        ("{" * 50, {}),
    ],
)
def test_what_cannot_be_rendered_says_why(template: str, values: Any) -> None:
    with pytest.raises(BadTemplate, match="'c'"):
        render(template, values)


def test_a_placeholder_inside_a_text_is_needed_though_optional() -> None:
    with pytest.raises(BadTemplate, match="needs 'x'"):
        render('{"a": "t=${x}"}', {}, optional=("x",))


NAMES = ("a", "b", "c.d")
LEAVES = st.sampled_from([f"${{{name}}}" for name in NAMES]) | TEXT | st.integers(-9, 9) | st.none()
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8
)


@given(st.dictionaries(TEXT, TREES, max_size=4), st.tuples(*(json_values(4) for _ in NAMES)), st.booleans())
def test_a_json_template_gives_json_whatever_the_values_are(tree: Any, values: Any, bare: bool) -> None:
    template = json.dumps(tree)
    if bare:
        for name in NAMES:
            template = template.replace(f'"${{{name}}}"', f"${{{name}}}")
    try:
        found = json.loads(render(template, dict(zip(NAMES, values, strict=True))))
    except BadTemplate:
        return
    assert isinstance(found, dict)


@given(json_values(8), st.booleans())
def test_a_value_arrives_as_it_is(value: Any, in_quotes: bool) -> None:
    """Inside something larger, so that nothing can break out of its place."""
    slot = '"${x}"' if in_quotes else "${x}"
    found = json.loads(render(f'{{"before": 1, "a": {slot}, "after": "${{x}}"}}', {"x": value}))
    assert found == {"before": 1, "a": value, "after": value}


@given(TEXT)
def test_a_text_inside_a_text_cannot_break_out(text: str) -> None:
    assert json.loads(render('{"a": "<${x}>", "b": 2}', {"x": text})) == {"a": f"<{text}>", "b": 2}


@given(json_objects())
def test_the_default_body_is_json(values: dict[str, Any]) -> None:
    found = json.loads(render("", values))
    assert found["params"] == {name: value for name, value in values.items() if name != "request_id"}
