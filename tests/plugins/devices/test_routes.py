"""Devices and types over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from neomind_plugins.devices import plugin as devices
from neomind_plugins.devices.models import DeviceSettings
from neomind_sdk import DeviceDirectory, DeviceOnline, DeviceRegistered, Point, SettingsRegistry, TelemetryStore
from neomind_sdk.testing import make_host

TYPE = {
    "device_type": "thermometer",
    "name": "Thermometer",
    "metrics": [{"name": "temperature", "data_type": "Float", "unit": "°C"}],
    "commands": [
        {
            "name": "set",
            "parameters": [
                {"name": "mode", "data_type": {"Enum": {"options": ["a", "b"]}}, "default_value": {"String": "a"}}
            ],
        }
    ],
}
DEVICE: dict[str, Any] = {"name": "Kitchen", "device_type": "thermometer", "connection_config": {}}


@pytest.fixture
async def host() -> AsyncIterator[Any]:
    async with make_host(devices) as host:
        yield host


@pytest.fixture
async def client(host: Any) -> Any:
    """An administrator, where the type ``thermometer`` is known."""
    client = host.client()
    assert (await client.post("/api/devices/types", json=TYPE)).status_code == 200
    return client


async def data(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()["data"]


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def add(client: Any, **members: Any) -> Any:
    return await data(await client.post("/api/devices", json={**DEVICE, **members}))


# ---- types ----


async def test_a_type_is_registered_and_shown(client: Any) -> None:
    answer = await client.post("/api/devices/types", json=TYPE)
    assert await data(answer) == {
        "success": True,
        "registered": True,
        "device_type": "thermometer",
        "name": "Thermometer",
    }
    shown = await data(await client.get("/api/devices/types/thermometer"))
    assert shown["metrics"] == [
        {
            "name": "temperature",
            "display_name": "",
            "data_type": "float",
            "unit": "°C",
            "min": None,
            "max": None,
            "required": False,
        }
    ]
    [parameter] = shown["commands"][0]["parameters"]
    assert parameter["data_type"] == {"enum": {"options": ["a", "b"]}}
    assert parameter["default_value"] == "a"
    assert (shown["mode"], shown["categories"], shown["store_raw"]) == ("simple", [], True)
    assert (shown["metric_count"], shown["command_count"]) == (1, 1)


async def test_the_list_of_types_has_words_and_arrays(client: Any) -> None:
    answer = await client.get("/api/devices/types")
    listed = await data(answer)
    assert listed["count"] == answer.json()["meta"]["count"] == 3
    assert [found["device_type"] for found in listed["device_types"]] == ["ne101_camera", "ne301_camera", "thermometer"]
    assert listed["device_types"][0]["commands"] == []
    found = listed["device_types"][2]
    assert found["metrics"][0]["data_type"] == "float"
    assert found["commands"] == [
        {
            "name": "set",
            "display_name": "",
            "parameters": [{"name": "mode", "display_name": "", "data_type": "enum"}],
        }
    ]


async def test_registering_a_type_again_replaces_it(client: Any) -> None:
    await data(await client.post("/api/devices/types", json={"device_type": "thermometer", "name": "Other"}))
    shown = await data(await client.get("/api/devices/types/thermometer"))
    assert (shown["name"], shown["metrics"]) == ("Other", [])


async def test_what_is_shown_can_be_put_back(client: Any) -> None:
    shown = await data(await client.get("/api/devices/types/thermometer"))
    await data(await client.put("/api/devices/types/thermometer", json={**shown, "device_type": "ignored"}))
    assert await data(await client.get("/api/devices/types/thermometer")) == shown


async def test_the_older_form_of_a_type_is_taken(client: Any) -> None:
    body = {
        "device_type": "old",
        "name": "Old",
        "mode": "Full",
        "uplink": {"metrics": TYPE["metrics"], "samples": [{}]},
    }
    await data(await client.post("/api/devices/types", json={**body, "downlink": {"commands": TYPE["commands"]}}))
    shown = await data(await client.get("/api/devices/types/old"))
    assert (shown["metric_count"], shown["command_count"], shown["uplink_samples"]) == (1, 1, [{}])
    assert shown["mode"] == "full"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"device_type": "a b"}, (400, "BAD_REQUEST")),
        ({"device_type": ""}, (400, "BAD_REQUEST")),
        ({"metrics": [{"name": ""}]}, (400, "BAD_REQUEST")),
        ({"commands": [{"name": " "}]}, (400, "BAD_REQUEST")),
        ({"device_type": 5}, (422, "VALIDATION_ERROR")),
        ({"name": ""}, (422, "VALIDATION_ERROR")),
        ({"metrics": {}}, (422, "VALIDATION_ERROR")),
        ({"metrics": [{"name": "a", "min": "low"}]}, (422, "VALIDATION_ERROR")),
        ({"metrics": [{"name": "a"}, {"name": "a"}]}, (422, "VALIDATION_ERROR")),
        ({"metrics": [{"name": "a..b"}]}, (422, "VALIDATION_ERROR")),
        ({"mode": "middling"}, (422, "VALIDATION_ERROR")),
        ({"default_offline_timeout_secs": 9}, (422, "VALIDATION_ERROR")),
    ],
)
async def test_types_that_cannot_be(client: Any, change: Any, expected: tuple[int, str]) -> None:
    assert code(await client.post("/api/devices/types", json={**TYPE, **change})) == expected


async def test_a_regex_that_does_not_compile_is_named_by_its_path(client: Any) -> None:
    parameter = {"name": "p", "validation": [{"type": "pattern", "regex": "("}]}
    body = {**TYPE, "commands": [{"name": "c", "parameters": [parameter]}]}
    answer = await client.post("/api/devices/types", json=body)
    assert code(answer) == (422, "VALIDATION_ERROR")
    [detail] = answer.json()["error"]["details"]
    assert detail["field"] == "commands[0].parameters[0].validation[0].regex"


async def test_a_type_is_deleted_when_no_device_is_of_it(client: Any) -> None:
    await add(client, device_id="t1")
    assert code(await client.delete("/api/devices/types/thermometer")) == (409, "CONFLICT")
    await data(await client.delete("/api/devices/t1"))
    assert await data(await client.delete("/api/devices/types/thermometer")) == {
        "success": True,
        "device_type": "thermometer",
        "deleted": True,
    }
    assert code(await client.get("/api/devices/types/thermometer")) == (404, "DEVICE_TYPE_NOT_FOUND")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_type_that_is_not_there(client: Any, method: str) -> None:
    body = {"json": {"name": "x"}} if method == "PUT" else {}
    answer = await client.request(method, "/api/devices/types/nothing", **body)
    assert code(answer) == (404, "DEVICE_TYPE_NOT_FOUND")


async def test_a_draft_of_a_type_can_be_registered(client: Any) -> None:
    body = {"device_name": "Pump", "uplink_example": '{"flow": 1.5}', "downlink_example": '{"cmd": "stop"}'}
    drafted = await data(await client.post("/api/devices/generate-mdl", json=body))
    assert drafted["uplink"]["metrics"][0]["name"] == "flow"
    assert drafted["downlink"]["commands"][0]["name"] == "stop"
    await data(await client.post("/api/devices/types", json=drafted))
    shown = await data(await client.get("/api/devices/types/pump"))
    assert (shown["metric_count"], shown["command_count"], shown["categories"]) == (1, 1, ["sensor"])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"device_name": "a", "uplink_example": "{"}, (400, "BAD_REQUEST")),
        ({"device_name": "a", "downlink_example": "5"}, (400, "BAD_REQUEST")),
        ({}, (422, "VALIDATION_ERROR")),
        ({"device_name": "x" * 101}, (422, "VALIDATION_ERROR")),
        ({"device_name": "a", "description": "x" * 501}, (422, "VALIDATION_ERROR")),
        ({"device_name": "a", "uplink_example": "x" * 10_241}, (422, "VALIDATION_ERROR")),
    ],
)
async def test_drafts_that_cannot_be(client: Any, body: Any, expected: tuple[int, str]) -> None:
    assert code(await client.post("/api/devices/generate-mdl", json=body)) == expected


# ---- devices ----


async def test_a_device_is_made_with_what_the_reference_page_sends(host: Any, client: Any) -> None:
    made = await add(client)
    ident = made["device_id"]
    assert ident == made["id"]
    prefix, _, digits = ident.rpartition("_")
    assert prefix == "thermometer"
    assert len(bytes.fromhex(digits)) == 4
    assert made == {
        "id": ident,
        "device_id": ident,
        "name": "Kitchen",
        "device_type": "thermometer",
        "adapter_type": "mqtt",
        "adapter_id": None,
        "plugin_id": "internal-mqtt",
        "plugin_name": "Internal MQTT",
        "status": "disconnected",
        "online": False,
        "last_seen": None,
        "status_since": None,
        "status_reason": "never heard from",
        "transport_connected": False,
        "transport_changed_at": None,
        "offline_timeout_secs": None,
        "effective_offline_timeout_secs": 300,
        "metric_count": 1,
        "command_count": 1,
        "config": {},
        "connection_config": {},
        "added": True,
    }
    assert host.events.of(DeviceRegistered) == [DeviceRegistered(device_id=ident, device_type="thermometer")]


async def test_everything_a_device_may_be_made_with(client: Any) -> None:
    config = {"telemetry_topic": "a/b", "json_path": None, "ble": {"mac": "aa"}, "webhook_token": "s3cret"}
    made = await add(
        client,
        device_id="t1",
        adapter_type="webhook",
        adapter_id="x",
        connection_config=config,
        offline_timeout_secs=60,
    )
    assert made["connection_config"] == {**config, "webhook_token": "***"}
    assert made["config"] == {"telemetry_topic": "a/b", "ble": '{"mac":"aa"}', "webhook_token": "***"}
    assert (made["adapter_type"], made["plugin_id"], made["plugin_name"]) == ("webhook", "x", "x")
    assert (made["offline_timeout_secs"], made["effective_offline_timeout_secs"]) == (60, 60)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": " "}, (422, "VALIDATION_ERROR")),
        ({"name": None}, (422, "VALIDATION_ERROR")),
        ({"connection_config": None}, (422, "VALIDATION_ERROR")),
        ({"connection_config": []}, (422, "VALIDATION_ERROR")),
        ({"offline_timeout_secs": "60"}, (422, "VALIDATION_ERROR")),
        ({"adapter_type": ""}, (422, "VALIDATION_ERROR")),
        ({"connection_config": {"command_topic": 1}}, (400, "INVALID_DEVICE_CONFIG")),
        ({"connection_config": {"webhook_token": "***"}}, (400, "INVALID_DEVICE_CONFIG")),
        ({"offline_timeout_secs": 29}, (400, "BAD_REQUEST")),
        ({"device_id": "drafts"}, (400, "BAD_REQUEST")),
        ({"device_id": "a/b"}, (400, "BAD_REQUEST")),
        ({"device_type": "nothing"}, (404, "DEVICE_TYPE_NOT_FOUND")),
    ],
)
async def test_devices_that_cannot_be(client: Any, change: Any, expected: tuple[int, str]) -> None:
    assert code(await client.post("/api/devices", json={**DEVICE, **change})) == expected
    assert (await data(await client.get("/api/devices")))["count"] == 0


@pytest.mark.parametrize("member", ["name", "device_type", "connection_config"])
async def test_members_a_device_must_have(client: Any, member: str) -> None:
    body = {key: value for key, value in DEVICE.items() if key != member}
    answer = await client.post("/api/devices", json=body)
    assert code(answer) == (422, "VALIDATION_ERROR")
    assert answer.json()["error"]["details"][0]["field"] == member


async def test_of_two_devices_of_one_id_one_is_made(client: Any) -> None:
    body = {**DEVICE, "device_id": "t1"}
    answers = await asyncio.gather(*(client.post("/api/devices", json=body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]


async def test_a_device_is_shown_with_metrics_and_commands(host: Any, client: Any) -> None:
    await add(client, device_id="t1", connection_config={"webhook_token": "s3cret"})
    now_ms = host.clock.now_ms()
    await host.services[TelemetryStore].append(
        [Point("device:t1:temperature", now_ms, 21.5), Point("device:t1:extra", now_ms, "x")]
    )
    host.services[DeviceDirectory].seen("t1", now_ms)
    shown = await data(await client.get("/api/devices/t1"))
    assert shown["current_values"] == {"temperature": 21.5, "extra": "x"}
    assert shown["metrics"]["temperature"] == {
        "name": "temperature",
        "display_name": "temperature",
        "unit": "°C",
        "data_type": "float",
        "value": 21.5,
        "timestamp": now_ms / 1000,
        "is_virtual": False,
    }
    assert shown["metrics"]["extra"]["unit"] == "-"
    assert [command["name"] for command in shown["commands"]] == ["set"]
    assert shown["connection_config"] == shown["config"] == {"webhook_token": "***"}
    assert (shown["status"], shown["online"]) == ("online", True)
    assert shown["last_seen"].endswith("+00:00")
    current = await data(await client.get("/api/devices/t1/current"))
    assert current["metrics"] == shown["metrics"]
    assert current["commands"] == shown["commands"]
    assert set(current["device"]) < set(shown)
    assert {key: shown[key] for key in current["device"]} == current["device"]


async def test_secrets_are_masked_for_every_role_in_every_answer(host: Any, client: Any) -> None:
    texts = [(await client.post("/api/devices", json=guarded("t1"))).text]
    for caller in (client, host.client(role="user"), host.client(role="viewer")):
        for path in ("devices", "devices/t1", "devices/t1/current", "stats/devices"):
            answer = await caller.get(f"/api/{path}")
            assert answer.status_code == 200
            texts.append(answer.text)
    assert not any("s3cret" in text for text in texts)


def guarded(ident: str) -> dict[str, Any]:
    return {**DEVICE, "device_id": ident, "connection_config": {"webhook_token": "s3cret"}}


async def test_a_device_is_changed_member_by_member(host: Any, client: Any) -> None:
    await data(await client.post("/api/devices", json={**guarded("t1"), "offline_timeout_secs": 60}))
    for change, member, value in (
        ({"name": "Cellar"}, "name", "Cellar"),
        ({}, "offline_timeout_secs", 60),
        ({"adapter_type": "webhook", "name": None}, "name", "Cellar"),
        ({"adapter_id": "x"}, "adapter_type", "webhook"),
        ({"offline_timeout_secs": 90}, "effective_offline_timeout_secs", 90),
        ({"offline_timeout_secs": None}, "offline_timeout_secs", None),
        ({"connection_config": {"a": 1}}, "connection_config", {"a": 1, "webhook_token": "***"}),
        ({"connection_config": {"webhook_token": None}}, "connection_config", {}),
        ({"device_type": "ne101_camera", "device_id": "t2"}, "device_type", "thermometer"),
    ):
        answer = await client.put("/api/devices/t1", json=change)
        assert await data(answer) == {"device_id": "t1", "updated": True}
        assert (await data(await client.get("/api/devices/t1")))[member] == value
    assert host.services[DeviceDirectory].webhook_token_ok("t1", None)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": ""}, (422, "VALIDATION_ERROR")),
        ({"connection_config": "x"}, (422, "VALIDATION_ERROR")),
        ({"offline_timeout_secs": "x"}, (422, "VALIDATION_ERROR")),
        ({"offline_timeout_secs": 86_401}, (400, "BAD_REQUEST")),
        ({"connection_config": {"entity_id": 1}}, (400, "INVALID_DEVICE_CONFIG")),
    ],
)
async def test_changes_that_cannot_be(client: Any, change: Any, expected: tuple[int, str]) -> None:
    made = await add(client, device_id="t1")
    assert code(await client.put("/api/devices/t1", json=change)) == expected
    shown = await data(await client.get("/api/devices/t1"))
    assert {**shown, "added": True}.items() >= made.items()


async def test_a_device_is_deleted_and_its_history_stays(host: Any, client: Any) -> None:
    await add(client, device_id="t1")
    store = host.services[TelemetryStore]
    await store.append([Point("device:t1:temperature", 1, 5)])
    assert await data(await client.delete("/api/devices/t1")) == {"device_id": "t1", "deleted": True}
    assert code(await client.get("/api/devices/t1")) == (404, "DEVICE_NOT_FOUND")
    assert await store.series("device:t1:") == ["device:t1:temperature"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/devices/nothing"),
        ("PUT", "/api/devices/nothing"),
        ("DELETE", "/api/devices/nothing"),
        ("GET", "/api/devices/nothing/current"),
    ],
)
async def test_a_device_that_is_not_there(client: Any, method: str, path: str) -> None:
    answer = await client.request(method, path, **({"json": {}} if method == "PUT" else {}))
    assert code(answer) == (404, "DEVICE_NOT_FOUND")
    assert answer.json()["error"]["message"] == "Device with id 'nothing' not found"


async def test_pages_of_the_list(client: Any) -> None:
    for name in "cab":
        await add(client, device_id=f"id-{name}", name=name)
    answer = await client.get("/api/devices", params={"page": 2, "limit": 2})
    page = await data(answer)
    assert [found["name"] for found in page["devices"]] == ["c"]
    assert page["count"] == 1
    assert page["pagination"] == {
        "page": 2,
        "limit": 2,
        "total": 3,
        "total_pages": 2,
        "has_next": False,
        "has_prev": True,
    }
    meta = answer.json()["meta"]
    assert meta["count"] == 1
    assert meta["pagination"] == {**page["pagination"], "page_size": 2, "total_count": 3}
    assert "current_values" not in page["devices"][0]


async def test_filters_of_the_list(host: Any, client: Any) -> None:
    await add(client, device_id="t1", name="Kitchen")
    await add(client, device_id="cam", name="Door", device_type="ne101_camera")
    host.services[DeviceDirectory].seen("t1", host.clock.now_ms())
    for params, expected in (
        ({}, ["cam", "t1"]),
        ({"device_type": "ne101_camera"}, ["cam"]),
        ({"device_type": "nothing"}, []),
        ({"status": "online"}, ["t1"]),
        ({"status": "connected"}, ["t1"]),
        ({"status": "disconnected"}, ["cam"]),
        ({"status": "offline"}, []),
        ({"search": "kitch"}, ["t1"]),
        ({"search": "CAM"}, ["cam"]),
        ({"page_size": "1", "limit": "7"}, ["cam"]),
    ):
        page = await data(await client.get("/api/devices", params=params))
        assert [found["device_id"] for found in page["devices"]] == expected, params


@pytest.mark.parametrize(
    "params", [{"page": 0}, {"limit": 0}, {"limit": 1001}, {"page_size": 1001}, {"page": "x"}, {"status": "asleep"}]
)
async def test_pages_that_cannot_be(client: Any, params: Any) -> None:
    assert code(await client.get("/api/devices", params=params)) == (422, "VALIDATION_ERROR")


async def test_current_values_of_several_devices(host: Any, client: Any) -> None:
    await add(client, device_id="t1")
    await host.services[TelemetryStore].append([Point("device:t1:temperature", 1, 5), Point("device:t1:_raw", 1, "{}")])
    answer = await client.post("/api/devices/current-batch", json={"device_ids": ["t1", "gone"]})
    assert await data(answer) == {
        "devices": {
            "t1": {"device_id": "t1", "current_values": {"temperature": 5}},
            "gone": {"device_id": "gone", "current_values": {}},
        },
        "count": 2,
    }
    for wrong in ({}, {"device_ids": "t1"}, {"device_ids": [1]}, {"device_ids": ["x"] * 1001}):
        assert code(await client.post("/api/devices/current-batch", json=wrong)) == (422, "VALIDATION_ERROR")


async def test_statistics(host: Any, client: Any) -> None:
    await add(client, device_id="t1")
    await add(client, device_id="t2")
    host.services[DeviceDirectory].seen("t1", 1_000)
    stats = (await data(await client.get("/api/stats/devices")))["stats"]
    assert (stats["total_devices"], stats["online_devices"], stats["offline_devices"]) == (2, 0, 2)
    assert stats["devices"][0] == {
        "device_id": "t1",
        "device_type": "thermometer",
        "name": "Kitchen",
        "online": False,
        "metrics_count": 1,
        "last_seen": 1,
    }
    assert stats["devices"][1]["last_seen"] is None


# ---- who may, settings, life ----


async def test_who_may_do_what(host: Any, client: Any) -> None:
    await add(client, device_id="t1")
    reader, writer = host.client(scopes={"devices:read"}), host.client(scopes={"devices:write"})
    viewer, nobody = host.client(role="viewer"), host.client(role=None)
    for path in ("devices", "devices/t1", "devices/t1/current", "devices/types", "devices/types/thermometer"):
        for caller, status in ((reader, 200), (viewer, 200), (writer, 403), (nobody, 401)):
            assert (await caller.get(f"/api/{path}")).status_code == status, path
    batch = {"device_ids": ["t1"]}
    assert (await viewer.post("/api/devices/current-batch", json=batch)).status_code == 200
    for caller, status in ((reader, 403), (viewer, 403), (nobody, 401), (writer, 200)):
        body = {**DEVICE, "device_id": f"made-{status}"}
        assert (await caller.post("/api/devices", json=body)).status_code == status
        assert (await caller.put("/api/devices/t1", json={})).status_code == status
        assert (await caller.post("/api/devices/types", json={**TYPE, "device_type": "x"})).status_code == status
        assert (await caller.delete("/api/devices/types/x")).status_code == status
    assert (await writer.delete("/api/devices/t1")).status_code == 200


async def test_the_setting_is_the_last_word_on_being_offline(host: Any, client: Any) -> None:
    await add(client, device_id="t1")
    host.services[DeviceDirectory].seen("t1", host.clock.now_ms())
    await host.clock.advance(60)
    assert (await data(await client.get("/api/devices/t1")))["status"] == "online"
    host.services[SettingsRegistry].replace("device", DeviceSettings(default_offline_timeout_secs=30))
    shown = await data(await client.get("/api/devices/t1"))
    assert (shown["status"], shown["effective_offline_timeout_secs"]) == ("offline", 30)


async def test_when_devices_were_seen_is_saved_in_the_background(host: Any, client: Any) -> None:
    await add(client, device_id="t1")
    directory = host.services[DeviceDirectory]
    directory.seen("t1", host.clock.now_ms())
    assert host.events.of(DeviceOnline) == [DeviceOnline(device_id="t1", device_type="thermometer")]
    await host.clock.advance(10)
    await host.settle()
    assert not directory.presence._unsaved
