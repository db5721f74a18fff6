"""Properties of the parts that are pure: the hash of a call, the detector of circles, grants, quoting."""

from __future__ import annotations

import json
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.agents.digests import canonical, digest
from neomind_plugins.agents.grants import judge
from neomind_plugins.agents.kept import AUTO, NEVER, Agent, Grant, Resource, Schedule
from neomind_plugins.agents.quoting import Quoter
from neomind_plugins.agents.stuck import StuckDetector
from neomind_sdk import ACTUATE, AgentTool

JSON: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OBJECTS: Any = st.dictionaries(st.text(max_size=5), JSON, max_size=4)


def shuffled(value: Any) -> Any:
    """The same JSON, its members in another order."""
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(value)}
    return [shuffled(each) for each in value] if isinstance(value, list) else value


@given(arguments=OBJECTS)
def test_the_order_of_members_does_not_count(arguments: Any) -> None:
    assert digest("a", "t", arguments) == digest("a", "t", shuffled(arguments))
    assert json.loads(canonical(arguments)) == arguments


@given(one=OBJECTS, other=OBJECTS)
def test_other_arguments_have_another_hash(one: Any, other: Any) -> None:
    same = canonical(one) == canonical(other)
    assert (digest("a", "t", one) == digest("a", "t", other)) is same
    assert digest("a", "t", one) != digest("b", "t", one)
    assert digest("a", "t", one) != digest("a", "u", one)


def test_names_and_arguments_are_not_run_together() -> None:
    assert digest("a", "bc", {}) != digest("ab", "c", {})
    assert digest("a", "b", {"c": 1}) != digest("a", "b", {"c": "1"})
    assert digest("a", "b", {"c": 1}) != digest("a", "b", {"c": True})


CALLS: Any = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.booleans()), min_size=1, max_size=3)


@given(rounds=st.lists(CALLS, max_size=30))
def test_circles_are_found_and_nothing_else(rounds: Any) -> None:
    detector = StuckDetector()
    seen: list[Any] = []
    for each in rounds:
        reason = detector.round(each)
        seen += each
        window = seen[-20:]
        repeated = any(window.count(call) >= 4 for call in window)
        failing = any(sum(name == call[0] and not ok for name, _, ok in window) >= 3 for call in window)
        if repeated or failing:
            assert reason is not None
        if reason is not None:
            break


@given(names=st.lists(st.integers(), min_size=1, max_size=60, unique=True))
def test_progress_is_no_circle(names: Any) -> None:
    detector = StuckDetector()
    assert [detector.round([(str(name), "ok", True)]) for name in names] == [None] * len(names)


def test_taking_turns() -> None:
    detector = StuckDetector()
    a, b = [("a", "1", True)], [("b", "1", True)]
    assert [detector.round(each) for each in (a, b, a)] == [None] * 3
    assert detector.round(b) is not None
    detector = StuckDetector()
    assert [detector.round([(name, str(number), True)]) for number, name in enumerate("abababab")] == [None] * 8


async def nothing(arguments: Any, context: Any) -> None:
    return None


TARGETS: Any = st.sampled_from(["device:a", "device:b", "channel:c"])
GRANTS: Any = st.builds(
    Grant,
    tool=st.sampled_from(["act", "*", "other"]),
    targets=st.lists(TARGETS | st.just("*"), max_size=2).map(tuple),
    tier=st.sampled_from(["auto", "confirm", "never"]),
)


@given(
    touched=st.lists(TARGETS, max_size=3, unique=True),
    grants=st.lists(GRANTS, max_size=4).map(tuple),
    bound=st.lists(st.sampled_from("ab"), max_size=2, unique=True),
)
def test_every_target_must_be_granted_and_never_wins(touched: Any, grants: Any, bound: Any) -> None:
    tool = AgentTool(
        name="act",
        description="d",
        parameters={},
        run=nothing,
        effect=ACTUATE,
        targets=lambda arguments: tuple(touched),
    )
    agent = Agent(
        id="a",
        name="a",
        user_prompt="",
        schedule=Schedule(schedule_type="manual"),
        created_ms=0,
        updated_ms=0,
        grants=grants,
        resources=tuple(Resource(resource_id=ident, resource_type="device") for ident in bound),
    )

    def tiers(target: str | None) -> list[str]:
        mine = [each for each in grants if each.tool in ("act", "*")]
        return [each.tier for each in mine if not each.targets or "*" in each.targets or target in each.targets]

    verdict = judge(agent, tool, {})
    for target in touched or [None]:
        if NEVER in tiers(target) or (not tiers(target) and str(target).removeprefix("device:") not in bound):
            assert verdict.tier == NEVER
    if verdict.tier == AUTO:
        assert all(set(tiers(target)) <= {AUTO} for target in touched or [None])
    nobody = attrs.evolve(agent, grants=(), resources=())
    assert judge(nobody, tool, {}).tier == NEVER


@given(values=st.lists(JSON, max_size=3), origin=st.text(max_size=20))
def test_a_block_has_a_line_for_each_entry(values: Any, origin: str) -> None:
    quoter = Quoter()
    lines = quoter.block(*((origin, value) for value in values)).split("\n")
    assert (lines[0], lines[-1]) == (f"<data-{quoter.mark}>", f"</data-{quoter.mark}>")
    assert len(lines) == len(values) + 2
    assert not any("<" in line or ">" in line for line in lines[1:-1])
    for line in lines[1:-1]:
        json.loads(line)
