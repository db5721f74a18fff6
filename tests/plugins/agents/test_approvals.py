"""Calls that wait for approval run once at most, and only as they were shown."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs

from neomind_plugins.agents import tables
from neomind_sdk import Database

from .conftest import House, call, calls, code, data, words

CONFIRM = {"grants": [{"tool": "press", "targets": ["device:boiler"], "tier": "confirm"}]}
PRESS = call("press", device_id="boiler")


async def waiting(house: House, *more: Any, **members: Any) -> tuple[str, Any, Any]:
    """An agent whose call waits: its id, the record, and the approval."""
    agent_id = await house.add(**{**CONFIRM, **members})
    house.models.says(calls(PRESS, *more), words())
    record = await house.run(agent_id)
    return agent_id, record, (await house.approvals())[0]


async def decide(house: House, approval: Any, verb: str = "approve", **body: Any) -> Any:
    answer = await house.api.post(f"/api/agents/approvals/{approval['id']}/{verb}", json=body)
    await house.settle()
    return answer


async def test_a_call_waits_and_runs_when_it_is_approved(house: House) -> None:
    agent_id, record, approval = await waiting(house)
    assert house.gadgets.names() == []
    assert (record["status"], record["stop_reason"]) == ("Partial", "waiting-approval")
    assert record["decision_process"]["conclusion"] == "Waiting for approval of: press"
    assert (approval["state"], approval["tool"], approval["arguments"]) == ("pending", "press", {"device_id": "boiler"})
    assert record["tool_calls"][0]["approval_id"] == approval["id"]
    done = data(await decide(house, approval, digest=approval["digest"]))
    assert (done["state"], done["decided_by"], done["result"]) == ("executed", "admin", {"ok": True})
    assert house.gadgets.names() == ["press"]
    record = await house.record(agent_id, record["id"])
    assert record["status"] == "Completed"
    assert [each["verdict"] for each in record["tool_calls"]] == ["waiting_approval", "executed"]
    assert record["tool_calls"][1]["decided_by"] == "admin"
    assert house.gadgets.contexts[0].execution_id == record["id"]
    assert data(await house.api.get(f"/api/agents/approvals/{approval['id']}")) == done


async def test_once_only(house: House) -> None:
    _, _, approval = await waiting(house)
    answers = await asyncio.gather(*(decide(house, approval) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert code(await decide(house, approval)) == (409, "CONFLICT")
    assert code(await decide(house, approval, "deny")) == (409, "CONFLICT")
    assert house.gadgets.names() == ["press"]


async def test_denied_is_denied(house: House) -> None:
    agent_id, record, approval = await waiting(house)
    assert data(await decide(house, approval, "deny"))["state"] == "denied"
    assert code(await decide(house, approval)) == (409, "CONFLICT")
    assert house.gadgets.names() == []
    verdicts = [each["verdict"] for each in (await house.record(agent_id, record["id"]))["tool_calls"]]
    assert verdicts == ["waiting_approval", "denied"]


async def test_expired_is_expired(house: House) -> None:
    _, _, approval = await waiting(house)
    await house.pass_s(15 * 60 - 1)
    assert [each["state"] for each in await house.approvals(state="pending")] == ["pending"]
    await house.pass_s(2)
    assert await house.approvals(state="pending") == []
    assert code(await decide(house, approval)) == (409, "CONFLICT")
    assert house.gadgets.names() == []
    assert (await house.approvals())[0]["state"] == "expired"


async def test_another_call_than_the_one_that_was_shown(house: House) -> None:
    _, _, approval = await waiting(house)
    assert code(await decide(house, approval, digest="0" * 64)) == (409, "CONFLICT")
    assert house.gadgets.names() == []
    # It still waits, so that who sees the right one can decide.
    assert data(await decide(house, approval, digest=approval["digest"]))["state"] == "executed"


async def test_arguments_that_were_changed_meanwhile(house: House) -> None:
    _, _, approval = await waiting(house)

    def change() -> None:
        kept = tables.approval(approval["id"])
        assert kept is not None
        tables.put_approval(attrs.evolve(kept, arguments={"device_id": "pump"}))

    await house.host.services[Database].write(change)
    done = data(await decide(house, approval, digest=approval["digest"]))
    assert (done["state"], done["error"]) == ("failed", "the call is not the one that was asked for")
    assert house.gadgets.names() == []


async def test_grants_that_were_taken_away_meanwhile(house: House) -> None:
    agent_id, _, approval = await waiting(house)
    data(await house.api.put(f"/api/agents/{agent_id}", json={"grants": []}))
    done = data(await decide(house, approval))
    assert done["state"] == "failed"
    assert "refused" in done["error"]
    assert house.gadgets.names() == []


async def test_the_same_call_waits_once(house: House) -> None:
    agent_id, _, approval = await waiting(house)
    house.models.says(calls(PRESS), words())
    record = await house.run(agent_id)
    assert record["tool_calls"][0]["approval_id"] == approval["id"]
    assert len(await house.approvals()) == 1
    other = await house.add(**CONFIRM)
    house.models.says(calls(PRESS), words())
    await house.run(other)
    assert len(await house.approvals()) == 2
    assert len(await house.approvals(agent_id=agent_id)) == 1


async def test_an_approval_is_no_licence_for_the_next_call(house: House) -> None:
    agent_id, _, approval = await waiting(house)
    data(await decide(house, approval))
    house.models.says(calls(PRESS), words())
    record = await house.run(agent_id)
    assert (record["stop_reason"], house.gadgets.names()) == ("waiting-approval", ["press"])


async def test_a_call_that_fails_after_approval(house: House) -> None:
    _, _, approval = await waiting(house)
    house.gadgets.errors["press"] = RuntimeError("stuck; password=hunter2")
    done = data(await decide(house, approval))
    assert (done["state"], done["error"]) == ("failed", "RuntimeError: stuck; password=***")


async def test_what_needs_no_approval_runs_at_once(house: House) -> None:
    agent_id, record, _ = await waiting(house, call("look"), call("press", device_id="pump"))
    assert house.gadgets.names() == ["look"]
    assert [each["verdict"] for each in record["tool_calls"]] == ["waiting_approval", "executed", "denied"]
    assert (await house.show(agent_id))["status"] == "Active"


async def test_nobody_approves_what_they_may_not_do(house: House) -> None:
    _, _, approval = await waiting(house)
    narrow = house.host.client(scopes=["agents:read", "agents:write"])
    for verb in ("approve", "deny"):
        assert code(await narrow.post(f"/api/agents/approvals/{approval['id']}/{verb}", json={}))[0] == 403
    assert house.gadgets.names() == []
    assert code(await house.api.post("/api/agents/approvals/none/approve", json={})) == (404, "APPROVAL_NOT_FOUND")
