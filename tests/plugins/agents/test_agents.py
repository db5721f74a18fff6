"""Agents over the API: made, shown, changed, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import FREE, House, call, calls, code, data, words


async def test_the_minimal_agent(house: House) -> None:
    made = await house.post("/agents", FREE)
    assert made == {"id": made["id"], "name": "Look after the house", "status": "active"}
    shown = await house.show(made["id"])
    assert (shown["status"], shown["execution_mode"], shown["llm_backend_id"]) == ("Active", "free", "b-1")
    assert shown["schedule"] == {
        "schedule_type": "manual",
        "interval_seconds": None,
        "cron_expression": None,
        "timezone": None,
    }


async def test_a_run_from_end_to_end(house: House) -> None:
    agent_id = await house.bound("boiler")
    await house.store("device:boiler:t", 81.5)
    house.models.says(
        calls(call("look", what="all"), text="First I look."),
        calls(call("press", device_id="boiler")),
        words("Pressed."),
    )
    record = await house.run(agent_id, input="Now!")
    assert (record["status"], record["trigger_type"], record["stop_reason"]) == (
        "Completed",
        "manual",
        "natural-completion",
    )
    assert house.gadgets.names() == ["look", "press"]
    process = record["decision_process"]
    assert process["conclusion"] == "Pressed."
    assert [step["step_type"] for step in process["reasoning_steps"]] == [
        "thought",
        "tool_call",
        "thought",
        "tool_call",
        "llm_analysis",
    ]
    assert process["data_collected"][0]["source"] == "device:boiler"
    assert process["data_collected"][0]["values"]["metrics"]["t"]["value"] == 81.5
    assert record["token_usage"] == {"prompt_tokens": 300, "completion_tokens": 25, "total_tokens": 325}
    assert [action["success"] for action in record["result"]["actions_executed"]] == [True, True]
    assert "Now!" in house.models.prompts
    shown = await house.show(agent_id)
    assert (shown["status"], shown["stats"]["successful_executions"]) == ("Active", 1)
    assert shown["memory"]["journal"]["records"][0]["outcome"] == "Pressed."


async def test_a_focused_agent_needs_something_to_focus_on(house: House) -> None:
    body = {"user_prompt": "x", "schedule": {"schedule_type": "interval"}}
    assert code(await house.api.post("/api/agents", json=body)) == (400, "BAD_REQUEST")
    body["execution_mode"] = "focused"
    assert code(await house.api.post("/api/agents", json=body)) == (422, "VALIDATION_ERROR")
    body["resources"] = [{"resource_id": "boiler", "resource_type": "Device"}]
    agent_id = (await house.post("/agents", body))["id"]
    assert (await house.show(agent_id))["schedule"]["interval_seconds"] == 300


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"name": " "}, 422),
        ({"name": "x" * 101}, 422),
        ({"user_prompt": None}, 422),
        ({"user_prompt": "x" * 10_001}, 422),
        ({"schedule": None}, 422),
        ({"schedule": {"schedule_type": "weekly"}}, 422),
        ({"schedule": {"schedule_type": "interval", "interval_seconds": 9}}, 422),
        ({"schedule": {"schedule_type": "cron"}}, 422),
        ({"schedule": {"schedule_type": "cron", "cron_expression": "nonsense"}}, 400),
        ({"schedule": {"schedule_type": "cron", "cron_expression": "* * * * *", "timezone": "Mars/X"}}, 422),
        ({"schedule": {"schedule_type": "event", "event_filter": "{"}}, 400),
        ({"schedule": {"schedule_type": "event", "event_filter": "[1]"}}, 400),
        ({"schedule": {"schedule_type": "event", "event_filter": {"sources": [1]}}}, 400),
        ({"llm_backend_id": "nobody"}, 400),
        ({"max_chain_depth": 31}, 422),
        ({"context_window_size": 0}, 422),
        ({"priority": 256}, 422),
        ({"description": "x" * 501}, 422),
        ({"system_prompt": 5}, 422),
        ({"tool_config": 5}, 422),
        ({"tool_config": {"enabled": 1}}, 422),
        ({"grants": [{"tool": "press", "tier": "maybe"}]}, 422),
        ({"grants": [{"tool": "press", "targets": [""]}]}, 422),
        ({"limits": {"max_rounds": 0}}, 422),
        ({"resources": [{"resource_id": "boiler", "resource_type": "metric"}]}, 422),
        ({"resources": [{"resource_id": "device:boiler", "resource_type": "extension_tool"}]}, 422),
        ({"device_ids": [""]}, 422),
    ],
)
async def test_what_cannot_be_is_refused(house: House, changes: Any, status: int) -> None:
    answer = await house.api.post("/api/agents", json={**FREE, **changes})
    assert answer.status_code == status, answer.text
    assert (await house.get("/agents"))["count"] == 0


@pytest.mark.parametrize(
    ("kind", "ident", "expected"),
    [
        (None, "boiler", "device"),
        (None, "device:boiler:t", "metric"),
        (None, "extension:weather:temp", "extension_metric"),
        (None, "extension:weather", "extension_tool"),
        (None, "transform:1:mean", "data_stream"),
        ("ExtensionTool", "extension:weather:roll", "extension_tool"),
        ("Command", "boiler:on", "command"),
    ],
)
async def test_types_of_resources(house: House, kind: Any, ident: str, expected: str) -> None:
    agent_id = await house.add(resources=[{"resource_id": ident, "resource_type": kind}])
    [resource] = (await house.show(agent_id))["resources"]
    assert resource["resource_type"] == expected


async def test_the_older_spelling_binds_too(house: House) -> None:
    agent_id = await house.add(
        device_ids=["boiler"],
        metrics=[{"device_id": "boiler", "metric_name": "t", "display_name": "Heat"}],
        commands=[{"device_id": "pump", "command_name": "on", "display_name": "On", "parameters": {"level": 1}}],
    )
    kinds = [(each["resource_type"], each["resource_id"]) for each in (await house.show(agent_id))["resources"]]
    assert kinds == [("device", "boiler"), ("metric", "boiler:t"), ("command", "pump:on")]


async def test_a_change_leaves_the_rest_as_it_is(house: House) -> None:
    grants = [{"tool": "wipe", "targets": [], "tier": "confirm"}]
    agent_id = await house.bound(
        "boiler", description="d", system_prompt="s", tool_config={"enabled": True}, grants=grants
    )
    before = await house.show(agent_id)
    body = {"schedule": {"schedule_type": "cron", "cron_expression": "0 8 * * 1-5"}}
    assert data(await house.api.put(f"/api/agents/{agent_id}", json=body)) == {"id": agent_id}
    after = await house.show(agent_id)
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= {"schedule", "updated_at"}
    cleared = {"description": None, "system_prompt": None, "tool_config": None, "llm_backend_id": ""}
    data(await house.api.put(f"/api/agents/{agent_id}", json=cleared))
    after = await house.show(agent_id)
    assert not {"description", "system_prompt", "tool_config"} & set(after)
    assert after["llm_backend_id"] == "b-1"
    bad = await house.api.put(f"/api/agents/{agent_id}", json={"resources": [], "execution_mode": "focused"})
    assert code(bad) == (422, "VALIDATION_ERROR")


async def test_status(house: House) -> None:
    agent_id = await house.add()
    for status in ("paused", "error", "active"):
        answer = await house.post(f"/agents/{agent_id}/status", {"status": status})
        assert answer == {"id": agent_id, "status": status}
        assert (await house.show(agent_id))["status"] == status.capitalize()
    assert code(await house.api.post(f"/api/agents/{agent_id}/status", json={"status": "dead"}))[0] == 422


async def test_a_paused_agent_can_be_run_by_hand_and_stays_paused(house: House) -> None:
    agent_id = await house.add()
    await house.post(f"/agents/{agent_id}/status", {"status": "paused"})
    assert (await house.run(agent_id))["status"] == "Completed"
    assert (await house.show(agent_id))["status"] == "Paused"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("POST", "/status"),
        ("GET", "/executions"),
        ("GET", "/executions/x"),
        ("POST", "/executions/details"),
        ("POST", "/execute"),
        ("POST", "/invoke"),
        ("GET", "/memory"),
        ("DELETE", "/memory"),
        ("GET", "/stats"),
        ("GET", "/available-resources"),
        ("GET", "/messages"),
        ("POST", "/messages"),
        ("DELETE", "/messages"),
        ("DELETE", "/messages/x"),
    ],
)
async def test_unknown_agents_are_not_found(house: House, method: str, path: str) -> None:
    bodies = {"/status": {"status": "paused"}, "/executions/details": {"ids": []}, "/messages": {"content": "x"}}
    body = {} if method in ("POST", "PUT") else None
    given = {} if body is None else {"json": bodies.get(path, body)}
    assert code(await house.api.request(method, f"/api/agents/nobody{path}", **given)) == (404, "AGENT_NOT_FOUND")


async def test_deleting_takes_everything_along(house: House) -> None:
    agent_id, other = await house.add(grants=[{"tool": "wipe", "tier": "confirm"}]), await house.add()
    house.models.says(calls(call("wipe")), words())
    record = await house.run(agent_id)
    kept = await house.run(other)
    await house.post(f"/agents/{agent_id}/messages", {"content": "x"})
    [approval] = await house.approvals()
    assert data(await house.api.delete(f"/api/agents/{agent_id}")) == {"ok": True}
    assert await house.approvals() == []
    answer = await house.api.post(f"/api/agents/approvals/{approval['id']}/approve", json={})
    assert code(answer) == (404, "APPROVAL_NOT_FOUND")
    assert code(await house.api.get(f"/api/agents/{other}/executions/{record['id']}")) == (404, "EXECUTION_NOT_FOUND")
    assert (await house.record(other, kept["id"]))["status"] == "Completed"


async def test_messages_are_bounded_and_the_newest_are_kept(house: House) -> None:
    agent_id = await house.add()
    for number in range(53):
        await house.post(f"/agents/{agent_id}/messages", {"content": f"note {number}", "message_type": "hint"})
    found = await house.get(f"/agents/{agent_id}/messages")
    assert [found[0]["content"], found[-1]["content"], len(found)] == ["note 3", "note 52", 50]
    await house.run(agent_id)
    assert "note 52" in house.models.prompts
    assert "note 40" not in house.models.prompts
    one = f"/api/agents/{agent_id}/messages/{found[0]['id']}"
    assert data(await house.api.delete(one)) == {"ok": True}
    assert code(await house.api.delete(one)) == (404, "MESSAGE_NOT_FOUND")
    assert data(await house.api.delete(f"/api/agents/{agent_id}/messages")) == {"ok": True, "count": 49}


async def test_memory_is_kept_shown_to_the_model_and_cleared(house: House) -> None:
    agent_id = await house.add(context_window_size=2)
    for number in range(12):
        house.models.says(words(f"conclusion {number}"))
        await house.run(agent_id)
    memory = await house.get(f"/agents/{agent_id}/memory")
    outcomes = [record["outcome"] for record in memory["journal"]["records"]]
    assert outcomes == [f"conclusion {number}" for number in range(2, 12)]
    house.models.requests.clear()
    await house.run(agent_id)
    assert "conclusion 11" in house.models.prompts
    assert "conclusion 9" not in house.models.prompts
    assert data(await house.api.delete(f"/api/agents/{agent_id}/memory")) == {"ok": True}
    assert (await house.get(f"/agents/{agent_id}/memory"))["journal"]["records"] == []


async def test_lists_and_stats(house: House) -> None:
    first, second = await house.add(name="A"), await house.add(name="B")
    await house.pass_s(1)
    await house.run(first)
    house.models.says(RuntimeError("boom"))
    await house.run(first)
    data(await house.api.put(f"/api/agents/{first}", json={"priority": 1}))
    found = await house.get("/agents")
    assert [each["name"] for each in found["agents"]] == ["A", "B"]
    assert "user_prompt" not in found["agents"][0]
    assert (found["agents"][0]["success_count"], found["agents"][0]["error_count"]) == (1, 1)
    short = await house.get("/agents", view="summary")
    assert short["agents"][1] == {"id": second, "name": "B", "status": "Active"}
    stats = await house.get(f"/agents/{first}/stats")
    assert (stats["total_executions"], stats["failed_executions"]) == (2, 1)
    ids = [each["id"] for each in (await house.get(f"/agents/{first}/executions"))["executions"]]
    details = await house.post(f"/agents/{first}/executions/details", {"ids": [*ids, "none"]})
    assert set(details["details"]) == set(ids)
    many = await house.api.post(f"/api/agents/{first}/executions/details", json={"ids": ["x"] * 51})
    assert code(many) == (400, "BAD_REQUEST")


async def test_tools_resources_crons_and_models(house: House) -> None:
    tools = {tool["name"]: tool for tool in (await house.get("/agents/tools"))["tools"]}
    assert {"list_devices", "get_device", "press", "list_agents", "start_agent"} <= set(tools)
    assert (tools["press"]["source"], tools["list_devices"]["source"]) == ("extension", "built-in")
    assert tools["press"]["effect"] == "actuate"
    found = await house.get(f"/agents/{await house.add()}/available-resources")
    assert [device["id"] for device in found["devices"]] == ["boiler", "pump"]
    assert (await house.post("/agents/validate-cron", {"expression": "0 8 * * 1-5"}))["valid"] is True
    bad = await house.post("/agents/validate-cron", {"expression": "0 25 * * *"})
    assert bad["valid"] is False
    assert "hour" in bad["error"]
    assert await house.post("/agents/validate-llm", {}) == {"valid": True, "backend_name": "b-1", "model": "m"}
    house.models.says(RuntimeError("x"))
    house.models.infos = []
    assert code(await house.api.post("/api/agents/validate-llm", json={"backend_id": "x"})) == (400, "BAD_REQUEST")


async def test_who_may(house: House) -> None:
    agent_id = await house.add()
    viewer, nobody = house.host.client("viewer"), house.host.client(None)
    assert (await viewer.get("/api/agents")).status_code == 200
    assert (await viewer.post("/api/agents", json=FREE)).status_code == 403
    assert (await viewer.post(f"/api/agents/{agent_id}/execute", json={})).status_code == 403
    assert (await viewer.post("/api/agents/approvals/x/approve", json={})).status_code == 403
    assert (await nobody.get("/api/agents")).status_code == 401


async def test_nobody_hands_out_what_they_may_not_do(house: House) -> None:
    narrow = house.host.client(scopes=["agents:read", "agents:write"])
    resources = [{"resource_id": "boiler", "resource_type": "device"}]
    for more in ({"resources": resources}, {"grants": [{"tool": "press"}]}, {"grants": [{"tool": "*"}]}):
        assert code(await narrow.post("/api/agents", json={**FREE, **more})) == (403, "INSUFFICIENT_PERMISSIONS")
    assert (
        await narrow.post("/api/agents", json={**FREE, "grants": [{"tool": "press", "tier": "never"}]})
    ).status_code == 200
    agent_id = await house.bound("boiler", grants=[{"tool": "press", "tier": "confirm"}])
    assert (await narrow.put(f"/api/agents/{agent_id}", json={"grants": []})).status_code == 403
    assert (await narrow.put(f"/api/agents/{agent_id}", json={"name": "Other"})).status_code == 200
    wide = house.host.client(scopes=["agents:write", "devices:write"])
    assert (await wide.put(f"/api/agents/{agent_id}", json={"grants": []})).status_code == 200
