"""What a restart, or a crash, leaves of agents."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from neomind_plugins.agents import tables
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk import AgentExecutionCompleted, Database
from neomind_sdk.testing import VirtualClock

from .conftest import Gadgets, House, ScriptedModels, call, calls, code, data, house_with, words


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """Start a platform on the same data as before."""
    clock = VirtualClock()

    @asynccontextmanager
    async def started(models: ScriptedModels | None = None, gadgets: Gadgets | None = None) -> AsyncIterator[House]:
        async with house_with(models, storage_sqlite, gadgets=gadgets, data_dir=tmp_path, clock=clock) as house:
            if not house.agents.all():
                await house.furnish()
            yield house

    return started


async def test_agents_survive(start: Any) -> None:
    members = {
        "description": "d",
        "system_prompt": "s",
        "tool_config": {"enabled": True, "allowed_tools": ["look"]},
        "grants": [{"tool": "press", "targets": ["device:pump"], "tier": "confirm"}],
        "limits": {"max_rounds": 3},
        "schedule": {"schedule_type": "interval", "interval_seconds": 60},
    }
    async with start() as house:
        agent_id = await house.bound("boiler", **members)
        await house.run(agent_id)
        before = await house.show(agent_id)
    async with start() as house:
        assert await house.show(agent_id) == before
        for _ in range(13):  # SQLite has threads of its own, which must keep up with the clock
            await house.pass_s(5)
        assert (await house.show(agent_id))["stats"]["total_executions"] == 2


async def test_a_run_under_way_ends_with_the_platform(start: Any) -> None:
    async with start() as house:
        house.models.gate = asyncio.Event()
        agent_id = await house.add()
        await house.post(f"/agents/{agent_id}/execute")
        await house.settle()
    async with start() as house:
        [record] = await house.records(agent_id)
        assert (record["status"], record["error"]) == ("Failed", "interrupted")
        shown = await house.show(agent_id)
        assert (shown["status"], shown["stats"]["failed_executions"]) == ("Active", 1)


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.plugins.agents.conftest import Gadgets, ScriptedModels, call, calls, house_with, words
from neomind_plugins.storage_sqlite import plugin as storage_sqlite

async def main():
    gadgets = Gadgets()
    async def then(name, arguments):
        if name == "press" and arguments.get("command") == sys.argv[3]:
            os.kill(os.getpid(), signal.SIGKILL)
    gadgets.then = then
    asked = [calls(call("look", n=1)), calls(call("press", device_id="boiler", command="one")),
             calls(call("press", device_id="boiler", command="two")), words()]
    async with house_with(ScriptedModels(*asked), storage_sqlite, gadgets=gadgets, data_dir=Path(sys.argv[1])) as house:
        await house.furnish()
        tier = "confirm" if sys.argv[3] == "one" else "auto"
        agent_id = await house.add(grants=[{"tool": "press", "targets": ["device:boiler"], "tier": tier}])
        await house.run(agent_id)
        for approval in await house.approvals():
            await house.post(f"/agents/approvals/{approval['id']}/approve")
        await asyncio.sleep(30)

asyncio.run(main())
"""


async def killed(tmp_path: Path, at: str) -> None:
    root = str(Path(__file__).parents[3])
    command = [sys.executable, "-c", KILLED, str(tmp_path), root, at]
    ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == -9, ended.stderr


async def test_kill_9_in_the_middle_of_a_run(start: Any, tmp_path: Path) -> None:
    await killed(tmp_path, "two")
    async with start() as house:
        [live] = house.agents.all()
        assert (await house.show(live.id))["status"] == "Active"
        [record] = await house.records(live.id)
        assert (record["status"], record["error"], record["stop_reason"]) == ("Failed", "interrupted", "interrupted")
        # What was done is in the record, and what was under way.
        assert [each["verdict"] for each in record["tool_calls"]] == ["executed", "executed", "interrupted"]
        assert record["token_usage"]["total_tokens"] == 330
        assert house.host.events.of(AgentExecutionCompleted)[0].success is False
        assert (await house.show(live.id))["stats"]["failed_executions"] == 1
        assert (await house.run(live.id))["status"] == "Completed"


async def test_kill_9_while_an_approved_call_runs(start: Any, tmp_path: Path) -> None:
    """It may have been done: it is not done again."""
    await killed(tmp_path, "one")
    async with start() as house:
        [approval] = await house.approvals()
        assert (approval["state"], approval["decided_by"]) == ("interrupted", "admin")
        answer = await house.api.post(f"/api/agents/approvals/{approval['id']}/approve", json={})
        assert code(answer) == (409, "CONFLICT")
        assert house.gadgets.names() == []


async def test_what_waits_for_approval_still_waits(start: Any) -> None:
    grants = [{"tool": "press", "targets": ["device:boiler"], "tier": "confirm"}]
    async with start(ScriptedModels(calls(call("press", device_id="boiler")), words())) as house:
        agent_id = await house.add(grants=grants)
        await house.run(agent_id)
        [before] = await house.approvals()
    async with start() as house:
        assert await house.approvals() == [before]
        done = data(await house.api.post(f"/api/agents/approvals/{before['id']}/approve", json={}))
        assert (done["state"], house.gadgets.names()) == ("executed", ["press"])
        assert (await house.records(agent_id))[0]["status"] == "Completed"


async def test_an_approved_call_of_an_older_platform_version_does_not_hang(start: Any) -> None:
    async with start() as house:
        await house.add(grants=[{"tool": "press", "tier": "confirm"}])
        house.models.says(calls(call("press", device_id="boiler")), words())
        await house.run(house.agents.all()[0].id)
        [approval] = await house.approvals()

        def leave() -> None:
            kept = tables.approval(approval["id"])
            assert kept is not None
            tables.put_approval(attrs.evolve(kept, state="approved"))

        await house.host.services[Database].write(leave)
    async with start() as house:
        assert (await house.approvals())[0]["state"] == "interrupted"


async def test_old_records_go(start: Any) -> None:
    async with start() as house:
        agent_id = await house.add()
        old = await house.run(agent_id)
        house.clock.jump_ms(29 * 86_400_000)
        new = await house.run(agent_id)
        house.clock.jump_ms(2 * 86_400_000)
        await house.host.services[Database].write(lambda: tables.prune(house.clock.now_ms() - 30 * 86_400_000))
        assert [each["id"] for each in (await house.get(f"/agents/{agent_id}/executions"))["executions"]] == [new["id"]]
        answer = await house.api.get(f"/api/agents/{agent_id}/executions/{old['id']}")
        assert code(answer) == (404, "EXECUTION_NOT_FOUND")
