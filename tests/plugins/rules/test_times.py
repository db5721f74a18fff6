"""Durations, cooldowns and schedules, on a clock that the test turns."""

from __future__ import annotations

from typing import Any

import pytest

from neomind_plugins.settings import plugin as settings_plugin

from .conftest import Blink, House, code, data, house_with, leaf, logic

MINUTE = 60


def schedule(**more: Any) -> dict[str, Any]:
    return {"trigger_type": "schedule", **more}


async def test_a_duration_fires_although_data_stops(house: House) -> None:
    rule_id = await house.add(for_duration=10_000)
    await house.store(81)
    await house.pass_s(9.9)
    assert house.blinks == 0
    await house.pass_s(0.2)
    assert house.blinks == 1
    assert house.blink.firings[0].fired_ms == 1_700_000_000_000 + 10_000
    await house.pass_s(1000)
    assert house.blinks == 1
    outcomes = [entry["outcome"] for entry in await house.trace(rule_id)]
    assert outcomes == ["fired", "near_miss"]


async def test_a_value_in_between_begins_the_duration_anew(house: House) -> None:
    rule_id = await house.add(for_duration=10_000)
    await house.store(81)
    await house.pass_s(5)
    await house.store(20)
    await house.pass_s(20)
    assert house.blinks == 0
    await house.store(81)
    await house.pass_s(9)
    assert house.blinks == 0
    await house.pass_s(2)
    assert house.blinks == 1
    assert any(
        "had not held for long enough" in step for entry in await house.trace(rule_id) for step in entry["steps"]
    )


async def test_the_next_firing_needs_the_whole_duration_again(house: House) -> None:
    await house.add(for_duration=10_000, cooldown=0)
    for _ in range(31):
        await house.store(81)
        await house.pass_s(1)
    assert [(firing.fired_ms - 1_700_000_000_000) // 1000 for firing in house.blink.firings] == [10, 20, 30]


async def test_cooldown_and_duration(house: House) -> None:
    await house.add(for_duration=10_000, cooldown=60_000)
    for _ in range(100):
        await house.store(81)
        await house.pass_s(1)
    assert [(firing.fired_ms - 1_700_000_000_000) // 1000 for firing in house.blink.firings] == [10, 80]


@pytest.mark.parametrize("jump_s", [-3600, 3600])
async def test_setting_the_clock_changes_no_wait(house: House, jump_s: int) -> None:
    await house.add(for_duration=10_000)
    await house.store(81)
    await house.pass_s(5)
    house.clock.jump_ms(jump_s * 1000)
    await house.pass_s(4.9)
    assert house.blinks == 0
    await house.pass_s(0.2)
    assert house.blinks == 1
    await house.pass_s(59)
    await house.store(90, ago_ms=-3_700_000)
    assert house.blinks == 1


async def test_disabling_ends_the_duration(house: House) -> None:
    rule_id = await house.add(for_duration=10_000)
    await house.store(81)
    await house.pass_s(5)
    data(await house.api.post(f"/api/rules/{rule_id}/enable", json={"enabled": False}))
    data(await house.api.post(f"/api/rules/{rule_id}/enable", json={"enabled": True}))
    await house.pass_s(100)
    assert house.blinks == 0


async def test_deleting_ends_the_duration(house: House) -> None:
    rule_id = await house.add(for_duration=10_000)
    await house.store(81)
    data(await house.api.delete(f"/api/rules/{rule_id}"))
    await house.pass_s(100)
    assert house.blinks == 0


async def test_another_condition_begins_the_duration_anew_and_another_name_does_not(house: House) -> None:
    rule_id = await house.add(for_duration=10_000)
    await house.store(81)
    await house.pass_s(5)
    data(await house.api.put(f"/api/rules/{rule_id}", json={"name": "Other"}))
    await house.pass_s(6)
    assert house.blinks == 1
    await house.pass_s(100)
    await house.store(81)
    await house.pass_s(5)
    data(await house.api.put(f"/api/rules/{rule_id}", json={"condition": leaf(threshold=10)}))
    await house.pass_s(100)
    assert house.blinks == 1


async def test_a_schedule_fires_at_its_times(house: House) -> None:
    # The clock begins at 22:13:20 UTC.
    await house.add(trigger=schedule(cron="*/5 * * * *"), condition=None)
    await house.pass_s(12 * MINUTE)
    times = [firing.variables["timestamp"][11:19] for firing in house.blink.firings]
    assert times == ["22:15:00", "22:20:00", "22:25:00"]


async def test_a_cooldown_as_long_as_the_interval_swallows_nothing(house: House) -> None:
    await house.add(trigger=schedule(cron="* * * * *"), condition=None, cooldown=60_000)
    await house.pass_s(10 * MINUTE)
    assert house.blinks == 10


async def test_an_interval(house: House) -> None:
    await house.add(trigger=schedule(interval=30), condition=None, cooldown=0)
    await house.pass_s(95)
    assert house.blinks == 3


async def test_a_schedule_with_a_condition(house: House) -> None:
    rule_id = await house.add(trigger=schedule(interval=60), cooldown=0)
    await house.store(20)
    await house.pass_s(61)
    assert house.blinks == 0
    await house.store(90)
    assert house.blinks == 0
    await house.pass_s(60)
    assert house.blinks == 1
    assert [entry["reason"] for entry in await house.trace(rule_id)] == ["schedule", "unmet"]


async def test_six_and_seven_fields_and_sundays(house: House) -> None:
    for cron in ("0 */5 * * * *", "0 0 0 * * 0 2030", "0 0 * * 7"):
        await house.add(trigger=schedule(cron=cron), condition=None)


@pytest.mark.parametrize("cron", ["every day", "99 * * * *", "* * * *", "0 0 30 2 *"])
async def test_a_wrong_cron_is_refused(house: House, cron: str) -> None:
    body = {"name": "x", "trigger": schedule(cron=cron), "actions": []}
    answer = await house.api.post("/api/rules", json=body)
    assert code(answer) == (400, "BAD_REQUEST")
    assert "trigger.cron" in answer.json()["error"]["message"]


async def test_the_time_zone_is_that_of_the_rule_or_of_the_settings() -> None:
    async with house_with(Blink(), settings_plugin) as house:
        data(await house.api.put("/api/settings/timezone", json={"timezone": "UTC"}))
        await house.add(name="there", trigger=schedule(cron="0 0 * * *", timezone="Asia/Tokyo"), condition=None)
        await house.add(name="here", trigger=schedule(cron="0 0 * * *"), condition=None)
        await house.pass_s(86_400)
        times = {firing.rule_name: firing.variables["timestamp"][11:16] for firing in house.blink.firings}
        assert times == {"there": "15:00", "here": "00:00"}


async def test_disabled_and_deleted_schedules_end(house: House) -> None:
    first = await house.add(trigger=schedule(interval=10), condition=None, cooldown=0)
    second = await house.add(trigger=schedule(interval=10), condition=None, cooldown=0)
    data(await house.api.post(f"/api/rules/{first}/enable", json={"enabled": False}))
    data(await house.api.delete(f"/api/rules/{second}"))
    await house.pass_s(100)
    assert house.blinks == 0
    data(await house.api.put(f"/api/rules/{first}", json={"enabled": True, "trigger": schedule(interval=50)}))
    await house.pass_s(60)
    assert house.blinks == 1
    data(await house.api.put(f"/api/rules/{first}", json={"trigger": {"trigger_type": "manual"}}))
    await house.pass_s(100)
    assert house.blinks == 1


async def test_a_silent_device(house: House) -> None:
    age = leaf("device:boiler:__last_seen_age_secs", ">", 600)
    rule_id = await house.add(condition=age, cooldown=3_600_000)
    await house.store(20)
    for _ in range(16):
        await house.pass_s(60)
    assert house.blinks == 1
    assert house.blink.firings[0].variables["value"] > 600
    rows = (await house.test(rule_id))["conditions"]
    assert rows[0]["value"] >= 900
    assert rows[0]["met"] is True
    await house.store(20)
    assert (await house.test(rule_id))["conditions"][0]["value"] == 0


async def test_a_silent_device_needs_a_cooldown(house: House) -> None:
    age = leaf("device:boiler:__last_seen_age_secs", ">", 600)
    body = {"name": "x", "condition": logic("not", age), "actions": [], "cooldown": 59_999}
    assert code(await house.api.post("/api/rules", json=body)) == (400, "BAD_REQUEST")
    found = await house.added(condition=leaf("device:boiler:__last_seen_age_secs", "contains", 6))
    assert [warning["code"] for warning in found["warnings"]] == ["VIRTUAL_METRIC_BAD_OPERATOR"]
