"""What starts agents by itself: intervals, times, values, rules, other agents."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from neomind_plugins.agents.kept import Agent, AgentState, Resource, Schedule
from neomind_plugins.agents.live import Live
from neomind_plugins.agents.triggers import EventIndex, keys_of
from neomind_plugins.rules import plugin as rules
from neomind_sdk import AgentExecutionStarted, AgentRuns, AgentStepTaken, Conflict, NotFound

from .conftest import House, ScriptedModels, call, calls, data, house_with, words


def on(**filtered: Any) -> dict[str, Any]:
    return {"schedule_type": "event", "event_filter": json.dumps(filtered)}


async def runs(house: House, agent_id: str) -> list[Any]:
    return list((await house.get(f"/agents/{agent_id}/executions"))["executions"])


async def test_an_interval(house: House) -> None:
    agent_id = await house.add(schedule={"schedule_type": "interval", "interval_seconds": 60})
    await house.pass_s(59)
    assert await runs(house, agent_id) == []
    for _ in range(3):
        await house.pass_s(60)
    found = await runs(house, agent_id)
    assert [each["trigger_type"] for each in found] == ["schedule"] * 3
    await house.post(f"/agents/{agent_id}/status", {"status": "paused"})
    await house.pass_s(600)
    assert len(await runs(house, agent_id)) == 3
    await house.post(f"/agents/{agent_id}/status", {"status": "active"})
    await house.pass_s(61)
    assert len(await runs(house, agent_id)) == 4
    data(await house.api.delete(f"/api/agents/{agent_id}"))
    await house.pass_s(61)
    assert house.models.requests[4:] == []


@pytest.mark.parametrize(
    "schedule", [{"schedule_type": "interval", "interval_seconds": 0}, {"schedule_type": "on_demand"}]
)
async def test_on_demand(house: House, schedule: Any) -> None:
    agent_id = await house.add(schedule=schedule)
    await house.pass_s(10_000)
    assert await runs(house, agent_id) == []


async def test_a_cron_expression(house: House) -> None:
    agent_id = await house.add(schedule={"schedule_type": "cron", "cron_expression": "*/5 * * * *"})
    await house.pass_s(301)
    assert len(await runs(house, agent_id)) == 1


async def test_an_agent_that_still_runs_is_left_alone(house: House) -> None:
    agent_id = await house.add(schedule={"schedule_type": "interval", "interval_seconds": 10})
    house.models.gate = asyncio.Event()
    for _ in range(5):
        await house.pass_s(11)
    house.models.gate.set()
    await house.settle()
    assert len(await runs(house, agent_id)) == 1


async def test_values_start_agents_with_a_cooldown(house: House) -> None:
    agent_id = await house.bound("boiler", schedule={"schedule_type": "event"})
    await house.store("device:pump:t", 1)
    assert await runs(house, agent_id) == []
    await house.store("device:boiler:t", 81, cause="x", hops=3)
    await house.store("device:boiler:note", "again")
    [record] = await house.records(agent_id)
    assert (record["trigger_type"], record["cause"], record["hops"]) == ("event:t", "x", 3)
    assert record["decision_process"]["data_collected"][0] == {
        "source": "device:boiler:t",
        "data_type": "event",
        "values": {"value": 81, "timestamp": 1_700_000_000, "points_count": 1},
        "timestamp": 1_700_000_000,
    }
    await house.pass_s(61)
    await house.store("device:boiler:t", 82)
    assert len(await runs(house, agent_id)) == 2


async def test_a_failed_run_does_not_cool_down(house: House) -> None:
    agent_id = await house.bound("boiler", schedule={"schedule_type": "event"})
    house.models.says(ValueError("x"), words())
    await house.store("device:boiler:t", 1)
    await house.store("device:boiler:t", 2)
    assert [each["status"] for each in await runs(house, agent_id)].count("Completed") == 1


@pytest.mark.parametrize(
    ("filtered", "series", "starts"),
    [
        ({"sources": [{"type": "device", "id": "boiler"}]}, "device:boiler:t", True),
        ({"sources": [{"type": "device", "id": "boiler", "field": "note"}]}, "device:boiler:t", False),
        ({"sources": [{"type": "device", "id": "all"}]}, "device:boiler:t", True),
        ({"sources": [{"type": "device", "id": "all", "field": "t"}]}, "device:boiler:t", True),
        ({"sources": [{"type": "extension", "id": "all"}]}, "device:boiler:t", False),
        ({"sources": [{"type": "transform", "id": "1", "field": "a:b"}]}, "transform:1:a:b", True),
        ({"event_type": "device.metric", "device_id": "boiler"}, "device:boiler:t", True),
        ({"event_type": "device.metric", "device_id": "pump"}, "device:boiler:t", False),
        ({"event_type": "extension.output", "extension_id": "w"}, "extension:w:temp", True),
        ({}, "device:boiler:t", False),
    ],
)
async def test_filters(house: House, filtered: Any, series: str, starts: bool) -> None:
    agent_id = await house.add(schedule={"schedule_type": "event", "event_filter": filtered})
    await house.store(series, 1)
    assert (len(await runs(house, agent_id)) == 1) is starts
    shown = (await house.show(agent_id))["schedule"]["event_filter"]
    assert json.loads(shown) == filtered


async def test_too_many_causes_start_nothing(house: House) -> None:
    agent_id = await house.bound("boiler", schedule={"schedule_type": "event"})
    await house.store("device:boiler:t", 1, hops=8)
    await house.store("device:boiler:t", 1, cause=f"agent:{agent_id}", hops=1)
    assert await runs(house, agent_id) == []
    await house.store("device:boiler:t", 1, hops=7)
    assert len(await runs(house, agent_id)) == 1
    with pytest.raises(Conflict):
        await house.host.services[AgentRuns].start(agent_id, hops=8)


def test_the_index_forgets_what_is_gone() -> None:
    index = EventIndex()
    agent = Agent(
        id="a",
        name="a",
        user_prompt="",
        schedule=Schedule(schedule_type="event"),
        created_ms=0,
        updated_ms=0,
        resources=(
            Resource(resource_id="d:m", resource_type="metric"),
            Resource(resource_id="e:on", resource_type="command"),
            Resource(resource_id="extension:x:cmd", resource_type="extension_tool"),
        ),
    )
    live = Live(agent, AgentState())
    assert keys_of(agent) == {("device", "d", "m"), ("device", "e", "")}
    assert not index
    for _ in range(2):
        index.put(live)
    assert index.matching("device:d:m") == index.matching("device:e:any") == [live]
    assert index.matching("device:d:other") == index.matching("nonsense") == []
    index.remove("a")
    assert not index
    assert index.matching("device:d:m") == []


async def test_rules_start_agents() -> None:
    async with house_with(None, rules) as house:
        await house.furnish()
        agent_id = await house.bound("boiler")
        hot = {"condition_type": "comparison", "source": "device:boiler:t", "operator": ">", "threshold": 80}
        body = {
            "name": "Hot",
            "trigger": {"trigger_type": "data_change"},
            "condition": hot,
            "actions": [{"type": "trigger_agent", "agent_id": agent_id, "input": "Cool it"}],
        }
        made = await house.post("/rules", body)
        assert made["warnings"] == []
        lost = {**body, "actions": [{"type": "trigger_agent", "agent_id": "nobody"}]}
        assert "nobody" in str((await house.post("/rules", lost))["warnings"])
        await house.store("device:boiler:t", 81, hops=2)
        [record] = await house.records(agent_id)
        assert (record["trigger_type"], record["cause"]) == ("rule", f"rule:{made['rule']['id']}")
        assert (record["hops"], record["input"]) == (3, "Cool it")
        assert record["decision_process"]["data_collected"][0]["values"]["rule_name"] == "Hot"


async def test_agents_start_agents_when_that_was_granted(house: House) -> None:
    other = await house.add(name="Other")
    boss = await house.add(name="Boss", grants=[{"tool": "start_agent", "targets": [f"agent:{other}"]}])
    start = call("start_agent", agent_id=other, request="press everything")
    house.models.says(calls(start, call("start_agent", agent_id=boss), call("list_agents")), words())
    record = await house.run(boss, input="Go")
    assert [each["verdict"] for each in record["tool_calls"]] == ["executed", "denied", "executed"]
    [started] = await house.records(other)
    assert (started["trigger_type"], started["cause"], started["hops"]) == ("agent", f"agent:{boss}", 1)
    # What one model asks of another is data.
    assert started["input"] == ""
    assert started["decision_process"]["data_collected"][0]["values"]["request"] == "press everything"


async def test_other_plugins_may_ask(house: House) -> None:
    service = house.host.services[AgentRuns]
    agent_id = await house.add()
    assert service.exists(agent_id)
    assert not service.exists("nobody")
    assert await service.latest(agent_id) is None
    assert await service.latest("nobody") is None
    with pytest.raises(NotFound):
        await service.start("nobody")
    ident = await service.start(agent_id, text="Hello", data={"a": 1})
    await house.settle()
    latest = await service.latest(agent_id)
    assert latest is not None
    assert latest == await house.record(agent_id, ident)
    assert latest["trigger_type"] == "rule"


async def test_what_is_told_live(house: House) -> None:
    house.models.says(calls(call("press", device_id="boiler"), text="Cold."), words("Done."))
    agent_id = await house.bound("boiler", name="Stoker")
    record = await house.run(agent_id)
    [started] = house.host.events.of(AgentExecutionStarted)
    assert (started.agent_name, started.execution_id, started.trigger_type) == ("Stoker", record["id"], "manual")
    steps = house.host.events.of(AgentStepTaken)
    stages = [step.data["stage"] for step in steps if step.kind == "progress"]
    assert stages == ["collecting", "analyzing", "executing", "completed"]
    [decision] = [step.data for step in steps if step.kind == "decision"]
    assert (decision["action"], decision["rationale"]) == ("press", "Cold.")
    assert set(decision) == {"description", "rationale", "action", "confidence"}
    thoughts = [step.data["step_type"] for step in steps if step.kind == "thinking"]
    assert thoughts == ["thought", "tool_call", "llm_analysis"]


async def test_without_a_scheduler_an_agent_says_so() -> None:
    from neomind_plugins.agents import plugin as agents
    from neomind_sdk.testing import make_host

    from .conftest import FREE, llm_plugin

    async with make_host(llm_plugin(ScriptedModels()), agents) as host:
        body = {**FREE, "schedule": {"schedule_type": "interval", "interval_seconds": 60}}
        agent_id = data(await host.client().post("/api/agents", json=body))["id"]
        shown = data(await host.client().get(f"/api/agents/{agent_id}"))
        assert shown["schedule_problem"] == "the plugin scheduler does not run"
