"""Loops and stalls have an end, and it is recorded which."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

import pytest

from neomind_plugins.agents import tables
from neomind_plugins.agents.kept import Execution
from neomind_plugins.agents.recorder import Recorder, RunOver
from neomind_sdk import AgentExecutionCompleted, Completion, LLMError, Unavailable, Usage

from .conftest import Gadgets, House, ScriptedModels, call, calls, code, data, house_with, info, words


def endless() -> Any:
    numbers = count()
    return lambda request: calls(call("look", number=next(numbers)))


async def test_rounds(house: House) -> None:
    house.models.says(endless())
    record = await house.run(await house.add(limits={"max_rounds": 7}))
    assert (record["status"], record["stop_reason"]) == ("Partial", "max-rounds")
    assert len(house.gadgets.done) == 7
    assert house.models.requests[-1].tools == ()


async def test_a_focused_agent_has_as_many_rounds_as_its_chain(house: House) -> None:
    house.models.says(endless())
    agent_id = await house.bound("boiler", execution_mode="focused", max_chain_depth=2)
    assert (await house.run(agent_id))["stop_reason"] == "max-rounds"
    assert len(house.gadgets.done) == 2


async def test_tokens(house: House) -> None:
    house.models.says(endless())
    record = await house.run(await house.add(limits={"max_tokens": 500}))
    assert record["stop_reason"] == "max-tokens"
    assert 500 <= record["token_usage"]["total_tokens"] < 700
    assert len(house.models.requests) == 5


async def test_tokens_that_nobody_counted_are_estimated(house: House) -> None:
    house.models.says(Completion(text="x" * 400, tool_calls=(call("look"),), usage=Usage()))
    record = await house.run(await house.add(limits={"max_tokens": 300}))
    assert record["stop_reason"] == "max-tokens"


async def test_actuations(house: House) -> None:
    numbers = count()
    house.models.says(lambda request: calls(call("press", device_id="boiler", params={"n": next(numbers)})))
    record = await house.run(await house.bound("boiler", limits={"max_actuations": 3}))
    assert record["stop_reason"] == "max-actuations"
    assert house.gadgets.names() == ["press"] * 3
    assert record["tool_calls"][-1]["verdict"] == "limit"
    house.models.says(
        calls(*(call("press", device_id="boiler", params={"n": number}) for number in range(60))), words()
    )
    await house.run(await house.bound("boiler", limits={"max_actuations": 0}))
    assert house.gadgets.names() == ["press"] * 3


async def test_time_when_the_model_stalls(house: House) -> None:
    house.models.gate = asyncio.Event()
    agent_id = await house.add()
    await house.post(f"/agents/{agent_id}/execute")
    await house.pass_s(299)
    assert (await house.show(agent_id))["status"] == "Executing"
    await house.pass_s(2)
    [record] = await house.records(agent_id)
    assert (record["status"], record["stop_reason"], record["duration_ms"]) == ("Failed", "timeout", 300_000)
    assert record["error"] == "the run took longer than 300 s"
    assert "result" not in record
    assert (await house.show(agent_id))["status"] == "Active"
    assert house.models.now == {"b-1": 0}


async def test_time_when_a_tool_stalls(house: House) -> None:
    house.gadgets.gate = asyncio.Event()
    house.models.says(calls(call("look")), words())
    agent_id = await house.add(limits={"timeout_secs": 10})
    await house.post(f"/agents/{agent_id}/execute")
    await house.settle()
    await house.pass_s(11)
    [record] = await house.records(agent_id)
    assert (record["stop_reason"], record["tool_calls"][0]["verdict"]) == ("timeout", "running")


async def test_who_does_not_heed_the_end_takes_no_further_step() -> None:
    models = ScriptedModels()
    gate = asyncio.Event()

    async def stubborn(request: Any) -> Any:
        while not gate.is_set():
            try:
                await gate.wait()
            except asyncio.CancelledError:
                continue
        return calls(call("press", device_id="boiler"))

    models.says(stubborn)
    async with house_with(models) as house:
        await house.furnish()
        agent_id = await house.bound("boiler", limits={"timeout_secs": 10})
        house.gadgets.gate = asyncio.Event()  # so that nobody waits for the run
        await house.post(f"/agents/{agent_id}/execute")
        await house.pass_s(11)
        await asyncio.sleep(1.1)
        await house.settle()
        assert (await house.records(agent_id))[0]["stop_reason"] == "timeout"
        gate.set()
        house.gadgets.gate.set()
        await house.settle()
        assert house.gadgets.names() == []
        assert [each["status"] for each in await house.records(agent_id)] == ["Failed"]


async def test_nothing_is_kept_of_a_run_that_is_over(house: House) -> None:
    execution = Execution(id="e-1", agent_id=await house.add(), started_ms=1, trigger_type="manual")
    parts = house.agents.parts
    await parts.database.write(lambda: tables.begin(execution))
    recorder = Recorder(execution, parts.database, parts.clock, parts.bus)
    step = await recorder.step("tool_call", {}, state="started")
    await recorder.note(rounds=1)
    recorder.close()
    for late in (recorder.step("thought", {}), recorder.amend(step, {"verdict": "late"}), recorder.note(rounds=2)):
        with pytest.raises(RunOver):
            await late
    assert recorder.execution.rounds == 1
    kept = await parts.database.read(lambda: tables.execution(execution.agent_id, "e-1"))
    assert kept == (recorder.execution, [step])


@pytest.mark.parametrize(
    ("script", "most"),
    [
        ([calls(call("look"))], 4),
        ([calls(call("press", device_id="pump"))], 3),
        ([calls(call("look", a=1)), calls(call("look", b=2))] * 10, 4),
    ],
    ids=["same-result", "same-failure", "taking-turns"],
)
async def test_circles(house: House, script: Any, most: int) -> None:
    house.models.says(*script)
    record = await house.run(await house.add())
    assert (record["status"], record["stop_reason"], len(record["tool_calls"])) == ("Partial", "stuck", most)


async def test_the_same_call_twice_in_a_round_runs_once(house: House) -> None:
    press = call("press", device_id="boiler")
    house.models.says(calls(press, press, press), words())
    record = await house.run(await house.bound("boiler"))
    assert house.gadgets.names() == ["press"]
    assert record["status"] == "Completed"
    assert len(house.models.told) == 3


async def test_a_flood_of_calls_in_one_answer(house: House) -> None:
    house.models.says(calls(*(call("look", n=number) for number in range(5000))), words())
    record = await house.run(await house.add())
    assert len(house.gadgets.done) == 64
    assert record["status"] == "Completed"


@pytest.mark.parametrize(
    "error", [LLMError("connect", "no route"), LLMError("timeout", "late"), LLMError("rate_limited", "slow")]
)
async def test_what_may_pass_is_tried_again(house: House, error: Any) -> None:
    house.models.says(error, error, words("At last."))
    agent_id = await house.add()
    await house.post(f"/agents/{agent_id}/execute")
    for _ in range(4):
        await house.clock.advance(1)
    await house.settle()
    assert (await house.records(agent_id))[0]["decision_process"]["conclusion"] == "At last."


@pytest.mark.parametrize(
    ("error", "reason", "said"),
    [
        (LLMError("auth", "bad key, password=hunter2"), "llm-error", "the language model failed (auth)"),
        (Unavailable("no backend is active"), "llm-error", "cannot be asked"),
        (ValueError("surprise"), "error", "surprise"),
    ],
)
async def test_what_does_not_pass_fails_the_run(house: House, error: Any, reason: str, said: str) -> None:
    house.models.says(error)
    agent_id = await house.add()
    record = await house.run(agent_id)
    assert (record["status"], record["stop_reason"]) == ("Failed", reason)
    assert said in record["error"]
    assert "hunter2" not in record["error"]
    shown = await house.show(agent_id)
    assert (shown["status"], shown["error_message"]) == ("Active", record["error"])
    house.models.says(words())
    await house.run(agent_id)
    assert (await house.show(agent_id))["error_message"] is None
    assert [event.success for event in house.host.events.of(AgentExecutionCompleted)] == [False, True]


async def test_without_a_model_a_run_fails_and_says_so(house: House) -> None:
    bound = await house.add()
    house.models.infos = []
    assert (await house.run(bound))["error"] == "the language model backend 'b-1' is gone"
    free = await house.add()
    assert (await house.run(free))["error"] == "no language model is configured"
    answer = await house.api.post(f"/api/agents/{free}/invoke", json={})
    assert code(answer) == (500, "AGENT_EXECUTION_FAILED")
    house.models.infos = [info("b-2")]
    assert (await house.run(free))["status"] == "Completed"


async def test_a_model_that_calls_no_functions_answers_in_words() -> None:
    async with house_with(ScriptedModels(words("It is warm."), tools=False)) as house:
        await house.furnish()
        record = await house.run(await house.bound("boiler"))
        assert record["decision_process"]["conclusion"] == "It is warm."
        assert [len(request.tools) for request in house.models.requests] == [0]


async def test_old_results_are_left_out_when_there_is_no_room() -> None:
    models = ScriptedModels(endless(), max_context=2000)
    async with house_with(models) as house:
        house.gadgets.results["look"] = {"text": "x y " * 2000}
        await house.run(await house.add(limits={"max_rounds": 20}))
        sizes = [sum(len(message.text) for message in request.messages) for request in models.requests]
        assert max(sizes) < 40_000


# ---- invoke, and how many at once ----


async def test_invoke_waits(house: House) -> None:
    house.models.says(calls(call("press", device_id="boiler"), text="Cold."), words("Done."))
    answer = await house.post(f"/agents/{await house.bound('boiler')}/invoke", {"input": "Heat!"})
    assert (answer["status"], answer["conclusion"], answer["has_error"]) == ("Completed", "Done.", False)
    assert answer["actions"] == [{"action": "press", "reasoning": "Cold.", "description": "press: executed"}]


async def test_invoke_waits_no_longer_than_a_minute(house: House) -> None:
    house.models.gate = asyncio.Event()
    agent_id = await house.add()
    waiting = asyncio.create_task(house.api.post(f"/api/agents/{agent_id}/invoke", json={}))
    await house.settle()
    await house.pass_s(61)
    assert code(await waiting) == (504, "AGENT_EXECUTION_TIMEOUT")
    assert code(await house.api.post(f"/api/agents/{agent_id}/execute", json={})) == (409, "CONFLICT")
    house.models.gate.set()
    await house.settle()
    assert (await house.records(agent_id))[0]["status"] == "Completed"


@pytest.mark.parametrize("body", [{"input": "x" * 100_001}, {"input": 5}, [], "x", {"input": "a\x00b"}])
async def test_bad_input_is_no_failure_of_ours(house: House, body: Any) -> None:
    agent_id = await house.add()
    for verb in ("execute", "invoke"):
        answer = await house.api.post(f"/api/agents/{agent_id}/{verb}", json=body)
        assert answer.status_code in (400, 422), answer.text
    assert house.models.requests == []


async def test_two_at_a_time_for_each_backend_and_ten_overall() -> None:
    models, settings = ScriptedModels(), {"agents": {"agent": {"max_concurrent": 3}}}
    async with house_with(models, settings=settings) as house:
        models.infos = [info("b-1"), info("b-2", active=False)]
        models.gate = asyncio.Event()
        low = [await house.add(priority=1) for _ in range(3)]
        high = [await house.add(priority=200) for _ in range(2)]
        other = [await house.add(llm_backend_id="b-2") for _ in range(2)]
        for agent_id in (*low, *high, *other):
            await house.post(f"/agents/{agent_id}/execute")
        await house.settle()
        assert models.now == {"b-1": 2, "b-2": 1}
        models.gate.set()
        await house.settle()
        assert max(models.most.values()) == 2
        records = [(await house.records(agent_id))[0] for agent_id in (*low, *high, *other)]
        assert {record["status"] for record in records} == {"Completed"}


async def test_deleting_ends_a_run_that_goes_on() -> None:
    gadgets = Gadgets()
    gadgets.gate = asyncio.Event()
    async with house_with(ScriptedModels(calls(call("look")), words()), gadgets=gadgets) as house:
        agent_id = await house.add()
        await house.post(f"/agents/{agent_id}/execute")
        await house.settle()
        assert gadgets.names() == ["look"]
        data(await house.api.delete(f"/api/agents/{agent_id}"))
        assert house.agents.runs.running == {}
        gadgets.gate.set()
        await house.settle()
        assert len(house.models.requests) == 1
