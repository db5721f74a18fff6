"""From a message to its channels."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from neomind_sdk import Delivery, MessageCreated, NewMessage, ValidationFailed

from .conftest import TOKEN, Post, code, data, post_with


async def test_twenty_messages_to_three_channels_are_sixty_orders(post: Post) -> None:
    for name in ("a", "b", "c"):
        await post.channel(name)
    ids = await asyncio.gather(*(post.alert(f"r-{number}") for number in range(20)))
    assert len(set(ids)) == 20
    pairs = {(order.lane, order.payload["message"]["id"]) for order in post.outbox.orders}
    assert pairs == {(f"channel:{name}", ident) for name in "abc" for ident in ids}
    assert len(post.outbox.orders) == 60
    await post.outbox.run()
    assert len(post.pager.sent) == 60
    listed = (await post.list())["messages"]
    assert all(message["delivery_counts"] == {"pending": 0, "delivered": 3, "dead": 0} for message in listed)
    assert len(listed) == len(post.host.events.of(MessageCreated)) == 20


async def test_the_same_title_of_twenty_rules_is_sent_twenty_times(post: Post) -> None:
    await post.channel()
    for number in range(20):
        await post.alert(f"r-{number}", title="Rule Triggered", severity="critical")
    assert len(post.outbox.orders) == 20


async def test_an_order_has_the_message_and_no_secret(post: Post) -> None:
    await post.channel(headers={"X": "hush-hush"})
    ident = await post.alert(cause="rule:r-1", hops=3, tags=("x",))
    [order] = post.outbox.orders
    assert (order.kind, order.lane, order.subject) == ("message", "channel:ops", "Hot")
    assert (order.cause, order.hops) == ("rule:r-1", 3)
    assert TOKEN not in str(order)
    assert "hush-hush" not in str(order)
    await post.api.delete(f"/api/messages/{ident}")
    await post.outbox.run()
    [(config, message, tools)] = post.pager.sent
    assert (config.token, message.id, message.tags, message.test) == (TOKEN, ident, ("x",), False)
    assert (message.metadata["rule_id"], message.ts_ms) == ("r-1", post.clock.now_ms())
    assert tools.delivery_id == "msg_0"


async def test_message_and_orders_are_one_transaction(post: Post) -> None:
    await post.channel()
    await post.host.settle()
    post.outbox.woken, post.outbox.broken = 0, True
    with pytest.raises(RuntimeError):
        await post.alert()
    assert (await post.list())["total"] == 0
    assert (post.outbox.woken, post.host.events.of(MessageCreated)) == (0, [])
    post.outbox.broken = False
    await post.alert()
    assert post.outbox.woken == 1


async def test_nobody_waits_for_a_channel(post: Post) -> None:
    await post.channel()
    post.pager.hangs = True
    await post.send()
    assert post.pager.sent == []


async def test_a_caller_that_leaves_takes_nothing_along(post: Post) -> None:
    await post.channel()
    task = asyncio.create_task(post.alert())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await post.host.settle()
    assert (await post.list())["total"] == len(post.outbox.orders) == len(post.host.events.of(MessageCreated)) == 1


async def test_what_became_of_each_delivery_is_shown(post: Post) -> None:
    await post.channel("a")
    await post.channel("b")
    ident = await post.alert()
    detail = await post.show(ident)
    pending = {"state": "pending", "attempts": 0, "detail": ""}
    assert detail["deliveries"] == [
        {"delivery_id": f"msg_{number}", "channel": name, **pending} for number, name in enumerate("ab")
    ]
    post.pager.answer = Delivery(ok=False, detail="HTTP 500")
    await post.outbox.run()
    [first, _] = (await post.show(ident))["deliveries"]
    assert (first["state"], first["attempts"], first["detail"]) == ("pending", 1, "HTTP 500")
    post.pager.answer = Delivery(ok=False, retry=False, detail=f"refused {TOKEN}")
    await post.outbox.run()
    detail = await post.show(ident)
    assert detail["delivery_counts"] == {"pending": 0, "delivered": 0, "dead": 2}
    assert [row["detail"] for row in detail["deliveries"]] == ["refused ***"] * 2
    post.outbox.records.clear()  # as its retention does
    assert (await post.show(ident))["deliveries"] == detail["deliveries"]


@pytest.mark.parametrize("answer", [KeyError("x"), IndexError(), LookupError("not this"), SystemExit(), "nonsense"])
async def test_whatever_a_type_does_is_a_failed_attempt(post: Post, answer: Any) -> None:
    await post.channel()
    ident = await post.alert()
    post.pager.answer = answer
    await post.outbox.run()
    [row] = (await post.show(ident))["deliveries"]
    assert (row["state"], row["attempts"], bool(row["detail"])) == ("pending", 1, True)


# ---- who gets what ----


async def test_named_channels_get_it_whatever_their_filters_say(post: Post) -> None:
    await post.channel("a", filter={"source_types": ["nothing"], "categories": []})
    await post.channel("b")
    await post.channel("c", enabled=False)
    await post.send(channels=["a", "c"])
    assert [order.lane for order in post.outbox.orders] == ["channel:a"]
    await post.send(channels=[])
    assert len(post.outbox.orders) == 1


async def test_a_disabled_channel_gets_nothing_new_and_keeps_what_waits(post: Post) -> None:
    await post.channel()
    ident = await post.alert("r-1")
    data(await post.api.put("/api/messages/channels/ops/enabled", json={"enabled": False}))
    assert post.outbox.holds == {"channel:ops": "the channel is disabled"}
    await post.alert("r-2")
    await post.outbox.run()
    assert (len(post.outbox.orders), post.pager.sent) == (1, [])
    assert (await post.show(ident))["deliveries"][0]["detail"] == "waits: the channel is disabled"
    data(await post.api.put("/api/messages/channels/ops/enabled", json={"enabled": True}))
    await post.outbox.run()
    assert len(post.pager.sent) == 1


async def test_a_deleted_channel_sends_nothing_any_more(post: Post) -> None:
    await post.channel()
    ident = await post.alert()
    order = post.outbox.orders[0]
    data(await post.api.delete("/api/messages/channels/ops"))
    await post.outbox.run()
    assert (post.outbox.orders, post.pager.sent) == ([], [])
    [row] = (await post.show(ident))["deliveries"]
    assert (row["state"], row["detail"]) == ("dead", "the channel was deleted")
    assert post.outbox.server is not None
    late = await post.outbox.server.deliver(order, post.outbox.tools)
    assert (late.ok, late.retry) == (False, False)


async def test_a_receiver_that_is_gone_disables_its_channel_and_says_so(post: Post) -> None:
    await post.channel("a")
    ident = await post.alert("r-1")
    await post.channel("b")
    post.pager.answer = Delivery(ok=False, gone=True, detail="HTTP 410")
    await post.outbox.run()
    post.pager.answer = Delivery(ok=True)
    channel = await post.get("/channels/a")
    assert (channel["enabled"], channel["available"], "410" in channel["reason"]) == (False, True, True)
    assert (await post.show(ident))["deliveries"][0]["state"] == "dead"
    newest = (await post.list())["messages"][0]
    assert (newest["title"], newest["severity"]) == ("Channel 'a' was disabled", "warning")
    [told] = [one for one in post.outbox.records.values() if one.state == "pending"]
    assert (told.order.lane, told.order.hops) == ("channel:b", 1)
    await post.api.put("/api/messages/channels/a/enabled", json={"enabled": True})
    channel = await post.get("/channels/a")
    assert (channel["enabled"], channel["reason"], post.outbox.holds) == (True, None, {})


async def test_a_lane_that_somebody_holds_says_why(post: Post) -> None:
    await post.channel()
    await post.outbox.hold("channel:ops", "for the night")
    assert (await post.get("/channels/ops"))["reason"] == "for the night"


# ---- raising ----


async def test_what_is_too_long_is_cut_rather_than_lost(post: Post) -> None:
    await post.channel()
    new = NewMessage(title="\0t" * 9999, message="é🔥\ud800" * 99_999, source="s" * 999, tags=("x" * 999,) * 99)
    ident = await post.board.raise_message(new)
    message = await post.show(ident)
    assert (len(message["title"]), len(message["message"]), len(message["tags"])) == (500, 20_000, 50)
    await post.outbox.run()
    assert len(post.pager.sent) == 1


@pytest.mark.parametrize(
    "changes", [{"severity": "bad"}, {"title": " "}, {"metadata": object()}, {"metadata": "x" * 99_999}]
)
async def test_what_cannot_be_kept_is_refused(post: Post, changes: Any) -> None:
    with pytest.raises(ValidationFailed):
        await post.board.raise_message(NewMessage(**{"title": "t", "message": "m", **changes}))


async def test_a_type_that_is_not_there_any_more(post: Post) -> None:
    """See ``test_restart`` for what is shown of it; here it only waits."""
    async with post_with(outbox=post.outbox) as other:
        await other.channel()
        await other.alert()
        other.pager.name = "renamed"
        answer = await other.api.post("/api/messages/channels/ops/test")
        assert code(answer) == (409, "CONFLICT")
        await other.outbox.run()
        [record] = other.outbox.records.values()
        assert (record.state, record.attempts) == ("pending", 0)
        other.pager.name = "pager"
        await other.outbox.run()
        assert len(other.pager.sent) == 1
