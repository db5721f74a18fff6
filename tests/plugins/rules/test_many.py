"""Ten thousand rules."""

from __future__ import annotations

from time import perf_counter

from neomind_plugins.rules import conditions
from neomind_plugins.rules.kept import Rule, RuleState
from neomind_plugins.rules.live import Live, made
from neomind_plugins.rules.models import RuleSettings
from neomind_sdk import MetricsStored, Notice, Point

from .conftest import House, leaf

BATCHES = 40


def rule(number: int) -> Rule:
    source = f"device:boiler:m{number}"
    condition = conditions.read(leaf(source, ">", 1e9))
    return Rule(id=f"r{number}", name=f"r{number}", condition=condition, cooldown_ms=0)


def put_to_work(house: House, numbers: range) -> None:
    parts = house.rules.parts
    for number in numbers:
        live: Live = made(rule(number), RuleState(), RuleSettings(), parts.clock)
        house.rules._rules[live.id] = live
        parts.index.add(live)


async def cost(house: House) -> float:
    """Seconds for a batch of 5,000 values of which 10 concern a rule; the best of several."""
    engine, best = house.rules.parts.engine, 1e9
    for turn in range(BATCHES):
        now_ms = house.clock.now_ms() + turn
        points = [Point(f"device:other:x{n}", now_ms, float(n)) for n in range(4990)]
        points += [Point(f"device:boiler:m{n}", now_ms, 5.0) for n in range(10)]
        notices = [Notice(turn, now_ms, MetricsStored(points=points, source="api"))]
        begun = perf_counter()
        await engine.handle(notices)
        best = min(best, perf_counter() - begun)
    return best


async def test_the_cost_of_a_batch_does_not_grow_with_the_number_of_rules(house: House) -> None:
    put_to_work(house, range(10))
    few = await cost(house)
    put_to_work(house, range(10, 10_000))
    many = await cost(house)
    assert len(house.rules.parts.index.rules_of) == 10_000
    # Walking the rules would cost hundreds of times as much; memory that is further away costs a little.
    assert many < 5 * few + 0.002, (few, many)
    assert house.blinks == 0
