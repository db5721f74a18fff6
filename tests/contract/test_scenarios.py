"""Each group of the page as an integrator uses it: Python, an API key, and ``data`` out of the envelope."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.asyncio.client import connect

from neomind_sdk.testing.marks import needs

from .conftest import ADMIN, data, error
from .world import AGENT, BACKEND, DASHBOARD, MESSAGE, NUMBERS, RULE, TYPE, World, key_with

pytestmark = pytest.mark.asyncio(loop_scope="module")
SOON_S = 15.0


async def until(look):
    """The first truth that an async look gives; for what happens a moment later."""
    async with asyncio.timeout(SOON_S):
        found = await look()
        while not found:
            await asyncio.sleep(0.02)
            found = await look()
    return found


async def device(platform, **more):
    """A device of the usual type; its id."""
    await platform.say("POST", "/devices/types", TYPE)
    body = {"name": "sensor", "device_type": TYPE["device_type"], "connection_config": {}, **more}
    return (await platform.say("POST", "/devices", body))["device_id"]


@needs("accounts")
async def test_auth(platform):
    stranger = platform.stranger
    await World(platform).registered()
    error(await stranger.post("/auth/login", json={**ADMIN, "password": "wrong-1"}), 401, "UNAUTHORIZED")
    session = data(await stranger.post("/auth/login", json=ADMIN))
    assert session["token"].count(".") == 2
    assert session["user"]["role"] == "admin"
    bearer = {"Authorization": f"Bearer {session['token']}"}
    verified = data(await stranger.get("/auth/verify", headers=bearer))
    assert (verified["authenticated"], verified["method"]) == (True, "jwt")
    assert data(await stranger.get("/auth/status", headers=bearer))["authenticated"] is True
    assert (await platform.say("GET", "/auth/verify"))["method"] == "api_key"
    later = data(
        await stranger.post("/auth/register", json={"username": f"user{next(NUMBERS)}", "password": "kitchen-1"})
    )
    assert later["user"]["role"] != "admin"
    data(await stranger.post("/auth/logout", headers=bearer))
    error(await stranger.get("/auth/verify", headers=bearer), 401, "INVALID_TOKEN")


@needs("devices", "telemetry", "transport_webhook")
async def test_devices(platform):
    # The page's own example of handling errors, then without the error.
    body = {"name": "sensor", "device_type": "temp", "connection_config": {}}
    refused = error(await platform.api.post("/devices", json=body), 404, "DEVICE_TYPE_NOT_FOUND")
    assert "temp" in refused["message"]
    await platform.say("POST", "/devices/types", {**TYPE, "device_type": "temp"})
    made = await platform.say("POST", "/devices", body)
    ident = made["device_id"]
    assert "temp" in {row["device_type"] for row in (await platform.say("GET", "/devices/types"))["device_types"]}
    posted = await platform.stranger.post(f"/devices/{ident}/webhook", json={"temperature": 30.5})
    assert data(posted)["success"] is True
    await platform.stranger.post(f"/devices/{ident}/webhook", json={"data": {"temperature": 31}})
    history = await platform.say("GET", f"/devices/{ident}/history", metric="temperature", time_range="1h")
    assert [point["value"] for point in history["data"]["temperature"]] == [31, 30.5]
    detail = await platform.say("GET", f"/devices/{ident}")
    assert detail["metrics"]["temperature"]["value"] == 31
    assert [command["name"] for command in detail["commands"]] == ["beep"]
    await platform.say("PUT", f"/devices/{ident}", {"name": "Kitchen"})
    listed = (await platform.say("GET", "/devices", device_type="temp"))["devices"]
    assert [(row["device_id"], row["name"], row["status"]) for row in listed] == [(ident, "Kitchen", "online")]
    assert (await platform.say("DELETE", f"/devices/{ident}"))["deleted"] is True
    missing = error(await platform.api.get(f"/devices/{ident}"), 404, "DEVICE_NOT_FOUND")
    assert missing["message"] == f"Device with id '{ident}' not found"


@needs("drafts", "telemetry", "transport_webhook")
async def test_a_device_that_nobody_registered(platform):
    ident = f"greenhouse-{next(NUMBERS)}"
    posted = data(await platform.stranger.post(f"/devices/{ident}/webhook", json={"moisture": 41.5}))
    assert posted["draft"] is True
    drafts = (await platform.say("GET", "/devices/drafts"))["items"]
    assert ident in {draft["device_id"] for draft in drafts}
    body = {"new_type": {"device_type": f"planter{next(NUMBERS)}", "name": "Planter"}}
    assert (await platform.say("POST", f"/devices/drafts/{ident}/approve", body))["registered"] is True
    history = await platform.say("GET", f"/devices/{ident}/history", metric="moisture", time_range="1h")
    assert [point["value"] for point in history["data"]["moisture"]] == [41.5]


@needs("commands", "transport_mqtt", "mqtt_broker")
async def test_a_command_over_mqtt(platform):
    from paho.mqtt.client import CallbackAPIVersion, Client

    ident, loop = await device(platform), asyncio.get_running_loop()
    arrived, ready = loop.create_future(), asyncio.Event()
    info = await platform.say("GET", "/system/info") if "system" in platform.plugins else None
    port = info["mqtt"]["port"] if info else (await platform.say("GET", "/mqtt/status"))["status"]["listen_port"]
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"device-{ident}")
    client.on_connect = lambda *_: client.subscribe(f"device/{TYPE['device_type']}/{ident}/downlink", qos=1)
    client.on_subscribe = lambda *_: loop.call_soon_threadsafe(ready.set)
    client.on_message = lambda _c, _u, message: loop.call_soon_threadsafe(arrived.set_result, message.payload)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        await asyncio.wait_for(ready.wait(), SOON_S)
        uplink = f"device/{TYPE['device_type']}/{ident}/uplink"
        client.publish(uplink, json.dumps({"temperature": 25.5}), qos=1)

        async def stored():
            history = await platform.say("GET", f"/devices/{ident}/history", metric="temperature", time_range="1h")
            return history["data"].get("temperature")

        assert [point["value"] for point in await until(stored)] == [25.5]
        wrong = {"command": "beep", "params": {"seconds": 99}}
        refused = await platform.api.post(f"/devices/{ident}/control", json=wrong)
        assert "seconds" in error(refused, 422, "VALIDATION_ERROR")["message"]
        sent = await platform.say("POST", f"/devices/{ident}/control", {"command": "beep", "params": {"seconds": 2}})
        assert sent["sent"] is True
        payload = json.loads(await asyncio.wait_for(arrived, SOON_S))
        assert payload["params"] == {"seconds": 2}
    finally:
        client.disconnect()
        client.loop_stop()


@needs("dashboards")
async def test_dashboards(platform):
    made = await platform.say("POST", "/dashboards", DASHBOARD)
    ident = made["id"]
    assert ident.startswith("dashboard_")
    assert made["components"][0]["data_source"] == DASHBOARD["components"][0]["data_source"]
    assert ident in {row["id"] for row in (await platform.say("GET", "/dashboards"))["dashboards"]}
    moved = [{**DASHBOARD["components"][0], "position": {"x": 3, "y": 0, "w": 2, "h": 1}}]
    layout = {"columns": 24, "rows": "auto", "breakpoints": {"lg": 1200, "md": 996, "sm": 768, "xs": 480}}
    changed = await platform.say("PUT", f"/dashboards/{ident}", {"components": moved, "layout": layout})
    assert (changed["components"][0]["position"]["x"], changed["layout"]["columns"]) == (3, 24)
    link = await platform.say("POST", f"/dashboards/{ident}/share", {"expires_in_hours": 1})
    shared = data(await platform.stranger.get(f"/dashboards/shared/{link['token']}"))
    assert shared["dashboard"]["id"] == ident
    assert link["expires_at"] - link["created_at"] == 3600
    brief = await platform.say("POST", f"/dashboards/{ident}/share", {"expires_in_hours": 0.00001})

    async def expired():
        answer = await platform.stranger.get(f"/dashboards/shared/{brief['token']}")
        return answer if answer.status_code == 410 else None

    error(await until(expired), 410, "GONE")
    await platform.say("DELETE", f"/dashboards/{ident}")
    error(await platform.api.get(f"/dashboards/{ident}"), 404, "DASHBOARD_NOT_FOUND")


@needs("rules", "telemetry", "messages", "transport_webhook")
async def test_rules(platform):
    # The page's own example, whose device need not be there yet.
    rule = (await platform.say("POST", "/rules", RULE))["rule"]
    assert (rule["condition"]["operator"], rule["enabled"]) == (">", True)
    ident = await device(platform, device_id=f"sensor-{next(NUMBERS)}")
    watched = {**RULE["condition"], "source": f"device:{ident}:temperature"}
    message = f"Too hot at {ident}"
    body = {"condition": watched, "actions": [{"type": "notify", "message": message}]}
    await platform.say("PUT", f"/rules/{rule['id']}", body)

    async def told():
        found = (await platform.say("GET", "/messages"))["messages"]
        return [one for one in found if one["message"] == message]

    await platform.stranger.post(f"/devices/{ident}/webhook", json={"temperature": 21})
    tried = await platform.say("POST", f"/rules/{rule['id']}/test")
    assert (tried["condition_met"], tried["value_used"]) == (False, 21)
    tried = await platform.say("POST", f"/rules/{rule['id']}/test", {"value": 35})
    assert tried["condition_met"] is True
    assert await told() == [], "a dry run acts on nothing"
    await platform.stranger.post(f"/devices/{ident}/webhook", json={"temperature": 34.5})
    assert len(await until(told)) == 1
    detail = await platform.say("GET", f"/rules/{rule['id']}")
    assert detail["rule"]["trigger_count"] == 1
    assert (await platform.say("DELETE", f"/rules/{rule['id']}"))["deleted"] is True
    error(await platform.api.get(f"/rules/{rule['id']}"), 404, "RULE_NOT_FOUND")


@needs("agents")
async def test_agents(platform):
    made = await platform.say("POST", "/agents", AGENT)
    ident = made["id"]
    assert made["status"] == "active"
    for key in ("user_prompt", "schedule"):
        answer = await platform.api.post("/agents", json={name: AGENT[name] for name in AGENT if name != key})
        assert answer.status_code in (400, 422), key
        assert key in answer.json()["error"]["message"]
    bound = {name: AGENT[name] for name in ("user_prompt", "schedule")}
    assert (await platform.api.post("/agents", json=bound)).status_code in (400, 422), "free is said, or resources"
    assert ident in {row["id"] for row in (await platform.say("GET", "/agents"))["agents"]}
    await platform.say("PUT", f"/agents/{ident}", {"name": "Watch"})
    for word, shown in [("paused", "Paused"), ("active", "Active")]:
        assert (await platform.say("POST", f"/agents/{ident}/status", {"status": word}))["status"] == word
        assert (await platform.say("GET", f"/agents/{ident}"))["status"] == shown
    executions = await platform.say("GET", f"/agents/{ident}/executions")
    assert (executions["agent_id"], executions["executions"]) == (ident, [])
    await platform.say("DELETE", f"/agents/{ident}")
    error(await platform.api.get(f"/agents/{ident}"), 404, "AGENT_NOT_FOUND")


@needs("llm", "llm_openai")
async def test_llm_backends(platform):
    ident = (await platform.say("POST", "/llm-backends", BACKEND))["id"]
    path = f"/llm-backends/{ident}"

    async def show():
        return (await platform.say("GET", path))["backend"]

    backend = await show()
    assert backend["api_key_configured"] is True
    assert BACKEND["api_key"] not in json.dumps(backend)
    for multimodal in (True, False):
        await platform.say("PATCH", f"{path}/capabilities", {"multimodal": multimodal})
        await platform.say("PUT", path, {"name": f"Local {multimodal}"})
        capabilities = (await show())["capabilities"]
        assert (capabilities["supports_multimodal"], capabilities["multimodal_user_override"]) == (
            multimodal,
            multimodal,
        )
    await platform.say("PATCH", f"{path}/capabilities", {"multimodal": None})
    assert (await show())["capabilities"].get("multimodal_user_override") is None
    assert (await platform.api.patch(f"{path}/capabilities", json={})).status_code == 400
    assert ident in {row["id"] for row in (await platform.say("GET", "/llm-backends"))["backends"]}
    await platform.say("DELETE", path)
    error(await platform.api.get(path), 404, "LLM_BACKEND_NOT_FOUND")


@needs("messages", "channel_webhook")
async def test_messages(platform):
    channel = World(platform).channel()
    kinds = data(await platform.stranger.get("/messages/channels/types"))["types"]
    assert "webhook" in {kind["id"] for kind in kinds}
    await platform.say("POST", "/messages/channels", channel)
    path = f"/messages/channels/{channel['name']}"
    tried = await platform.say("POST", f"{path}/test")
    assert tried["success"] is True
    await platform.say("PUT", path, {"config": {"url": f"{platform.sink.url}/second"}})
    title = f"Hello {next(NUMBERS)}"
    sent = await platform.say("POST", "/messages/send", {**MESSAGE, "title": title})

    async def delivered():
        arrived = [one.json() for one in platform.sink.requests if one.target == "/second" and one.body]
        return [one for one in arrived if one["title"] == title]

    assert (await until(delivered))[0]["id"] == sent["id"]
    assert sent["id"] in {row["id"] for row in (await platform.say("GET", "/messages"))["messages"]}
    assert channel["name"] in {row["name"] for row in (await platform.say("GET", "/messages/channels"))["channels"]}
    await platform.say("DELETE", path)
    error(await platform.api.post(f"{path}/test"), 404, "CHANNEL_NOT_FOUND")


@needs("extension_admin", "example")
async def test_extensions(platform):
    listed = {row["id"]: row for row in data(await platform.stranger.get("/extensions"))}
    assert listed["example"]["name"]
    assert {row["id"] for row in await platform.say("GET", "/extensions/types")} >= {"tool", "generic"}
    assert "discovered" in await platform.say("POST", "/extensions/discover")
    assert (await platform.say("GET", "/extensions/example"))["id"] == "example"
    assert (await platform.say("GET", "/extensions/example/health"))["healthy"] is True
    assert "roll" in {row["id"] for row in await platform.say("GET", "/extensions/example/commands")}
    rolled = await platform.say("POST", "/extensions/example/commands/roll", {"count": 2})
    assert 2 <= rolled["total"] <= 12
    components = await platform.say("GET", "/extensions/example/components")
    assert {component["type"] for component in components} == {"big-number"}
    error(await platform.api.post("/extensions/example/commands/jump"), 404, "COMMAND_NOT_FOUND")


@needs("data_push", "telemetry", "transport_webhook")
async def test_data_push(platform):
    ident = await device(platform)
    body = {**World(platform).push(), "data_filter": {"source_patterns": [f"device:{ident}:"]}}
    target = (await platform.say("POST", "/data-push", body))["id"]
    path = f"/data-push/{target}"
    tried = await platform.say("POST", f"{path}/test")
    assert (tried["target_id"], tried["status"]) == (target, "success")
    await platform.say("POST", f"{path}/start")
    assert (await platform.say("GET", path))["enabled"] is True
    await platform.stranger.post(f"/devices/{ident}/webhook", json={"temperature": 23.25})
    source = f"device:{ident}:temperature"

    async def pushed():
        arrived = [one.json() for one in platform.sink.requests if one.target == "/push" and one.body]
        return [one for one in arrived if one.get("source_id") == source]

    assert (await until(pushed))[0]["value"] == 23.25

    async def logged():
        rows = (await platform.say("GET", f"{path}/logs"))["logs"]
        return [row for row in rows if row["data_source_id"] == source and row["status"] == "success"]

    assert await until(logged)
    await platform.say("POST", f"{path}/stop")
    assert (await platform.say("GET", path))["enabled"] is False
    await platform.say("PUT", path, {"name": "renamed"})
    assert "renamed" in {row["name"] for row in (await platform.say("GET", "/data-push"))["targets"]}
    await platform.say("DELETE", path)
    error(await platform.api.get(path), 404, "PUSH_TARGET_NOT_FOUND")


@needs("settings", "system", "telemetry")
async def test_system(platform):
    assert data(await platform.stranger.get("/health"))["status"] == "ok"
    info = await platform.say("GET", "/system/info")
    assert {"mqtt", "network", "device_connection"} <= set(info)
    assert data(await platform.stranger.get("/system/network-info"))["server_url"].startswith("http")
    before = await platform.say("GET", "/settings/retention")
    hours = before["default_retention"] + 1
    await platform.say("PUT", "/settings/retention", {"default_retention": hours})
    after = await platform.say("GET", "/settings/retention")
    assert after == {**before, "default_retention": hours}
    assert (await platform.say("GET", "/settings"))["retention"] == after
    reader = {"X-API-Key": await key_with(platform, "settings:read")}
    assert data(await platform.stranger.get("/settings/retention", headers=reader)) == after
    refused = await platform.stranger.put("/settings/retention", json={"interval_hours": 2}, headers=reader)
    error(refused, 403, "INSUFFICIENT_PERMISSIONS")


@needs("realtime", "telemetry", "transport_webhook")
async def test_realtime(platform):
    ident = await device(platform)
    url = f"{platform.address.replace('http', 'ws', 1)}/api/events?api_key={platform.key}"

    def metric(event):
        return event["type"] == "DeviceMetric" and event["data"]["device_id"] == ident

    async def over_socket():
        async with connect(url) as socket:
            assert json.loads(await socket.recv())["type"] == "Authenticated"
            opened.set()
            async for frame in socket:
                events = json.loads(frame).get("events", [])
                if found := [event for event in events if metric(event)]:
                    return found[0]["data"]["value"]
        return "closed"

    async def over_sse():
        async with platform.api.stream("GET", "/events", params={"category": "device"}) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            streaming.set()
            async for line in stream.aiter_lines():
                if line.startswith("data:") and metric(event := json.loads(line[5:])):
                    return event["data"]["value"]
        return "closed"

    opened, streaming = asyncio.Event(), asyncio.Event()
    reading = [asyncio.create_task(over_socket()), asyncio.create_task(over_sse())]
    await asyncio.wait_for(asyncio.gather(opened.wait(), streaming.wait()), SOON_S)
    await platform.stranger.post(f"/devices/{ident}/webhook", json={"temperature": 22.5})
    assert await asyncio.wait_for(asyncio.gather(*reading), SOON_S) == [22.5, 22.5]


@needs("web_console")
async def test_the_interactive_reference(platform):
    page = await platform.stranger.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert (await platform.stranger.get("/openapi.json")).json()["openapi"].startswith("3.1")
