"""Capabilities and tools."""

from __future__ import annotations

import math
from typing import Any

import pytest

from neomind_plugins.devices import plugin as devices
from neomind_plugins.extension_admin import plugin as extension_admin
from neomind_sdk import AgentTool, Ingest, Service
from neomind_sdk.testing import make_host

from .conftest import code, data, extension

BY_CATEGORY = {
    "device": {
        "device_metrics_read",
        "device_metrics_write",
        "device_control",
        "device_template_register",
        "device_register",
        "device_unregister",
    },
    "storage": {"storage_query"},
    "event": {"event_publish", "event_subscribe"},
    "telemetry": {"telemetry_history", "metrics_aggregate"},
    "extension": {"extension_call"},
    "rule": {"rule_trigger"},
    "agent": {
        "agent_trigger",
        "chat_stream",
        "chat_stream_cancel",
        "chat_session_open",
        "chat_session_send",
        "chat_session_close",
        "chat_stream_cancel_turn",
    },
}
BARE = {"event_publish", "event_subscribe", "extension_call"}
STORED = {"storage_query", "telemetry_history", "metrics_aggregate"}
DEVICES = {"device_metrics_read", "device_template_register", "device_register", "device_unregister"}


async def available(host: Any) -> set[str]:
    found = data(await host.client(None).get("/api/capabilities"))["capabilities"]
    return {row["name"] for row in found if row["available"]}


async def test_the_capabilities_of_the_contract(host: Any) -> None:
    answer = data(await host.client(None).get("/api/capabilities"))
    found: dict[str, set[str]] = {}
    for row in answer["capabilities"]:
        found.setdefault(row["category"], set()).add(row["name"])
        assert row["display_name"]
        assert row["description"]
        assert row["available"] is (row["reason"] is None)
    assert found == BY_CATEGORY
    assert answer["total"] == 20


async def test_what_is_available_depends_on_what_runs(host: Any) -> None:
    assert await available(host) == BARE
    async with make_host(extension_admin) as stored:
        assert await available(stored) == BARE | STORED
    async with make_host(extension_admin, devices) as known:
        assert await available(known) == BARE | STORED | DEVICES


async def test_a_service_of_a_stranger_counts() -> None:
    store = extension("my_store", services=[Service(key=Ingest, build=lambda ctx: object())])
    async with make_host(extension_admin, store, storage=False) as host:
        assert await available(host) == BARE | {"device_metrics_write"}


async def test_a_plugin_that_runs_counts() -> None:
    async with make_host(extension_admin, extension("rules"), extension("chat"), storage=False) as host:
        chat = {name for name in BY_CATEGORY["agent"] if name.startswith("chat_")}
        assert await available(host) == BARE | chat | {"rule_trigger"}


async def test_one_capability_says_what_it_lacks(host: Any) -> None:
    client = host.client(None)
    row = data(await client.get("/api/capabilities/device_metrics_read"))
    assert row["available"] is False
    assert row["reason"] == ("no running plugin provides DeviceDirectory; no running plugin provides TelemetryStore")
    assert data(await client.get("/api/capabilities/rule_trigger"))["reason"] == "the plugin 'rules' is not running"
    assert data(await client.get("/api/capabilities/event_publish"))["reason"] is None


async def test_an_unknown_capability(host: Any) -> None:
    assert code(await host.client(None).get("/api/capabilities/levitate")) == (404, "CAPABILITY_NOT_FOUND")


# ---- tools ----


async def nothing(args: Any, context: Any) -> None:
    return None


SCHEMA = {"type": "object", "properties": {"meter": {"type": "string"}}}
READ_METER = AgentTool(name="read_meter", description="Reads a meter", parameters=SCHEMA, run=nothing)
BLINK = AgentTool(
    name="blink", description="Blinks", parameters={"x": math.nan}, run=nothing, effect="actuate", category="device"
)


async def test_tools_are_an_array_by_name() -> None:
    async with make_host(extension_admin, extension(tools=[READ_METER, BLINK]), storage=False) as host:
        answer = await host.client(None).get("/api/tools")
    rows = data(answer)
    assert answer.json()["meta"]["count"] == len(rows)
    assert [row["name"] for row in rows] == ["blink", "list_extension_commands", "read_meter", "run_extension_command"]
    blink, _, read_meter, _ = rows
    assert read_meter == {
        "name": "read_meter",
        "description": "Reads a meter",
        "category": "data",
        "parameters": SCHEMA,
        "effect": "read",
        "extension_id": "dice",
        "version": "0.1.0",
        "deprecated": False,
        "disabled": False,
    }
    assert (blink["name"], blink["parameters"], blink["effect"]) == ("blink", {}, "actuate")


async def test_alone_it_lists_its_own_tools(host: Any) -> None:
    rows = data(await host.client(None).get("/api/tools"))
    assert {row["extension_id"] for row in rows} == {"extension_admin"}


async def test_one_tool() -> None:
    async with make_host(extension_admin, extension(tools=[READ_METER]), storage=False) as host:
        client = host.client(None)
        row = data(await client.get("/api/tools/read_meter"))
        assert code(await client.get("/api/tools/levitate")) == (404, "TOOL_NOT_FOUND")
    assert (row["name"], row["namespace"], row["version"]) == ("read_meter", "dice", "0.1.0")
    assert (row["replaced_by"], row["scenarios"], row["relationships"]) == (None, [], {})


@pytest.mark.parametrize("path", ["/capabilities", "/capabilities/x", "/tools", "/tools/x", "/extensions"])
async def test_only_reading(host: Any, path: str) -> None:
    assert code(await host.client().post(f"/api{path}")) == (405, "METHOD_NOT_ALLOWED")
