"""Repetitions: of the same rule and device within the window, never of another rule, never by title."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neomind_plugins.messages.filters import gets, passes
from neomind_plugins.messages.records import Channel, Filter, Message
from neomind_plugins.messages.repeats import repeat_key
from neomind_plugins.messages.severities import RANKS, severity_of
from neomind_sdk import SEVERITIES, MessageCreated, NewMessage

from .conftest import Post, post_with

WORDS = st.sampled_from(["", "a", "b", "r-1", "d-1"])
MESSAGES = st.builds(
    NewMessage,
    title=st.sampled_from(["Hot", "Cold"]),
    message=st.sampled_from(["x", "y"]),
    severity=st.sampled_from(SEVERITIES),
    source=WORDS,
    source_type=st.sampled_from(["rule", "device", "system", "agent"]),
    variant=st.sampled_from(["", "v"]),
    metadata=st.none() | st.fixed_dictionaries({}, optional={"rule_id": WORDS, "device_id": WORDS}) | st.just([1]),
)


def key(new: NewMessage) -> str | None:
    return repeat_key(new, new.severity)


def rule_of(new: NewMessage) -> str | None:
    metadata = new.metadata if isinstance(new.metadata, dict) else {}
    return metadata.get("rule_id") or (new.source if new.source_type == "rule" and new.source else None)


@given(one=MESSAGES, two=MESSAGES)
def test_no_rule_hides_the_alert_of_another(one: NewMessage, two: NewMessage) -> None:
    if key(one) is not None and key(one) == key(two):
        assert rule_of(one) == rule_of(two)
        assert (one.severity, one.variant) == (two.severity, two.variant)


@given(one=MESSAGES, title=st.text())
def test_the_title_never_matters(one: NewMessage, title: str) -> None:
    import attrs

    assert key(attrs.evolve(one, title=title)) == key(one)


@given(one=MESSAGES)
def test_what_names_neither_rule_nor_device_repeats_nothing(one: NewMessage) -> None:
    metadata = one.metadata if isinstance(one.metadata, dict) else {}
    named = bool(metadata.get("rule_id") or metadata.get("device_id"))
    named = named or (one.source_type in ("rule", "device") and bool(one.source))
    assert (key(one) is not None) == named


async def test_a_repetition_is_kept_and_told_but_not_sent(post: Post) -> None:
    await post.channel()
    first = await post.alert()
    await post.clock.advance(59)
    second = await post.alert(title="Another title", message="82 °C")
    assert len(post.outbox.orders) == 1
    assert len(post.host.events.of(MessageCreated)) == 2
    shown = {message["id"]: message for message in (await post.list())["messages"]}
    assert (shown[first]["repeats"], shown[first]["repeat_of"]) == (1, None)
    assert (shown[second]["repeats"], shown[second]["repeat_of"]) == (0, first)
    assert shown[second]["delivery_counts"] == {"pending": 0, "delivered": 0, "dead": 0}


async def test_repetitions_do_not_extend_the_window(post: Post) -> None:
    await post.channel()
    for _ in range(4):
        await post.alert()
        await post.clock.advance(25)
    assert len(post.outbox.orders) == 2


@pytest.mark.parametrize(
    "other",
    [{"rule": "r-2"}, {"device": "d-2"}, {"device": None}, {"severity": "critical"}, {"variant": "paused"}],
)
async def test_what_is_something_else_is_sent(post: Post, other: Any) -> None:
    await post.channel()
    await post.alert()
    await post.alert(**other)
    assert len(post.outbox.orders) == 2


async def test_over_the_api(post: Post) -> None:
    await post.channel()
    about = {"source_type": "rule", "metadata": {"rule_id": "r", "device_id": "d"}}
    first = await post.send("A", **about)
    again = await post.send("B", **about)
    assert (first["repeat_of"], again["repeat_of"]) == (None, first["id"])
    for _ in range(2):
        await post.send("Same", "same")
        await post.send("Door", metadata={"device_id": "d"}, message="open")
        await post.send("Door", metadata={"device_id": "d"}, message="battery low")
    assert len(post.outbox.orders) == 1 + 2 + 2


async def test_a_clock_that_is_set_back_hides_nothing(post: Post) -> None:
    await post.channel()
    await post.alert()
    post.clock.jump_ms(-3_600_000)
    await post.alert()
    assert len(post.outbox.orders) == 2


async def test_without_a_window_nothing_repeats() -> None:
    async with post_with(settings={"messages": {"repeat_window_s": 0}}) as post:
        await post.channel()
        await post.alert()
        await post.alert()
        assert len(post.outbox.orders) == 2


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(alerts=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.integers(0, 70)), max_size=12))
async def test_each_rule_is_heard_as_if_it_were_alone(alerts: list[tuple[str, str, int]]) -> None:
    async with post_with() as post:
        await post.channel()
        sent: dict[tuple[str, str], int] = {}
        expected = 0
        now = 0
        for rule, device, pause in alerts:
            await post.alert(rule, device, title="Rule Triggered")
            last = sent.get((rule, device))
            if last is None or now - last >= 60:
                sent[rule, device] = now
                expected += 1
            await post.clock.advance(pause)
            now += pause
        assert len(post.outbox.orders) == expected


# ---- filters ----

FILTERS = st.builds(
    Filter,
    source_types=st.lists(st.sampled_from(["rule", "device", "system"]), max_size=2).map(tuple),
    categories=st.lists(st.sampled_from(["alert", "system"]), max_size=2).map(tuple),
    min_severity=st.none() | st.sampled_from(SEVERITIES),
)
KEPT = st.builds(
    Message,
    id=st.just("m"),
    title=st.just("t"),
    message=st.just("m"),
    severity=st.sampled_from(SEVERITIES),
    category=st.sampled_from(["alert", "system", "own"]),
    source=st.just(""),
    source_type=st.sampled_from(["rule", "device", "own"]),
    created_ms=st.just(0),
    metadata=st.none(),
)


@given(chosen=FILTERS, message=KEPT)
def test_all_three_parts_of_a_filter_must_let_it_pass(chosen: Filter, message: Message) -> None:
    refused = [
        bool(chosen.source_types) and message.source_type not in chosen.source_types,
        bool(chosen.categories) and message.category not in chosen.categories,
        RANKS[message.severity] < RANKS.get(chosen.min_severity or "info", 0),
    ]
    assert passes(chosen, message) == (not any(refused))
    assert passes(Filter(), message)


@given(chosen=FILTERS, message=KEPT, named=st.none() | st.lists(st.sampled_from("ab")))
def test_a_disabled_channel_gets_nothing(chosen: Filter, message: Message, named: Any) -> None:
    channel = Channel(name="a", channel_type="pager", chosen=chosen, enabled=False)
    assert not gets(channel, message, named)


@given(st.text())
def test_a_word_is_a_severity_or_none(word: str) -> None:
    assert severity_of(word) in (*SEVERITIES, None)
