"""In which order plugins start: ``order.plan``."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from neomind_core.contracts import Plugin
from neomind_core.host.order import Plan, plan, providers

NAMES = [f"p{number}" for number in range(8)]


def plugin(name, requires=(), after=(), provides=()):
    return Plugin(name=name, summary=".", requires=tuple(requires), after=tuple(after), provides=tuple(provides))


def plan_of(*plugins, broken=None, known=()):
    return plan({one.name: one for one in plugins}, broken or {}, known)


def test_requirements_first():
    plugins = [plugin("a", requires=["z"]), plugin("z"), plugin("b")]
    order = plan_of(*plugins).order
    assert sorted(order) == ["a", "b", "z"]
    assert order.index("z") < order.index("a")
    assert plan_of(*reversed(plugins)).order == order, "who was found first does not matter"


def test_after_orders_what_is_there_and_forgives_what_is_not():
    assert plan_of(plugin("a", after=["b", "gone"]), plugin("b")) == Plan(("b", "a"), {}, {})


def test_missing_is_carried_along_the_chain():
    found = plan_of(plugin("a", requires=["b"]), plugin("b", requires=["c"]), plugin("d"))
    assert found.order == ("d",)
    assert found.missing == {
        "b": "requires 'c', which is not there",
        "a": "requires 'b', which is not running: requires 'c', which is not there",
    }


def test_the_reason_of_a_broken_one_is_carried():
    found = plan_of(plugin("a", requires=["b"]), broken={"b": "import_error: boom"})
    assert found.missing == {"a": "requires 'b', which is not running: import_error: boom"}


def test_what_is_provided_counts():
    found = plan_of(plugin("a", requires=["storage"]), plugin("sq", provides=["storage"]))
    assert found.order == ("sq", "a")


def test_the_reason_is_carried_through_what_is_provided():
    found = plan_of(plugin("a", requires=["storage"]), plugin("sq", requires=["x"], provides=["storage"]))
    assert found.missing["a"] == "requires 'storage', which is not running: requires 'x', which is not there"


def test_a_plugin_may_need_what_it_provides():
    assert plan_of(plugin("a", requires=["x", "a"], provides=["x"])).order == ("a",)


def test_running_ones_satisfy():
    assert plan_of(plugin("a", requires=["b"]), known=["b"]) == Plan(("a",), {}, {})


def test_a_loop_is_named_in_the_direction_of_requires():
    loop = [plugin("a", requires=["b"]), plugin("b", requires=["c"]), plugin("c", requires=["a"])]
    found = plan_of(*loop, plugin("d", requires=["a"]), plugin("e"))
    assert found.order == ("e",)
    assert set(found.cycles) == {"a", "b", "c"}
    text = found.cycles["a"]
    assert any(f"{x} → {y} → {z} → {x}" in text for x, y, z in ("abc", "bca", "cab"))
    assert found.missing == {"d": f"requires 'a', which is not running: {text}"}


def test_a_loop_through_after_and_provides():
    found = plan_of(plugin("a", requires=["store"]), plugin("b", after=["a"], provides=["store"]))
    assert set(found.cycles) == {"a", "b"}


def test_two_loops_are_both_found():
    pairs = [plugin(x, requires=[y]) for x, y in ("ab", "ba", "cd", "dc")]
    assert set(plan_of(*pairs).cycles) == set("abcd")


def test_providers_names_each_once():
    assert providers([plugin("a", provides=["a", "x"]), plugin("b", provides=["x"])]) == {
        "a": ["a"],
        "x": ["a", "b"],
        "b": ["b"],
    }


names = st.lists(st.sampled_from([*NAMES, "x", "y", "nowhere"]), max_size=3)


@st.composite
def graphs(draw):
    chosen = draw(st.lists(st.sampled_from(NAMES), unique=True))
    provided = st.lists(st.sampled_from(["x", "y"]), max_size=1)
    return {name: plugin(name, draw(names), draw(names), draw(provided)) for name in chosen}


@given(graphs(), st.sets(st.sampled_from([*NAMES, "x"]), max_size=2))
def test_everyone_ends_in_one_place_and_after_what_it_requires(plugins, known):
    known -= set(plugins)
    found = plan(plugins, {}, known)
    assert sorted([*found.order, *found.missing, *found.cycles]) == sorted(plugins)
    assert len(set(found.order)) == len(found.order)
    started = set(known)
    for name in found.order:
        one = plugins[name]
        own = {name, *one.provides}
        assert set(one.requires) <= started | own
        later = set(found.order[found.order.index(name) + 1 :])
        wanted = set(one.after) | set(one.requires)
        assert not any(({other} | set(plugins[other].provides)) & (wanted - {name}) for other in later)
        started |= own
    assert all(reason for reason in (*found.missing.values(), *found.cycles.values()))


@given(graphs())
def test_nobody_is_refused_without_cause(plugins):
    """What is missing lacks something that does not start; a loop is made of names that lead to each other."""
    found = plan(plugins, {}, ())
    starts = {name for one in found.order for name in (one, *plugins[one].provides)}
    for name in found.missing:
        assert set(plugins[name].requires) - starts - {name, *plugins[name].provides}
    assert plan(plugins, {}, ()) == found, "the same input gives the same plan"
