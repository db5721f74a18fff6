"""Taking messages apart, against a naive reference."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from neomind_plugins.telemetry.plan import MAX_DEPTH, MAX_LEAVES, Plan, Plans, leaves, path_steps
from neomind_sdk import BadRequest, DeviceType, MetricDef
from neomind_sdk.testing.strategies import json_objects, json_values

KEYS = st.sampled_from(["a", "b", "c", "a.b", "a[0]", "temperature", "ä", "x y"])
SMALL = st.recursive(
    st.none() | st.integers(0, 3) | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
PATHS = st.lists(
    st.sampled_from(["a", "b", "c", "temperature", "[0]", "[1]", "[2]", "ä", "x y"]), min_size=1, max_size=4
).map(lambda parts: ".".join(parts).replace(".[", "["))


def plan(*names: str, **more: Any) -> Plan:
    metrics = tuple(MetricDef(name=name) for name in names)
    return Plan(DeviceType(device_type="t", name="T", metrics=metrics, **more))


def naive_path(name: str, payload: Any) -> Any:
    """A key of that name, else what is found by walking the text character by character."""
    if isinstance(payload, dict) and payload.get(name) is not None:
        return payload[name]
    rest, value = name, payload
    while rest:
        rest = rest.removeprefix(".")
        if rest.startswith("["):
            index, _, rest = rest[1:].partition("]")
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
        else:
            cut = min([len(rest)] + [rest.index(mark) for mark in ".[" if mark in rest])
            key, rest = rest[:cut], rest[cut:]
            value = value.get(key) if isinstance(value, dict) else None
        if value is None:
            return None
    return value


def naive_leaves(node: dict[str, Any], prefix: tuple[str, ...] = ()) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in node.items():
        path = (*prefix, key)
        name = ".".join(path)
        if isinstance(value, dict) and len(path) < MAX_DEPTH:
            found += naive_leaves(value, path)
        elif value is not None and 1 <= len(name) <= 256 and name != "_raw" and name.isprintable():
            found.append((name, value))
    return found


def comparable(value: Any) -> Any:
    return json.dumps(value, sort_keys=True)


@given(st.lists(PATHS, min_size=1, max_size=4), SMALL.filter(lambda value: isinstance(value, dict | list)))
@example(["a.b"], {"a.b": 1, "a": {"b": 2}})
@example(["a.b"], {"a.b": None, "a": {"b": 2}})
@example(["[0].a"], [{"a": 1}])
@example(["a[0]"], {"a": {"0": 1}})
def test_paths_are_followed_as_the_reference_does(names: list[str], payload: Any) -> None:
    expected = [(name, value) for name in names if (value := naive_path(name, payload)) is not None]
    assert comparable(plan(*names).extract(payload)) == comparable(expected)


@given(json_objects())
def test_leaves_are_those_of_the_reference(payload: dict[str, Any]) -> None:
    found = leaves(payload)
    expected = naive_leaves(payload)
    assert [name for name, _ in found] == [name for name, _ in expected]
    for (_, value), (_, raw) in zip(found, expected, strict=True):
        assert comparable(json.loads(value) if isinstance(raw, dict | list) else value) == comparable(raw)


@given(json_values())
def test_no_extraction_gives_null_or_an_empty_name(payload: Any) -> None:
    for found in (leaves(payload), plan("a", "b.c").extract(payload) if isinstance(payload, dict | list) else []):
        assert all(name and value is not None for name, value in found)


def test_values_keep_their_types() -> None:
    payload = {"n": 1, "f": 1.5, "b": False, "s": "x", "o": {"k": [1]}, "l": [1, None], "z": None}
    assert plan("n", "f", "b", "s", "o", "l", "z", "missing").extract(payload) == [
        ("n", 1),
        ("f", 1.5),
        ("b", False),
        ("s", "x"),
        ("o", {"k": [1]}),
        ("l", [1, None]),
    ]
    assert leaves(payload) == [("n", 1), ("f", 1.5), ("b", False), ("s", "x"), ("o.k", "[1]"), ("l", "[1,null]")]


def test_objects_below_the_depth_are_json_text() -> None:
    deep: Any = {"end": 1}
    for _ in range(MAX_DEPTH):
        deep = {"k": deep}
    assert leaves(deep) == [(".".join("k" * MAX_DEPTH), '{"end":1}')]


@pytest.mark.parametrize("key", ["", "_raw", "a\0b", "line\nbreak", "x" * 257])
def test_leaves_that_cannot_have_a_name_are_left_out(key: str) -> None:
    assert leaves({key: 1, "t": 2}) == [("t", 2)]


def test_too_many_leaves_are_refused() -> None:
    assert len(leaves({str(n): n for n in range(MAX_LEAVES)})) == MAX_LEAVES
    with pytest.raises(BadRequest, match="at most 10000 values"):
        leaves({str(n): n for n in range(MAX_LEAVES + 1)})


@pytest.mark.parametrize("name", ["a..b", ".a", "a.", "a[x]", "a[-1]", "a]b", "a[0]b", "[", "a[]", "plain", "a b"])
def test_other_names_are_plain_keys(name: str) -> None:
    assert path_steps(name) == ()
    assert plan(name).extract({name: 7}) == [(name, 7)]


def test_the_scalar_is_named_by_the_only_metric() -> None:
    assert plan("temperature").scalar == "temperature"
    assert plan("temperature", "humidity").scalar == "value"
    assert plan().scalar == "value"


def test_raw_is_no_metric_of_a_type() -> None:
    assert plan("_raw", "t").extract({"_raw": 1, "t": 2}) == [("t", 2)]


def test_a_plan_is_compiled_once_and_again_when_its_type_changes() -> None:
    plans = Plans()
    old = DeviceType(device_type="t", name="T", metrics=(MetricDef(name="a"),))
    new = DeviceType(device_type="t", name="T", metrics=(MetricDef(name="b"),))
    assert plans.of(old) is plans.of(old)
    assert plans.of(old).extract({"a": 1, "b": 2}) == [("a", 1)]
    assert plans.of(new).extract({"a": 1, "b": 2}) == [("b", 2)]
    assert plans.of(None).extract({"a": 1, "b": 2}) == [("a", 1), ("b", 2)]
