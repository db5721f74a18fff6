"""Whatever comes of attempts: every order ends once, and in a lane they end in the order in which they were put."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from neomind_plugins.outbox import plugin as outbox
from neomind_plugins.outbox.deciding import longest_ms, pause_s
from neomind_plugins.outbox.ids import Ids
from neomind_plugins.outbox.models import OutboxSettings
from neomind_plugins.outbox.slots import Slots
from neomind_sdk import Delivery
from neomind_sdk.testing import VirtualClock, make_host

from .conftest import FAILED, KIND, OK, Receiver, World

LANES = "abc"
GONE = Delivery(ok=False, gone=True)
outcomes = st.sampled_from(
    [
        OK,
        OK,
        FAILED,
        Delivery(ok=False, retry=False),
        Delivery(ok=False, retry_after=3),
        GONE,
        LookupError("away"),
        ValueError(),
    ]
)
put = st.tuples(st.just("put"), st.sampled_from(LANES), st.integers(1, 3))
passing = st.tuples(st.just("pass"), st.sampled_from([0, 1, 70]), st.none())
holding = st.tuples(st.sampled_from(["hold", "release"]), st.sampled_from(LANES), st.none())
relaxed = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


class Chance(Receiver):
    """Answers from a list of outcomes; when they are used up, takes everything."""

    def __init__(self, plan: list[Any]) -> None:
        super().__init__()
        self.plan = plan
        self.at_work: set[str] = set()
        self.together: list[str] = []

    async def deliver(self, order: Any, tools: Any) -> Delivery:
        if order.lane in self.at_work:  # what is raised here is taken for a failed attempt
            self.together.append(order.lane)
        self.at_work.add(order.lane)
        try:
            self.made.append((order.lane, order.payload["n"], tools))
            outcome = self.plan.pop() if self.plan else OK
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
        finally:
            self.at_work.discard(order.lane)


@relaxed
@given(steps=st.lists(st.one_of(put, put, passing, holding), max_size=12), plan=st.lists(outcomes, max_size=20))
@example(steps=[("put", "a", 2), ("put", "b", 1)], plan=[OK, GONE, FAILED])
async def test_every_order_ends_once_and_in_order(steps: list[Any], plan: list[Any]) -> None:
    receiver = Chance(list(plan))
    async with make_host(outbox, settings={"outbox": {"max_attempts": 3}}) as host:
        world = World(host, receiver)
        world.outbox.serve(KIND, receiver)
        ids: dict[str, list[str]] = defaultdict(list)
        for what, one, more in steps:
            if what == "put":
                ids[one] += await world.put(*range(more), lane=one)
            elif what == "pass":
                await world.pass_time(one, 10)
            elif what == "hold":
                await world.outbox.hold(one, "held")
            else:
                await world.outbox.release(one)
        for _ in range(40):
            for lane in await world.outbox.held():
                await world.outbox.release(lane)
            await world.pass_time(70, 5)
            if len(receiver.ended) == sum(map(len, ids.values())) and not await world.outbox.held():
                break
        assert receiver.together == []
        ended = [record.delivery_id for record in receiver.ended]
        assert sorted(ended) == sorted(one for put_ids in ids.values() for one in put_ids)
        assert {record.state for record in receiver.ended} <= {"delivered", "dead"}
        for lane, put_ids in ids.items():
            records, _ = await world.outbox.of_lane(lane, limit=200)
            by_id = {record.delivery_id: record for record in records}
            finished = [by_id[one].finished_ms for one in put_ids]
            assert finished == sorted(finished)
            made = [tools.delivery_id for name, _, tools in receiver.made if name == lane]
            assert list(dict.fromkeys(made)) == put_ids
            assert made == sorted(made, key=put_ids.index)  # head of line: never back, never ahead


@given(
    attempt=st.integers(1, 10_000),
    retry_after=st.one_of(st.none(), st.floats(), st.integers()),
    backoff=st.floats(0.01, 3600),
    backoff_max=st.floats(0.01, 86_400),
)
def test_pauses_are_within_their_bounds(attempt: int, retry_after: Any, backoff: float, backoff_max: float) -> None:
    limits = OutboxSettings(backoff_s=backoff, backoff_max_s=backoff_max)
    pause = pause_s(attempt, retry_after, limits)
    assert 0 < pause * 1000 <= longest_ms(limits)
    if retry_after is not None and 0 <= retry_after <= limits.retry_after_max_s:
        assert pause >= retry_after


@given(jumps=st.lists(st.integers(-(10**9), 10**9), max_size=20))
def test_ids_grow_even_when_the_clock_does_not(jumps: list[int]) -> None:
    clock = VirtualClock()
    ids = Ids(clock)
    made = []
    for jump in jumps:
        made += [ids.new(), ids.new()]
        clock.jump_ms(jump)
    assert made == sorted(set(made))
    assert all(len(one) == 30 for one in made)


async def test_slots_give_the_troubled_half() -> None:
    slots = Slots(4)
    seed = random.Random(1)
    order: list[str] = []

    async def use(name: str, troubled: bool) -> None:
        async with slots.one(troubled=troubled):
            order.append(name)
            await gate.wait()

    import asyncio

    gate = asyncio.Event()
    bad = [asyncio.ensure_future(use(f"bad{n}", True)) for n in range(seed.randint(5, 9))]
    await asyncio.sleep(0)
    good = [asyncio.ensure_future(use(f"good{n}", False)) for n in range(3)]
    await asyncio.sleep(0.01)
    assert order == ["bad0", "bad1", "good0", "good1"]
    assert slots.crowded
    gate.set()
    await asyncio.gather(*bad, *good)
    assert not slots.crowded
