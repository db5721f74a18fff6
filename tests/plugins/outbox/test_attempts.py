"""What follows from what a receiver says."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from neomind_sdk import ApiError, CustomPublished, Delivery, EgressFailed, HttpAnswer

from .conftest import FAILED, KIND, OK, Receiver, World


async def test_it_is_delivered_once_and_its_end_is_told(world: World, receiver: Receiver) -> None:
    (delivery_id,) = await world.put(1, subject="One")
    await world.settle()
    assert receiver.numbers() == [1]
    assert await world.state(delivery_id) == ("delivered", 1, "HTTP 200")
    assert [(record.delivery_id, record.state) for record in receiver.ended] == [(delivery_id, "delivered")]
    await world.pass_time(3600, 60)
    assert (len(receiver.made), len(receiver.ended)) == (1, 1)


async def test_what_servers_get(world: World, receiver: Receiver) -> None:
    (delivery_id,) = await world.put(1)
    await world.settle()
    tools = receiver.made[0][2]
    assert (tools.delivery_id, tools.attempt) == (delivery_id, 1)
    assert tools.headers == {"webhook-id": delivery_id, "webhook-timestamp": str(world.clock.now_ms() // 1000)}
    assert tools.egress is world.host.host.egress
    assert tools.clock is world.clock


async def test_nothing_is_sent_that_was_not_committed(world: World, receiver: Receiver) -> None:
    def broken() -> None:
        world.outbox.put([order])
        raise ValueError

    from neomind_sdk import Database, Order

    order = Order(lane="a", kind=KIND, payload={"n": 1})
    with pytest.raises(ValueError):
        await world.host.services[Database].write(broken)
    world.outbox.wake()
    await world.pass_time(60, 5)
    assert receiver.made == []


async def test_without_waking_it_is_found_by_looking(world: World, receiver: Receiver) -> None:
    await world.put(1, wake=False)
    await world.settle()
    assert receiver.made == []
    await world.pass_time(5)
    assert receiver.numbers() == [1]


async def test_500_500_200(world: World, receiver: Receiver) -> None:
    receiver.answers("a", FAILED, FAILED, OK)
    (delivery_id,) = await world.put(1)
    await world.settle()
    assert await world.state(delivery_id) == ("pending", 1, "HTTP 500")
    await world.pass_time(0.7)
    assert len(receiver.made) == 1
    await world.pass_time(0.6)
    assert len(receiver.made) == 2
    await world.pass_time(0.9)
    assert len(receiver.made) == 2
    await world.pass_time(1.7)
    assert await world.state(delivery_id) == ("delivered", 3, "HTTP 200")
    assert [tools.attempt for _, _, tools in receiver.made] == [1, 2, 3]
    assert set(receiver.ids()) == {delivery_id}


async def test_the_pause_doubles_up_to_its_longest(start: Any, receiver: Receiver) -> None:
    receiver.answers("a", FAILED)
    async with start(backoff_s=1, backoff_max_s=8) as world:
        times: list[float] = []

        async def note(order: Any, tools: Any) -> Delivery:
            times.append(world.clock.monotonic())
            return FAILED

        receiver.answers("a", note)
        await world.put(1)
        await world.pass_time(60, 0.05)
        pauses = [later - earlier for earlier, later in pairwise(times)]
        for pause, usual in zip(pauses, [1, 2, 4, 8, 8, 8], strict=False):
            assert usual * 0.75 - 0.1 <= pause <= usual * 1.25 + 0.1
        assert len({round(pause, 2) for pause in pauses[3:]}) > 1  # they vary


async def test_retry_after_in_seconds(world: World, receiver: Receiver) -> None:
    receiver.answers("a", Delivery.of(HttpAnswer(status=429, headers={"retry-after": "20"}, body=b"")), OK)
    (delivery_id,) = await world.put(1)
    await world.settle()
    await world.pass_time(19.5)
    assert len(receiver.made) == 1
    await world.pass_time(2)
    assert await world.state(delivery_id) == ("delivered", 2, "HTTP 200")


async def test_retry_after_as_a_date(world: World, receiver: Receiver) -> None:
    headers = {"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    receiver.answers("a", Delivery.of(HttpAnswer(status=503, headers=headers, body=b"")), OK)
    await world.put(1)
    await world.pass_time(29)
    assert len(receiver.made) == 1
    await world.pass_time(3)
    assert len(receiver.made) == 2


@pytest.mark.parametrize(
    ("headers", "now_ms", "seconds"),
    [
        ({"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT"}, 1_445_412_480_000, 30.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT"}, None, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": "Wed, 21 Oct 2015 08:00:00 GMT"}, None, 0.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": "nonsense"}, 1_445_412_480_000, 30.0),
        ({"retry-after": "Wed, 99 Oct 2015 07:28:30 GMT"}, 1_445_412_480_000, None),
        ({"retry-after": "Wednesday, 21-Oct-15 07:28:30 GMT"}, 1_445_412_480_000, 30.0),
        ({"retry-after": "Wed Oct 21 07:28:30 2015"}, 1_445_412_480_000, 30.0),
    ],
)
def test_dates(headers: Any, now_ms: Any, seconds: Any) -> None:
    assert Delivery.of(HttpAnswer(status=503, headers=headers, body=b""), now_ms).retry_after == seconds


async def test_a_receiver_cannot_make_us_wait_for_ever(start: Any, receiver: Receiver) -> None:
    receiver.answers("a", Delivery(ok=False, retry_after=10**9), OK)
    async with start(retry_after_max_s=60) as world:
        await world.put(1)
        await world.pass_time(62)
        assert len(receiver.made) == 2


@pytest.mark.parametrize("retry_after", [float("nan"), float("inf"), -1.0, "7", True])
async def test_a_senseless_retry_after_is_passed_over(world: World, receiver: Receiver, retry_after: Any) -> None:
    receiver.answers("a", Delivery(ok=False, retry_after=retry_after), OK)
    await world.put(1)
    await world.pass_time(1.3)
    assert len(receiver.made) == 2


async def test_410_holds_the_lane_and_says_so(world: World, receiver: Receiver) -> None:
    receiver.answers("a", Delivery.of(HttpAnswer(status=410, headers={}, body=b"")), OK)
    first, second = await world.put(1, 2)
    await world.pass_time(600, 60)
    assert receiver.numbers() == [1]
    assert await world.outbox.held() == {"a": "The target is gone: HTTP 410"}
    told = [event.data for event in world.host.events.of(CustomPublished) if event.custom_type == "outbox_lane_held"]
    assert told == [{"lane": "a", "reason": "The target is gone: HTTP 410"}]
    assert (await world.state(first))[0] == (await world.state(second))[0] == "pending"
    await world.outbox.release("a")
    await world.settle()
    assert receiver.numbers() == [1, 1, 2]
    assert await world.outbox.held() == {}


async def test_what_cannot_help_is_not_tried_again(world: World, receiver: Receiver) -> None:
    receiver.answers("a", Delivery(ok=False, detail="HTTP 400", retry=False), OK)
    first, second = await world.put(1, 2)
    await world.settle()
    assert await world.state(first) == ("dead", 1, "HTTP 400; another attempt would not help")
    assert (await world.state(second))[0] == "delivered"
    await world.until(lambda: len(receiver.ended) == 2)
    assert [record.state for record in receiver.ended] == ["dead", "delivered"]


async def test_after_so_many_attempts_it_is_dead(start: Any, receiver: Receiver) -> None:
    receiver.answers("a", FAILED)
    async with start(max_attempts=3) as world:
        (delivery_id,) = await world.put(1)
        await world.pass_time(10, 0.5)
        assert await world.state(delivery_id) == ("dead", 3, "HTTP 500; given up after 3 attempts")
        assert len(receiver.made) == 3
        assert [record.attempts for record in receiver.ended] == [3]


async def test_when_it_is_too_old_it_is_dead(start: Any, receiver: Receiver) -> None:
    receiver.answers("a", FAILED)
    async with start(max_age_s=10) as world:
        (delivery_id,) = await world.put(1)
        await world.pass_time(11, 0.5)
        state, attempts, detail = await world.state(delivery_id)
        assert (state, detail) == ("dead", "HTTP 500; too old for another attempt")
        assert attempts in (3, 4)


async def test_the_order_says_when_it_expires(world: World, receiver: Receiver) -> None:
    receiver.answers("a", FAILED)
    soon_ms = world.clock.now_ms() + 2000
    (first,) = await world.put(1, expires_ms=soon_ms)
    (second,) = await world.put(2, expires_ms=soon_ms)
    (third,) = await world.put(3)
    await world.pass_time(4, 0.1)
    assert await world.state(first) == ("dead", 2, "HTTP 500; too old for another attempt")
    assert (await world.state(second))[0] == "dead"
    assert 3 in receiver.numbers()
    assert (await world.state(third))[0] == "pending"


async def test_what_expired_while_it_waited_was_never_tried(world: World, receiver: Receiver) -> None:
    await world.outbox.hold("a", "a pause")
    expired = await world.put(*range(250), expires_ms=world.clock.now_ms() + 1000)
    (good,) = await world.put(999)
    await world.pass_time(5)
    await world.outbox.release("a")
    await world.settle()
    assert receiver.numbers() == [999]
    assert await world.state(expired[-1]) == ("dead", 0, "It expired before it could be delivered")
    assert (await world.state(good))[0] == "delivered"
    await world.until(lambda: len(receiver.ended) == 251)


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (EgressFailed("the target did not answer"), "the target did not answer"),
        (ApiError("EGRESS_BLOCKED", "x may not be reached"), "x may not be reached"),
        (ValueError("the token s3cr3t is wrong"), "The attempt failed with ValueError"),
        (KeyError("oops"), "The attempt failed with KeyError"),
        (SystemExit(1), "The attempt failed with SystemExit"),
        (asyncio.CancelledError(), "The attempt failed with CancelledError"),
        (None, "It was not said what came of the attempt"),
    ],
)
async def test_what_raises_is_a_failed_attempt(world: World, receiver: Receiver, error: Any, detail: str) -> None:
    receiver.answers("a", error, OK)
    (delivery_id,) = await world.put(1)
    await world.settle()
    assert await world.state(delivery_id) == ("pending", 1, detail)
    await world.pass_time(1.3)
    assert (await world.state(delivery_id))[0] == "delivered"


async def test_details_are_made_fit_to_be_kept(world: World, receiver: Receiver) -> None:
    receiver.answers("a", Delivery(ok=False, detail="a\0b\n\ud800 https://me:pw@host/x" + "x" * 1000))
    (delivery_id,) = await world.put(1)
    await world.settle()
    detail = (await world.state(delivery_id))[2]
    assert detail.startswith("a b ? https://***@host/x")
    assert len(detail) == 500


async def test_an_attempt_has_its_time(start: Any, receiver: Receiver) -> None:
    cancelled = asyncio.Event()

    async def hang(order: Any, tools: Any) -> Delivery:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return OK

    receiver.answers("a", hang, OK)
    async with start(attempt_timeout_s=0.05) as world:
        (delivery_id,) = await world.put(1)
        await asyncio.wait_for(cancelled.wait(), 5)
        await world.settle()
        assert await world.state(delivery_id) == ("pending", 1, "No answer: it took over 0.05 s")
        await world.pass_time(1.3)
        assert (await world.state(delivery_id))[0] == "delivered"
