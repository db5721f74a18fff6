"""The storage refuses for a while: what was done is not forgotten, and what was not done can be asked for again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neomind_plugins.agents import tables
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk import ApiError, StorageBusy, StorageFull
from neomind_sdk.testing import VirtualClock

from .conftest import House, ScriptedModels, call, calls, code, data, house_with, words

CONFIRM = {"grants": [{"tool": "press", "targets": ["device:boiler"], "tier": "confirm"}]}
EVERY_MINUTE = {"schedule": {"schedule_type": "interval", "interval_seconds": 60}}


class Refusing:
    """Makes functions of ``tables`` raise in the middle of their transactions."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self._loop = asyncio.get_running_loop()
        self.asked = 0
        self.refused = asyncio.Event()

    def at(self, name: str, error: ApiError, times: int = 1_000_000) -> None:
        real: Callable[..., Any] = getattr(tables, name)
        left = times

        def refuse(*args: Any, **options: Any) -> Any:
            nonlocal left
            result = real(*args, **options)
            if left:
                left -= 1
                self.asked += 1
                self._loop.call_soon_threadsafe(self.refused.set)  # SQLite has a thread of its own
                raise error
            return result

        self._patch.setattr(tables, name, refuse)

    def end(self) -> None:
        self._patch.undo()


@pytest.fixture
async def refusing(monkeypatch: pytest.MonkeyPatch) -> Refusing:
    return Refusing(monkeypatch)


async def waiting(house: House) -> tuple[str, str]:
    """An agent whose call waits for approval: its id, and the path of the approval."""
    agent_id = await house.add(**CONFIRM)
    house.models.says(calls(call("press", device_id="boiler")), words())
    await house.run(agent_id)
    [approval] = await house.approvals()
    return agent_id, f"/api/agents/approvals/{approval['id']}"


async def test_an_agent_that_cannot_be_deleted_is_as_it_was(house: House, refusing: Refusing) -> None:
    agent_id = await house.bound("boiler", **EVERY_MINUTE)
    before = await house.show(agent_id)
    refusing.at("delete_agent", StorageFull())
    for _ in range(2):
        assert code(await house.api.delete(f"/api/agents/{agent_id}")) == (507, "STORAGE_FULL")
    assert await house.show(agent_id) == before
    await house.pass_s(65)
    assert [each["trigger_type"] for each in await house.records(agent_id)] == ["schedule"]
    refusing.end()
    data(await house.api.delete(f"/api/agents/{agent_id}"))
    assert code(await house.api.get(f"/api/agents/{agent_id}")) == (404, "AGENT_NOT_FOUND")


async def test_a_run_goes_on_when_its_agent_cannot_be_deleted(house: House, refusing: Refusing) -> None:
    house.models.gate = asyncio.Event()
    agent_id = await house.add()
    await house.post(f"/agents/{agent_id}/execute")
    refusing.at("delete_agent", StorageBusy("busy"))
    assert (await house.api.delete(f"/api/agents/{agent_id}")).status_code == 503
    house.models.gate.set()
    await house.settle()
    assert [each["status"] for each in await house.records(agent_id)] == ["Completed"]


@pytest.mark.parametrize("error", [StorageBusy("busy"), StorageFull()], ids=["busy", "full"])
async def test_the_end_of_a_run_is_kept_when_the_storage_takes_it(
    house: House, refusing: Refusing, error: ApiError
) -> None:
    agent_id = await house.add()
    refusing.at("end", error, times=3)
    ident = (await house.post(f"/agents/{agent_id}/execute"))["execution_id"]
    await house.settle()
    assert ((await house.record(agent_id, ident))["status"], refusing.asked) == ("Running", 1)
    assert (await house.show(agent_id))["status"] == "Executing"
    await house.pass_s(5)
    assert ((await house.record(agent_id, ident))["status"], refusing.asked) == ("Completed", 3)
    shown = await house.show(agent_id)
    assert (shown["status"], shown["stats"]["total_executions"]) == ("Active", 1)


async def test_a_platform_that_stops_does_not_wait_for_the_storage(tmp_path: Path, refusing: Refusing) -> None:
    clock = VirtualClock()
    async with asyncio.timeout(30):
        async with house_with(None, storage_sqlite, data_dir=tmp_path, clock=clock) as house:
            await house.furnish()
            agent_id = await house.add()
            refusing.at("end", StorageFull())
            await house.post(f"/agents/{agent_id}/execute")
            await house.settle()
        refusing.end()
        async with house_with(ScriptedModels(), storage_sqlite, data_dir=tmp_path, clock=clock) as house:
            assert [each["error"] for each in await house.records(agent_id)] == ["interrupted"]


async def test_an_approved_call_whose_end_was_not_kept_does_not_run_again(tmp_path: Path, refusing: Refusing) -> None:
    async with house_with(None, storage_sqlite, data_dir=tmp_path) as house:
        await house.furnish()
        _, path = await waiting(house)
        refusing.at("settle", StorageFull())
        approving = asyncio.create_task(house.api.post(f"{path}/approve", json={}))
        await refusing.refused.wait()
    await asyncio.gather(approving, return_exceptions=True)
    assert (house.gadgets.names(), refusing.asked) == (["press"], 2)  # the second is the last, at the end
    refusing.end()
    async with house_with(None, storage_sqlite, data_dir=tmp_path) as house:
        assert data(await house.api.get(path))["state"] == "interrupted"
        assert code(await house.api.post(f"{path}/approve", json={})) == (409, "CONFLICT")
        assert house.gadgets.names() == []


async def test_an_agent_is_deleted_while_the_end_of_its_run_is_not_kept(house: House, refusing: Refusing) -> None:
    agent_id = await house.add()
    refusing.at("end", StorageFull())
    await house.post(f"/agents/{agent_id}/execute")
    await house.settle()
    async with asyncio.timeout(10):
        data(await house.api.delete(f"/api/agents/{agent_id}"))
    assert house.agents.runs.running == {}


@pytest.mark.parametrize(("verb", "state", "pressed"), [("approve", "executed", 1), ("deny", "denied", 0)])
async def test_a_decision_that_is_not_kept_can_be_made_again(
    house: House, refusing: Refusing, verb: str, state: str, pressed: int
) -> None:
    _, path = await waiting(house)
    refusing.at("append_step", StorageBusy("busy"), times=1)
    assert (await house.api.post(f"{path}/{verb}", json={})).status_code == 503
    assert data(await house.api.get(path))["state"] == "pending"
    assert house.gadgets.names() == []
    assert data(await house.api.post(f"{path}/{verb}", json={}))["state"] == state
    assert code(await house.api.post(f"{path}/{verb}", json={})) == (409, "CONFLICT")
    assert house.gadgets.names("press") == ["press"] * pressed


async def test_what_came_of_an_approved_call_is_kept_when_the_storage_takes_it(
    house: House, refusing: Refusing
) -> None:
    agent_id, path = await waiting(house)
    refusing.at("settle", StorageBusy("busy"), times=3)
    approving = asyncio.create_task(house.api.post(f"{path}/approve", json={}))
    await house.settle()
    assert (data(await house.api.get(path))["state"], house.gadgets.names()) == ("approved", ["press"])
    await house.pass_s(5)
    assert data(await approving)["state"] == "executed"
    assert (house.gadgets.names(), refusing.asked) == (["press"], 3)
    [record] = await house.records(agent_id)
    assert (record["status"], record["tool_calls"][1]["verdict"]) == ("Completed", "executed")


async def test_a_memory_that_cannot_be_cleared_is_as_it_was(house: House, refusing: Refusing) -> None:
    agent_id = await house.add()
    await house.run(agent_id)
    before = await house.get(f"/agents/{agent_id}/memory")
    refusing.at("put_state", StorageFull(), times=1)
    assert code(await house.api.delete(f"/api/agents/{agent_id}/memory")) == (507, "STORAGE_FULL")
    assert await house.get(f"/agents/{agent_id}/memory") == before
    data(await house.api.delete(f"/api/agents/{agent_id}/memory"))
    assert await house.get(f"/agents/{agent_id}/memory") != before
