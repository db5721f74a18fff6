"""Topics and filters, against the specification: MQTT 3.1.1, section 4.7."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.transport_mqtt.topics import covers, filter_problem, matches, topic_problem, without_covered

LEVELS = st.sampled_from(["", "a", "b", "$x", "ü", " ", "日"])
TOPICS = st.lists(LEVELS, min_size=1, max_size=5).map("/".join).filter(bool)
FILTERS = st.builds(
    lambda levels, tail: "/".join([*levels, *tail]),
    st.lists(st.one_of(LEVELS, st.just("+")), max_size=4),
    st.sampled_from([[], ["#"]]),
).filter(bool)


def expression(pattern: str) -> re.Pattern[str]:
    """Another way to the same end: the filter as a regular expression."""
    parts = [r"[^/]*" if level == "+" else re.escape(level) for level in pattern.split("/")]
    if pattern == "#":
        return re.compile(r"[^$].*|", re.DOTALL)
    text = "/".join(parts[:-1]) + "(/.*)?" if pattern.endswith("/#") else "/".join(parts)
    guard = r"(?!\$)" if pattern[0] in "+#" else ""
    return re.compile(guard + text, re.DOTALL)


@given(FILTERS, TOPICS)
def test_matching_is_that_of_the_specification(pattern, topic):
    assert matches(pattern, topic) is (expression(pattern).fullmatch(topic) is not None)


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        # the examples of the specification
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("sport/#", "sport", True),
        ("sport/tennis/+", "sport/tennis/player1", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
        ("#", "$SYS/monitor/Clients", False),
        ("+/monitor/Clients", "$SYS/monitor/Clients", False),
        ("$SYS/#", "$SYS/monitor/Clients", True),
        ("$SYS/monitor/+", "$SYS/monitor/Clients", True),
        ("ACCOUNTS", "Accounts", False),
        ("a//b", "a//b", True),
        ("a/+/b", "a//b", True),
        ("a/$x/#", "a/$x/y", True),
    ],
)
def test_examples(pattern, topic, expected):
    assert matches(pattern, topic) is expected
    assert filter_problem(pattern) is None


@pytest.mark.parametrize(
    "pattern", ["sport/tennis#", "sport/tennis/#/ranking", "sport+", "", "a\0b", "#/a", "a/+b", "\ud800"]
)
def test_filters_that_cannot_be(pattern):
    assert filter_problem(pattern)


@pytest.mark.parametrize("topic", ["a/+", "#", "", "a\0", "x" * 65_536])
def test_topics_that_nothing_can_be_published_to(topic):
    assert topic_problem(topic)
    assert topic_problem("x" * 65_535) is None


@given(FILTERS, FILTERS, TOPICS)
def test_what_is_covered_is_matched(wide, narrow, topic):
    if covers(wide, narrow) and matches(narrow, topic):
        assert matches(wide, topic)


@given(FILTERS, TOPICS)
def test_a_filter_covers_the_topics_that_it_matches(pattern, topic):
    assert covers(pattern, topic) is matches(pattern, topic)


@given(st.lists(FILTERS, max_size=6), TOPICS)
def test_leaving_out_what_is_covered_loses_no_topic(patterns, topic):
    kept = without_covered(patterns)
    assert any(matches(one, topic) for one in kept) is any(matches(one, topic) for one in patterns)
    assert not any(a != b and covers(a, b) and not covers(b, a) for a in kept for b in kept)


@given(TOPICS)
def test_topics_are_filters_too(topic):
    assert (topic_problem(topic), filter_problem(topic)) == (None, None)
