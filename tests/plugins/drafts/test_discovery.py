"""From the first message of an unknown device to its history."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from neomind_sdk import (
    Database,
    DeviceDiscovered,
    DeviceOnline,
    DeviceRegistered,
    MetricsStored,
    SettingsRegistry,
    StorageBusy,
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
MIB = 1024 * 1024


async def test_the_whole_way(world: Any) -> None:
    for temperature in (21, 22.5):
        answer = await world.post("boiler", {"temperature": temperature, "on": True})
        assert (answer.status_code, answer.json()["data"]["draft"]) == (200, True)
        await world.host.clock.advance(1)
    assert await world.history("boiler") == {}

    draft = await world.analyzed("boiler")
    assert (draft["status"], draft["sample_count"], draft["source"]) == ("waiting_processing", 2, "webhook")
    assert (await world.data("GET")) == {"items": [draft], "count": 1}

    approved = await world.data("POST", "/boiler/approve")
    assert approved["registered"] is True
    assert approved["original_device_id"] == approved["system_device_id"] == "boiler"
    assert approved["device_type"] == draft["generated_type"]["device_type"] == "auto_boiler"
    assert approved["recommended_topic"] == "device/auto_boiler/boiler/uplink"
    assert await world.data("GET") == {"items": [], "count": 0}

    history = await world.history("boiler")
    start_ms = draft["discovered_at"] * 1000
    assert [(at.ts_ms, at.value) for at in history["temperature"]] == [(start_ms, 21), (start_ms + 1000, 22.5)]
    answer = await world.post("boiler", {"temperature": 23, "on": False})
    assert answer.json()["data"] == {
        "success": True,
        "device_id": "boiler",
        "metrics_received": 3,
        "metrics_processed": 3,
    }
    assert [at.value for at in (await world.history("boiler"))["temperature"]] == [21, 22.5, 23]
    device = (await world.client.get("/api/devices/boiler")).json()["data"]
    assert (device["status"], device["adapter_type"], device["adapter_id"]) == ("online", "webhook", "internal-webhook")


async def test_what_is_told(world: Any) -> None:
    for number in range(2):
        await world.post("boiler", {"temperature": number})
    await world.analyzed("boiler")
    await world.data("POST", "/boiler/approve")
    [seen] = world.host.events.of(DeviceDiscovered)
    assert (seen.device_id, seen.source, seen.is_binary) == ("boiler", "webhook", False)
    assert seen.sample == {
        "device_id": "boiler",
        "timestamp": 1_700_000_000,
        "topic": None,
        "format": "json",
        "is_binary": False,
        "data": {"temperature": 0},
    }
    draft_id = "draft-boiler-1700000000"
    assert [data["sample_count"] for data in world.onboard("sample_collected")] == [1, 2]
    assert world.onboard("draft_created") == [
        {"event_type": "draft_created", "draft_id": draft_id, "device_id": "boiler", "source": "webhook"}
    ]
    assert world.onboard("analysis_started")[0]["sample_count"] == 1
    assert world.onboard("analysis_completed")[-1] == {
        "event_type": "analysis_completed",
        "draft_id": draft_id,
        "device_type": "auto_boiler",
    }
    assert world.onboard("device_registered") == [
        {
            "event_type": "device_registered",
            "draft_id": draft_id,
            "device_id": "boiler",
            "device_type": "auto_boiler",
        }
    ]
    assert len(world.host.events.of(DeviceRegistered)) == len(world.host.events.of(DeviceOnline)) == 1
    [stored] = world.host.events.of(MetricsStored)
    assert stored.source == "adapter:webhook:boiler"


MESSAGES: list[dict[str, Any]] = [
    {"json": {"temperature": 21, "extra": {"deep": [1, {"x": None}]}}},
    {"json": {"data": {"temperature": 22.5}, "timestamp": 1_699_999_000.25, "quality": 0.5}},
    {"json": {"data": {"data": {"temperature": 3}}}},
    {"json": {"data": 7}},
    {"json": [{"temperature": 1, "timestamp": 1_600_000_000}, {"temperature": 2, "timestamp": 1_600_000_000}]},
    {"json": {"temperature": None}},
    {"content": b"warm", "headers": {"content-type": "text/plain"}},
    {"data": {"temperature": "9", "b": ""}},
]


async def test_the_history_is_what_direct_ingestion_would_have_stored(world: Any) -> None:
    for message in MESSAGES:
        answer = await world.post("late", **message)
        assert answer.json()["data"]["draft"] is True, message
    approved = await world.data("POST", "/late/approve")
    device = {"name": "d", "device_id": "direct", "device_type": approved["device_type"], "connection_config": {}}
    assert (await world.client.post("/api/devices", json=device)).status_code == 200
    for message in MESSAGES:
        assert (await world.post("direct", **message)).status_code == 200
    late, direct = await world.history("late"), await world.history("direct")
    assert late == direct
    assert {"temperature", "extra.deep", "data.temperature", "value", "text", "b", "_raw"} <= set(late)
    assert [sample.quality for sample in late["temperature"] if sample.quality] == [0.5]


async def test_images_become_files_when_the_device_is_approved(world: Any) -> None:
    assert (await world.post("cam", content=PNG, headers={"content-type": "image/png"})).json()["data"]["draft"] is True
    await world.data("POST", "/cam/approve")
    [sample] = (await world.history("cam"))["image"]
    picture = await world.anonymous.get(sample.value)
    assert (picture.status_code, picture.content) == (200, PNG)


async def test_binary_messages(world: Any) -> None:
    assert await world.mqtt("bin", b"\x00\xff\x01", original_topic="x/bin", adapter_id="embedded") == [True]
    draft = await world.analyzed("bin")
    assert draft["status"] == "waiting_processing"
    assert draft["generated_type"]["metrics"] == []
    [seen] = world.host.events.of(DeviceDiscovered)
    assert (seen.is_binary, seen.sample["format"], seen.sample["data"]) == (True, "base64", "AP8B")
    assert seen.metadata == {"broker_id": "embedded", "original_topic": "x/bin"}
    await world.data("POST", "/bin/approve")
    assert [sample.value for sample in (await world.history("bin"))["value"]] == ["AP8B"]


async def test_a_device_over_mqtt_goes_on_where_it_was_found(world: Any) -> None:
    await world.mqtt("m1", {"temperature": 1}, original_topic="home/m1/state", adapter_id="embedded")
    assert (await world.analyzed("m1"))["original_topic"] == "home/m1/state"
    await world.data("POST", "/m1/approve")
    device = (await world.client.get("/api/devices/m1")).json()["data"]
    assert (device["adapter_type"], device["adapter_id"]) == ("mqtt", "embedded")
    assert device["connection_config"] == {"telemetry_topic": "home/m1/state"}


async def test_retained_messages_are_no_sign_of_life(world: Any) -> None:
    await world.mqtt("m1", {"temperature": 1}, retained=True)
    await world.data("POST", "/m1/approve")
    device = (await world.client.get("/api/devices/m1")).json()["data"]
    assert device["status"] == "disconnected"
    assert [sample.value for sample in (await world.history("m1"))["temperature"]] == [1]


async def test_a_message_without_values_fails_until_there_are_some(world: Any) -> None:
    await world.mqtt("odd", [1, 2, 3])
    draft = await world.analyzed("odd")
    assert (draft["status"], draft["generated_type"]) == ("failed", None)
    assert draft["error_message"]
    assert world.onboard("analysis_failed") == [
        {"event_type": "analysis_failed", "draft_id": draft["id"], "error": draft["error_message"]}
    ]
    assert await world.error("POST", "/odd/approve") == (400, "BAD_REQUEST")
    await world.mqtt("odd", {"temperature": 4})
    draft = await world.analyzed("odd")
    assert (draft["status"], draft["error_message"]) == ("waiting_processing", None)
    assert [metric["path"] for metric in draft["generated_type"]["metrics"]] == ["temperature"]


async def test_heartbeats_make_no_draft(world: Any) -> None:
    answer = await world.post("quiet", content=b"", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "DEVICE_NOT_FOUND")
    assert (await world.data("GET"))["count"] == 0


async def test_discovery_switched_off(world: Any) -> None:
    registry = world.host.services[SettingsRegistry]
    registry.replace("device", registry.merged("device", {"auto_onboard_enabled": False}))
    assert (await world.post("boiler", {"t": 1})).status_code == 404
    registry.replace("device", registry.merged("device", {"auto_onboard_enabled": True}))
    await world.data("PUT", "/config", json={"enabled": False})
    assert (await world.post("boiler", {"t": 1})).status_code == 404
    await world.data("PUT", "/config", json={"enabled": True})
    assert (await world.post("boiler", {"t": 1})).status_code == 200


@pytest.mark.parametrize("device_id", ["a:b", "types", "drafts", "ä", "x" * 129, "a b"])
async def test_who_can_never_be_registered_gets_no_draft(world: Any, device_id: str) -> None:
    assert await world.offer(device_id) is False
    assert (await world.data("GET"))["count"] == 0


@pytest.mark.parametrize(
    ("payload", "more"),
    [
        ({"x": 2**64}, {}),
        ({"x": "\0"}, {}),
        ({"x": object()}, {}),
        ({"x": "y" * (2 * MIB)}, {}),
        (bytes(2 * MIB + 1), {}),
        ({"x": [1] * 20_000, "y": "\0"}, {}),
        ({"x": 1}, {"ts_ms": -1}),
        ({"x": 1}, {"ts_ms": 10**15}),
    ],
)
async def test_what_could_not_become_history_is_refused(world: Any, payload: Any, more: Any) -> None:
    assert await world.offer("boiler", payload, **more) is False
    assert (await world.data("GET"))["count"] == 0
    assert await world.offer("boiler", {"x": 1}) is True


async def test_large_samples_are_kept_and_not_streamed(world: Any) -> None:
    assert await world.offer("big", {"t": 1, "x": "y" * (2 * MIB - 20)})
    [seen] = world.host.events.of(DeviceDiscovered)
    assert "data" not in seen.sample
    await world.data("POST", "/big/approve")
    assert len((await world.history("big"))["x"][0].value) == 2 * MIB - 20


async def test_what_is_not_stored_is_not_acknowledged(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(work: Any) -> None:
        raise StorageBusy("the queue is full")

    with monkeypatch.context() as patched:
        patched.setattr(world.host.services[Database], "write", refuse)
        assert (await world.post("boiler", {"t": 1})).status_code == 503
    assert (await world.data("GET"))["count"] == 0
    assert (await world.post("boiler", {"t": 2})).status_code == 200
    assert (await world.data("GET"))["items"][0]["sample_count"] == 1


async def test_a_sender_that_goes_away_changes_nothing(world: Any) -> None:
    task = asyncio.create_task(world.offer("boiler", {"t": 1}))
    await asyncio.sleep(0)
    task.cancel()
    await world.host.settle()
    assert await world.offer("boiler", {"t": 2})
    await world.data("POST", "/boiler/approve")
    assert [sample.value for sample in (await world.history("boiler"))["t"]] == [1, 2]
