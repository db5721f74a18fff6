"""Dry runs, firing by hand, and the trace."""

from __future__ import annotations

from typing import Any

import pytest

from neomind_sdk import Point, TelemetryStore

from .conftest import House, code, data, leaf, logic

BOTH = logic("and", leaf(), logic("or", leaf("device:boiler:h", "<", 10), leaf("device:boiler:s", "==", 0)))


async def test_a_dry_run_does_nothing(house: House) -> None:
    rule_id = await house.add()
    await house.store(20)
    found = await house.test(rule_id, 95)
    assert found == {
        "rule_id": rule_id,
        "rule_name": "Hot",
        "condition_met": True,
        "value_used": 95,
        "value_source": "input",
        "threshold": 80,
        "operator": ">",
        "conditions": [
            {
                "path": "condition",
                "source": "device:boiler:t",
                "operator": ">",
                "threshold": 80,
                "value": 95,
                "met": True,
            }
        ],
    }
    await house.settle()
    assert house.blinks == 0
    assert (await house.show(rule_id))["trigger_count"] == 0
    assert await house.history(rule_id) == []


@pytest.mark.parametrize(
    ("body", "value", "met"),
    [
        (95, 95, True),
        ("95", "95", False),
        ({"value": 95}, 95, True),
        ({"input": 20.5}, 20.5, False),
        ({"values": {"device:boiler:t": 99}}, 99, True),
        (None, 50, False),
        ({}, 50, False),
        (True, 1, False),
    ],
)
async def test_what_may_be_given(house: House, body: Any, value: Any, met: bool) -> None:
    rule_id = await house.add()
    await house.store(50)
    found = await house.test(rule_id, body)
    assert (found["value_used"], found["condition_met"]) == (value, met)
    assert found["value_source"] == ("current" if body in (None, {}) else "input")


async def test_compound_conditions_leaf_by_leaf(house: House) -> None:
    rule_id = await house.add(condition=BOTH)
    await house.send(("device:boiler:t", 90), ("device:boiler:h", 50))
    found = await house.test(rule_id)
    assert [(row["path"], row["value"], row["met"]) for row in found["conditions"]] == [
        ("condition.conditions[0]", 90, True),
        ("condition.conditions[1].conditions[0]", 50, False),
        ("condition.conditions[1].conditions[1]", None, False),
    ]
    assert found["condition_met"] is False
    found = await house.test(rule_id, {"values": {"device:boiler:h": 5}})
    assert found["condition_met"] is True
    assert [row["met"] for row in found["conditions"]] == [True, True, False]


async def test_ranges(house: House) -> None:
    rule_id = await house.add(condition={"condition_type": "range", "source": "device:boiler:t", "min": 1, "max": 9})
    found = await house.test(rule_id, 5)
    assert (found["operator"], found["threshold"], found["range_min"], found["range_max"]) == ("between", None, 1, 9)
    assert found["conditions"][0]["threshold"] == [1, 9]


async def test_no_value_is_no_error(house: House) -> None:
    rule_id = await house.add()
    found = await house.test(rule_id)
    assert (found["condition_met"], found["value_used"]) == (False, None)
    assert found["conditions"][0]["met"] is False


async def test_a_rule_without_condition_cannot_be_tested(house: House) -> None:
    rule_id = await house.add(condition=None, trigger={"trigger_type": "manual"})
    assert code(await house.api.post(f"/api/rules/{rule_id}/test")) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "body", [[1], {"at": "noon"}, {"at": -1}, {"history": 5}, {"history": {"start": 5, "end": 1}}, {"values": [1]}]
)
async def test_bad_questions(house: House, body: Any) -> None:
    rule_id = await house.add()
    assert (await house.api.post(f"/api/rules/{rule_id}/test", json=body)).status_code in (400, 422)


async def past(house: House, *values: float) -> float:
    """Store values a minute apart, the last one now; returns the time of the first in seconds."""
    now_ms = house.clock.now_ms()
    first_ms = now_ms - 60_000 * (len(values) - 1)
    points = [Point("device:boiler:t", first_ms + 60_000 * n, value) for n, value in enumerate(values)]
    await house.host.services[TelemetryStore].append(points)
    return first_ms / 1000


async def test_as_it_was_then(house: House) -> None:
    rule_id = await house.add()
    first = await past(house, 90, 20, 91)
    for seconds, value in ((0, 90), (59, 90), (60, 20), (130, 91)):
        found = await house.test(rule_id, {"at": first + seconds})
        assert (found["value_used"], found["value_source"]) == (value, "historical")
    assert (await house.test(rule_id, {"at": first - 1}))["value_used"] is None


async def test_the_past_played_again(house: House) -> None:
    rule_id = await house.add(cooldown=120_000)
    first = await past(house, 20, 90, 90, 90, 20, 90)
    found = (await house.test(rule_id, {"history": {"start": first, "end": first + 300}}))["history"]
    assert (found["evaluations"], found["met"], found["would_fire"]) == (6, 4, 3)
    data(await house.api.put(f"/api/rules/{rule_id}", json={"for_duration": 60_000}))
    found = (await house.test(rule_id, {"history": {"start": first, "end": first + 300}}))["history"]
    assert found["would_fire"] == 1
    # Although no value came just then.
    data(await house.api.put(f"/api/rules/{rule_id}", json={"for_duration": 90_000}))
    found = (await house.test(rule_id, {"history": {"start": first, "end": first + 300}}))["history"]
    assert found["would_fire"] == 1
    await house.settle()
    assert house.blinks == 0


async def test_execute_really_does_it(house: House) -> None:
    rule_id = await house.add()
    for execute in ("true", "1"):
        found = await house.test(rule_id, 95, execute=execute)
        assert found["executed"] is True
        assert found["execution_result"]["actions_executed"] == ["BLINK: hot"]
    assert house.blinks == 2
    assert house.blink.firings[0].test is True
    assert house.blink.firings[0].variables["value"] == 95
    found = await house.test(rule_id, 20, execute="true")
    assert (found["executed"], found["execution_result"]["success"]) == (False, False)
    assert house.blinks == 2
    # It claims no cooldown.
    await house.store(90)
    assert house.blinks == 3


async def test_by_hand(house: House) -> None:
    rule_id = await house.add(enabled=False)

    async def trigger() -> Any:
        return data(await house.api.post(f"/api/rules/{rule_id}/trigger"))

    found = await trigger()
    assert (found["success"], found["error"]) == (False, "Condition not met")
    await house.store(90)
    found = await trigger()
    assert (found["success"], found["actions_executed"], found["error"]) == (True, ["BLINK: hot"], None)
    found = await trigger()
    assert (found["success"], "cooldown" in found["error"]) == (False, True)
    assert house.blinks == 1
    await house.pass_s(61)
    assert (await trigger())["success"] is True


async def test_by_hand_without_condition_and_duration(house: House) -> None:
    rule_id = await house.add(condition=None, trigger={"trigger_type": "manual"}, for_duration=100_000)
    assert data(await house.api.post(f"/api/rules/{rule_id}/trigger"))["success"] is True


async def test_a_cooldown_is_given_back_once_when_everything_failed(house: House) -> None:
    rule_id = await house.add(condition=None, trigger={"trigger_type": "manual"})
    house.blink.error = "no power"
    found = data(await house.api.post(f"/api/rules/{rule_id}/trigger"))
    assert (found["success"], found["error"]) == (False, "no power")
    assert data(await house.api.post(f"/api/rules/{rule_id}/trigger"))["error"] == "no power"
    assert "cooldown" in data(await house.api.post(f"/api/rules/{rule_id}/trigger"))["error"]


async def test_the_trace_says_why(house: House) -> None:
    rule_id = await house.add(condition=logic("and", leaf(), leaf("device:boiler:s", "==", 0, threshold_value="on")))
    await house.store(20)
    assert await house.trace(rule_id) == []
    await house.store(90)
    await house.pass_s(2)
    await house.store("on", "device:boiler:s")
    await house.store(91)
    await house.store(92)
    cooling, fired, partly = await house.trace(rule_id)
    assert (partly["outcome"], partly["reason"]) == ("near_miss", "partly")
    assert partly["steps"] == [
        "A value of the condition was stored.",
        "device:boiler:t is 90, which is > 80.",
        "device:boiler:s has no value yet, so '== \"on\"' does not hold.",
        "The condition does not hold (1 of 2 comparisons hold).",
    ]
    assert (fired["outcome"], fired["steps"]) == (
        "fired",
        [
            "A value of the condition was stored.",
            "device:boiler:t is 90, which is > 80.",
            "device:boiler:s is 'on', which is == \"on\".",
            "The condition holds (2 of 2 comparisons hold).",
            "It fired; its cooldown of 60 s began.",
            "Action 1 (blink) was done: BLINK: hot.",
        ],
    )
    assert (cooling["reason"], cooling["count"]) == ("cooldown", 2)
    assert cooling["steps"][-1] == "Its cooldown has 60 s left."


async def test_the_trace_of_a_failure(house: House) -> None:
    rule_id = await house.add()
    house.blink.error = "no power"
    await house.store(90)
    [entry] = await house.trace(rule_id)
    assert (entry["outcome"], entry["steps"][-1]) == ("failed", "Action 1 (blink) failed: no power.")


async def test_the_trace_is_bounded_and_repetitions_push_nothing_out(house: House) -> None:
    rule_id = await house.add(cooldown=1000)
    for _ in range(60):
        await house.store(90)
        await house.store(91)
        await house.pass_s(1.1)
    entries = await house.trace(rule_id)
    assert len(entries) == 50
    assert {entry["outcome"] for entry in entries} == {"fired", "near_miss"}
