"""When rules fire, and what is then done."""

from __future__ import annotations

from typing import Any

import pytest

from neomind_sdk import MetricsStored, Notice, Point, RuleEvaluated, RuleTriggered, TelemetryStore

from .conftest import BLINK, Blink, House, data, house_with, leaf, logic


async def test_a_value_fires_a_rule(house: House) -> None:
    rule_id = await house.add()
    await house.store(79)
    assert house.blinks == 0
    await house.store(81)
    assert house.blinks == 1
    [firing] = house.blink.firings
    assert (firing.rule_id, firing.rule_name, firing.hops, firing.test) == (rule_id, "Hot", 0, False)
    assert firing.values == {"device:boiler:t": 81}
    assert firing.variables["value"] == 81
    assert firing.variables["device_id"] == "boiler"
    assert (firing.variables["threshold"], firing.variables["metric"]) == (80, "t")
    [execution] = await house.history(rule_id)
    assert execution["success"] is True
    assert execution["actions_executed"] == ["BLINK: hot"]
    rule = await house.show(rule_id)
    assert (rule["trigger_count"], rule["last_triggered"]) == (1, execution["triggered_at"])
    [triggered] = house.host.events.of(RuleTriggered)
    assert (triggered.trigger_value, triggered.actions) == (81, ("blink",))
    assert [event.condition_met for event in house.host.events.of(RuleEvaluated)] == [False, True]
    assert [event.success for event in house.executed] == [True]


async def test_it_is_level_triggered_once_per_cooldown(house: House) -> None:
    await house.add(cooldown=60_000)
    await house.store(81)
    await house.pass_s(30)
    await house.store(82)
    assert house.blinks == 1
    await house.pass_s(30)
    await house.store(82)
    assert house.blinks == 2


async def test_without_cooldown_every_value_fires(house: House) -> None:
    await house.add(cooldown=0)
    for value in (81, 82, 83):
        await house.store(value)
    assert [firing.variables["value"] for firing in house.blink.firings] == [81, 82, 83]


async def test_no_value_of_a_batch_goes_unseen(house: House) -> None:
    await house.add(cooldown=0)
    await house.send(("device:boiler:t", 90), ("device:boiler:t", 20), ("device:boiler:t", 91))
    assert [firing.variables["value"] for firing in house.blink.firings] == [90, 91]


async def test_values_of_one_batch_are_seen_together(house: House) -> None:
    await house.add(condition=logic("and", leaf(), leaf("device:boiler:h", "<", 10)), cooldown=0)
    await house.send(("device:boiler:t", 90), ("device:boiler:h", 50))
    assert house.blinks == 0
    await house.send(("device:boiler:t", 90), ("device:boiler:h", 5))
    assert house.blinks == 1


async def test_the_other_value_may_be_of_any_age(house: House) -> None:
    """Also one that was stored before there was the rule."""
    await house.send(("device:boiler:h", 5))
    await house.pass_s(100_000)
    await house.add(condition=logic("and", leaf(), leaf("device:boiler:h", "<", 10)))
    await house.store(81)
    assert house.blinks == 1


async def test_a_late_value_does_not_replace_a_newer_one(house: House) -> None:
    await house.add(cooldown=0)
    await house.store(20)
    await house.store(95, ago_ms=60_000)
    assert house.blinks == 0
    await house.store(95)
    assert house.blinks == 1


async def test_a_wrong_time_ahead_does_not_deafen_a_rule(house: House) -> None:
    await house.add(cooldown=0)
    await house.store(20, ago_ms=-12 * 3_600_000)
    await house.store(95)
    assert house.blinks == 1


@pytest.mark.parametrize("prefix", ["values.", "value.", "data.", "telemetry.", "metrics.", "state."])
async def test_prefixes_are_left_out(house: House, prefix: str) -> None:
    await house.add()
    await house.store(81, f"device:boiler:{prefix}t")
    assert house.blinks == 1
    assert house.blink.firings[0].values == {"device:boiler:t": 81}


async def test_other_prefixes_are_not(house: House) -> None:
    await house.add()
    await house.store(81, "device:boiler:other.t")
    assert house.blinks == 0


async def test_values_of_extensions_and_transforms(house: House) -> None:
    await house.add(condition=leaf("extension:weather:sun"), cooldown=0)
    await house.add(condition=leaf("transform:x:mean"), cooldown=0)
    await house.store(81, "extension:weather:sun")
    await house.store(81, "transform:x:mean")
    assert house.blinks == 2


async def test_disabled_rules_do_nothing(house: House) -> None:
    rule_id = await house.add(enabled=False)
    await house.store(81)
    assert house.blinks == 0
    data(await house.api.post(f"/api/rules/{rule_id}/enable", json={"enabled": True}))
    assert house.blinks == 0
    await house.store(81)
    assert house.blinks == 1
    data(await house.api.post(f"/api/rules/{rule_id}/enable", json={"enabled": False}))
    await house.pass_s(100)
    await house.store(81)
    assert house.blinks == 1


async def test_a_deleted_rule_does_nothing(house: House) -> None:
    rule_id = await house.add()
    data(await house.api.delete(f"/api/rules/{rule_id}"))
    await house.store(81)
    assert house.blinks == 0
    assert not house.rules.parts.index.sources_of
    assert not house.rules.parts.values.known


async def test_actions_run_in_order_and_one_that_fails_stops_no_other(house: House) -> None:
    rule_id = await house.add(actions=[BLINK, {"type": "blink", "message": "again"}])
    house.blink.error = RuntimeError("no lamp")
    await house.store(81)
    assert house.blink.messages == ["hot", "again"]
    [execution] = await house.history(rule_id)
    assert execution["success"] is False
    assert execution["error"] == "RuntimeError: no lamp; RuntimeError: no lamp"
    assert (await house.show(rule_id))["trigger_count"] == 1
    assert [event.success for event in house.executed] == [False]


async def test_an_action_that_ends_the_process_is_only_a_failed_action(house: House) -> None:
    rule_id = await house.add()
    house.blink.error = SystemExit(3)
    await house.store(81)
    [execution] = await house.history(rule_id)
    assert "SystemExit" in execution["error"]


async def test_a_slow_action_holds_nobody_up(house: House) -> None:
    import asyncio

    await house.add(name="slow")
    house.blink.gate = asyncio.Event()
    await house.store(81)
    assert house.blinks == 1
    await house.add(name="other", condition=leaf("device:boiler:h"))
    await house.store(81, "device:boiler:h")
    assert house.blinks == 2
    house.blink.gate.set()
    await house.settle()
    assert [event.success for event in house.executed] == [True, True]


async def test_twenty_rules_fire_in_one_second(house: House) -> None:
    for number in range(20):
        await house.add(name=f"r{number}", condition=leaf(threshold=number))
    await house.store(81)
    assert sorted(firing.rule_name for firing in house.blink.firings) == sorted(f"r{number}" for number in range(20))
    assert len(house.executed) == 20
    assert house.blink.most <= 8


async def test_firings_of_one_rule_run_one_after_another(house: House) -> None:
    import asyncio

    await house.add(cooldown=0)
    house.blink.gate = asyncio.Event()
    for value in range(90, 100):
        await house.store(value)
    assert house.blinks == 1
    house.blink.gate.set()
    await house.settle()
    assert [firing.variables["value"] for firing in house.blink.firings] == list(range(90, 100))
    assert house.blink.most == 1


async def test_more_firings_than_memory_takes_wait_in_the_table(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    from neomind_plugins.rules import runner

    monkeypatch.setattr(runner, "WAITING_MAX", 4)
    await house.add(cooldown=0)
    house.blink.gate = asyncio.Event()
    for value in range(90, 120):
        await house.store(value)
    assert house.rules.runner.waiting == 4
    house.blink.gate.set()
    for _ in range(20):
        await house.pass_s(0.1)
    assert [firing.variables["value"] for firing in house.blink.firings] == list(range(90, 120))


async def test_missed_notices_are_made_up_for(house: House) -> None:
    from neomind_sdk import Lagged

    await house.add()
    await house.store(20)
    await house.pass_s(1)
    point = Point("device:boiler:t", house.clock.now_ms(), 95)
    await house.host.services[TelemetryStore].append([point])
    await house.rules.parts.engine.handle([Notice(1, 1, Lagged(dropped=3))])
    await house.settle()
    assert house.blinks == 1


async def test_nothing_is_looked_at_without_rules(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("nobody asked for this value")

    monkeypatch.setattr(house.rules.parts.values, "put", never)
    await house.add()
    points = [Point("device:other:x", 1, 1.0)]
    await house.rules.parts.engine.handle([Notice(1, 1, MetricsStored(points=points, source="api"))])


async def test_a_rule_that_cannot_be_evaluated_harms_no_other(house: House) -> None:
    broken = await house.add(name="broken")
    live = house.rules.get(broken)
    assert live.compiled is not None
    import attrs

    live.compiled = attrs.evolve(live.compiled, check=lambda value_of: 1 / 0)
    await house.add(name="good")
    await house.store(81)
    assert [firing.rule_name for firing in house.blink.firings] == ["good"]
    [entry] = await house.trace(broken)
    assert entry["outcome"] == "failed"


async def test_an_action_whose_plugin_is_gone() -> None:
    blink = Blink()
    async with house_with(blink) as house:
        await house.furnish()
        rule_id = await house.add(actions=[BLINK, BLINK])
        kept = house.rules.parts.types._platform.contributions
        house.rules.parts.types._platform.contributions = lambda kind: []  # type: ignore[method-assign]
        try:
            await house.store(81)
            [execution] = await house.history(rule_id)
            assert "no plugin that runs provides the action 'blink'" in execution["error"]
            assert len((await house.show(rule_id))["problems"]) == 2
        finally:
            house.rules.parts.types._platform.contributions = kept  # type: ignore[method-assign]
        assert (await house.show(rule_id))["problems"] == []


@pytest.mark.parametrize("said", ["\ud800", "a\x00b", "x" * 100_000])
async def test_whatever_an_action_says_can_be_kept(house: House, said: str) -> None:
    rule_id = await house.add(cooldown=0)
    house.blink.error = said
    await house.store(81)
    [execution] = await house.history(rule_id)
    assert execution["success"] is False
    assert 0 < len(execution["error"]) <= 2000
    house.blink.error = None
    await house.store(82)
    assert [each["success"] for each in await house.history(rule_id)] == [True, False]
