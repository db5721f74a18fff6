"""Nothing begins, and nothing is kept, of an agent that was deleted a moment ago."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from neomind_plugins.agents import tables
from neomind_plugins.agents.calling import Wish
from neomind_plugins.agents.collecting import Collector
from neomind_plugins.agents.kept import Execution
from neomind_plugins.agents.starting import Cause
from neomind_sdk import AgentRuns, Database, NotFound

from .conftest import House, call, calls, code, data, words

FILTER = '{"sources": [{"type": "device", "id": "boiler", "field": "t"}]}'
EVENT = {
    "schedule": {"schedule_type": "event", "event_filter": FILTER},
    "grants": [{"tool": "press", "targets": ["device:boiler"], "tier": "auto"}],
}


@asynccontextmanager
async def deleting(house: House, agent_id: str) -> AsyncIterator[None]:
    """In here the deletion is begun, and nothing of it was seen in memory yet."""
    deletion = asyncio.create_task(house.agents.delete(agent_id))
    await asyncio.sleep(0)  # the change gets its turn
    await asyncio.sleep(0)  # and asks the storage
    assert house.agents.exists(agent_id)
    yield
    await deletion


async def left(house: House) -> int:
    """How many rows there are of agents."""
    return int(await house.host.services[Database].read(lambda: sum(each.select().count() for each in tables.MODELS)))


@pytest.mark.parametrize("verb", ["execute", "invoke"])
async def test_while_its_values_are_read(house: House, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    house.models.says(calls(call("press", device_id="boiler")), words())
    agent_id = await house.add(**EVENT)
    inside, go, real = asyncio.Event(), asyncio.Event(), Collector.first_of

    async def slow(self: Collector, keys: Any) -> Any:
        found = await real(self, keys)
        inside.set()
        await go.wait()
        return found

    monkeypatch.setattr(Collector, "first_of", slow)
    running = asyncio.create_task(house.api.post(f"/api/agents/{agent_id}/{verb}", json={}))
    await inside.wait()
    data(await house.api.delete(f"/api/agents/{agent_id}"))
    go.set()
    assert code(await running) == (404, "AGENT_NOT_FOUND")
    await house.settle()
    assert (house.gadgets.names(), await left(house)) == ([], 0)


@pytest.mark.parametrize("way", ["by-hand", "schedule", "offer", "rule"])
async def test_while_it_is_being_deleted(house: House, way: str) -> None:
    house.models.says(calls(call("press", device_id="boiler")), words())
    agent_id = await house.add(**EVENT)
    async with deleting(house, agent_id):
        if way == "by-hand":
            answer = await house.api.post(f"/api/agents/{agent_id}/execute", json={"input": "now"})
            assert code(answer) == (404, "AGENT_NOT_FOUND")
        elif way == "rule":
            with pytest.raises(NotFound):
                await house.host.services[AgentRuns].start(agent_id, text="now")
        elif way == "schedule":
            await house.agents.due(agent_id)
        else:
            house.agents.offer(house.agents.get(agent_id), Cause(kind="event:t"))
    await house.settle()
    assert (house.gadgets.names(), house.agents.runs.running, await left(house)) == ([], {}, 0)


async def test_a_note_for_it_is_not_kept(house: House) -> None:
    agent_id = await house.add()
    async with deleting(house, agent_id):
        answer = await house.api.post(f"/api/agents/{agent_id}/messages", json={"content": "Hello"})
        assert code(answer) == (404, "AGENT_NOT_FOUND")
    assert await left(house) == 0


async def test_a_call_of_it_does_not_wait_for_approval(house: House) -> None:
    agent_id = await house.add()
    agent, [tool, *_] = house.agents.get(agent_id).agent, house.gadgets.tools()
    execution = Execution(id="e-1", agent_id=agent_id, started_ms=1, trigger_type="manual")
    wish = Wish(tool=tool, arguments={}, tier="confirm", reason="", targets=())
    async with deleting(house, agent_id):
        assert await house.agents.parts.approvals.ask(agent, execution, wish)
    assert (await house.approvals(), await left(house)) == ([], 0)
