"""Lanes do not wait for each other, and within one the order is kept."""

from __future__ import annotations

import asyncio
from typing import Any

from neomind_sdk import Delivery, ExtensionStateChanged

from .conftest import FAILED, OK, Receiver, World


async def hang(order: Any, tools: Any) -> Delivery:
    await asyncio.Event().wait()
    return OK


async def test_order_is_kept_over_failures(world: World, receiver: Receiver) -> None:
    receiver.answers("a", FAILED, OK, FAILED, OK)
    await world.put(1, 2, 3)
    await world.put(4)
    await world.pass_time(5, 0.5)
    assert receiver.numbers() == [1, 1, 2, 2, 3, 4]


async def test_a_lane_that_hangs_delays_no_other(world: World, receiver: Receiver) -> None:
    receiver.answers("hangs", hang)
    receiver.answers("fails", FAILED)
    await world.outbox.hold("held", "for a while")
    for lane in ("hangs", "fails", "held", "good"):
        await world.put(1, 2, 3, lane=lane)
    await world.settle()
    assert receiver.numbers("good") == [1, 2, 3]
    assert receiver.numbers("hangs") == receiver.numbers("fails") == [1]
    assert receiver.numbers("held") == []
    await world.put(4, lane="good")
    await world.settle()
    assert receiver.numbers("good") == [1, 2, 3, 4]


async def test_only_so_many_attempts_at_a_time(start: Any, receiver: Receiver) -> None:
    now = most = 0
    gate = asyncio.Event()

    async def counted(order: Any, tools: Any) -> Delivery:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await gate.wait()
        now -= 1
        return OK

    async with start(concurrency=4) as world:
        for number in range(20):
            receiver.answers(f"l{number}", counted)
            await world.put(1, 2, lane=f"l{number}")
        await world.settle()
        assert (now, most) == (4, 4)
        gate.set()
        await world.settle()
        await world.settle()
        assert len(receiver.made) == 40
        assert most == 4


async def test_places_go_round(start: Any, receiver: Receiver) -> None:
    """Two places, and three lanes with much to do: nobody waits until another has nothing left."""
    async with start(concurrency=2) as world:
        for lane in "abc":
            await world.put(*range(20), lane=lane, wake=False)
        world.outbox.wake()
        await world.pass_time(0.1, 0.1)
        first = [name for name, _, _ in receiver.made[:30]]
        assert min(first.count(lane) for lane in "abc") >= 5
        assert len(receiver.made) == 60


async def test_targets_that_hang_leave_room(start: Any, receiver: Receiver) -> None:
    """More targets hang than there are places; those that answer are served all the same."""
    async with start(concurrency=4, attempt_timeout_s=0.05, backoff_s=0.01, backoff_max_s=0.01) as world:
        for number in range(12):
            receiver.answers(f"h{number}", hang)
            await world.put(1, lane=f"h{number}")
        async with asyncio.timeout(20):
            while len(receiver.made) < 30:
                await asyncio.sleep(0.01)
                await world.pass_time(0.02)
        await world.put(*range(5), lane="good")
        began = asyncio.get_running_loop().time()
        await world.until(lambda: len(receiver.numbers("good")) == 5)
        assert asyncio.get_running_loop().time() - began < 1.0


async def test_a_kind_that_nobody_serves_waits(world: World, receiver: Receiver) -> None:
    (delivery_id,) = await world.put(1, kind="other")
    await world.pass_time(3600, 60)
    assert await world.state(delivery_id) == ("pending", 0, "")
    world.outbox.serve("other", receiver)
    await world.settle()
    assert (await world.state(delivery_id))[0] == "delivered"


async def test_a_target_that_cannot_be_served_waits_and_nothing_is_counted(world: World, receiver: Receiver) -> None:
    receiver.answers("a", LookupError("There is no channel type 'telegram'"))
    first, _ = await world.put(1, 2)
    await world.pass_time(2 * 3600, 120)
    assert await world.state(first) == ("pending", 0, "There is no channel type 'telegram'")
    assert set(receiver.numbers()) == {1}
    tries = len(receiver.made)
    await world.settle()
    assert len(receiver.made) == tries
    receiver.answers("a", OK)
    world.host.bus.publish(ExtensionStateChanged(extension_id="channel_telegram", state="started"))
    await world.settle()
    assert await world.state(first) == ("delivered", 1, "HTTP 200")
    assert receiver.numbers()[-2:] == [1, 2]
    assert receiver.made[-2][2].attempt == 1


async def test_release_tries_at_once_what_waits(world: World, receiver: Receiver) -> None:
    receiver.answers("a", Delivery(ok=False, retry_after=3000), OK)
    await world.put(1)
    await world.settle()
    await world.outbox.release("a")
    await world.settle()
    assert receiver.numbers() == [1, 1]


async def test_hold_takes_effect_after_the_attempt_that_is_being_made(world: World, receiver: Receiver) -> None:
    gate = asyncio.Event()

    async def slow(order: Any, tools: Any) -> Delivery:
        await gate.wait()
        return OK

    receiver.answers("a", slow)
    await world.put(1, 2)
    await world.settle()
    await world.outbox.hold("a", "maintenance")
    gate.set()
    await world.pass_time(60, 5)
    assert receiver.numbers() == [1]
    assert await world.outbox.held() == {"a": "maintenance"}
    await world.outbox.release("a")
    await world.settle()
    assert receiver.numbers() == [1, 2]


async def test_a_lane_that_is_dropped(world: World, receiver: Receiver) -> None:
    gate = asyncio.Event()

    async def slow(order: Any, tools: Any) -> Delivery:
        await gate.wait()
        return OK

    (done,) = await world.put(0)
    await world.settle()
    receiver.answers("a", slow)
    ids = await world.put(1, 2, 3)
    await world.settle()
    assert await world.outbox.drop_lane("a") == 3
    gate.set()
    await world.pass_time(60, 5)
    assert receiver.numbers() == [0, 1]
    assert list(await world.outbox.get([done, *ids])) == [done]
    await world.put(4)
    await world.settle()
    assert receiver.numbers() == [0, 1, 4]


async def test_resend(world: World, receiver: Receiver) -> None:
    receiver.answers("a", Delivery(ok=False, retry=False), Delivery(ok=False, retry=False), OK)
    (first,) = await world.put(1)
    await world.put(2)
    await world.until(lambda: len(receiver.ended) == 2)
    record = await world.outbox.resend(first)
    assert (record.delivery_id, record.state, record.attempts) == (first, "pending", 0)
    await world.settle()
    assert (await world.state(first))[0] == "delivered"
    assert receiver.ids()[0] == receiver.ids()[2] == first
    await world.until(lambda: len(receiver.ended) == 3)
    assert [record.state for record in receiver.ended] == ["dead", "dead", "delivered"]


async def test_a_storm_is_slowed_and_nothing_is_dropped(start: Any, receiver: Receiver) -> None:
    async with start(lane_rate=10, lane_burst=5) as world:
        await world.put(*range(25))
        await world.put(*range(5), lane="b")
        await world.settle()
        assert (len(receiver.numbers("a")), len(receiver.numbers("b"))) == (5, 5)
        await world.pass_time(1, 0.05)
        assert 14 <= len(receiver.numbers("a")) <= 16
        await world.pass_time(2, 0.05)
        assert receiver.numbers("a") == list(range(25))


async def test_many_lanes_at_once(start: Any, receiver: Receiver) -> None:
    async with start(sqlite=True) as world:
        for lane in range(50):
            await world.put(*range(4), lane=f"l{lane}")
        await world.until(lambda: len(receiver.made) == 200)
        assert all(receiver.numbers(f"l{lane}") == [0, 1, 2, 3] for lane in range(50))


async def test_of_lane(world: World, receiver: Receiver) -> None:
    ids = await world.put(1, 2, 3)
    await world.put(4, lane="b")
    await world.settle()
    receiver.answers("a", FAILED)
    (last,) = await world.put(5)
    await world.settle()
    records, total = await world.outbox.of_lane("a", limit=2)
    assert ([record.delivery_id for record in records], total) == ([last, ids[2]], 4)
    records, total = await world.outbox.of_lane("a", state="delivered", limit=2, offset=2)
    assert ([record.delivery_id for record in records], total) == ([ids[0]], 3)
    assert ids == sorted(ids)
    assert len(ids[0]) == 30
