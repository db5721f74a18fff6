"""The webhook over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from neomind_plugins.devices import plugin as devices
from neomind_plugins.telemetry import plugin as telemetry
from neomind_plugins.transport_webhook import plugin as transport_webhook
from neomind_sdk import Device, DeviceDirectory, DeviceType, MetricDef, StorageFull, TelemetryStore
from neomind_sdk.testing import make_host

MIB = 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.fixture
async def host() -> AsyncIterator[Any]:
    async with make_host(devices, telemetry, transport_webhook) as host:
        directory = host.services[DeviceDirectory]
        metrics = (MetricDef(name="temperature", data_type="float"), MetricDef(name="image"))
        await directory.register_type(DeviceType(device_type="sensor", name="Sensor", metrics=metrics))
        await directory.register_type(DeviceType(device_type="open", name="Open"))
        for device_id, kind, config in (
            ("boiler", "sensor", {}),
            ("free", "open", {}),
            ("guarded", "open", {"webhook_token": "s3cret-token"}),
        ):
            device = Device(
                device_id=device_id,
                name=device_id,
                device_type=kind,
                adapter_type="webhook",
                connection_config=config,
            )
            await directory.register(device)
        yield host


async def post(host: Any, device_id: str = "boiler", **more: Any) -> Any:
    return await host.client(role=None).post(f"/api/devices/{device_id}/webhook", **more)


async def values(host: Any, device_id: str = "boiler") -> dict[str, Any]:
    newest = await host.services[TelemetryStore].latest_of(f"device:{device_id}")
    return {name: sample.value for name, sample in newest.items() if name != "_raw"}


@pytest.mark.parametrize(
    ("given", "stored", "count"),
    [
        ({"json": {"temperature": 30.5, "extra": 1}}, {"temperature": 30.5}, 2),
        ({"json": {"data": {"temperature": 31}, "timestamp": 1_600_000_000}}, {"temperature": 31}, 2),
        ({"json": [{"temperature": 1}, {"data": {"temperature": 2}}]}, {"temperature": 2}, 4),
        ({"json": {"data": 7}}, {"value": 7}, 2),
        ({"content": b'{"temperature": 5}'}, {"temperature": 5}, 2),
        ({"content": b"", "headers": {"content-type": "application/json"}}, {}, 0),
        ({"content": b"hello", "headers": {"content-type": "text/plain"}}, {}, 1),
        ({"data": {"temperature": "9"}}, {"temperature": "9"}, 2),
        ({"files": {"metadata": (None, b'{"temperature": 3}', "application/json")}}, {"temperature": 3}, 2),
    ],
)
async def test_bodies_become_values(host: Any, given: Any, stored: dict[str, Any], count: int) -> None:
    answer = await post(host, **given)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == {
        "success": True,
        "device_id": "boiler",
        "metrics_received": count,
        "metrics_processed": count,
    }
    assert await values(host) == stored
    assert host.services[DeviceDirectory].status("boiler") == "online"


async def test_each_sample_of_a_batch_has_its_own_time(host: Any) -> None:
    batch = [{"temperature": n, "timestamp": 1_600_000_000 + n} for n in range(3)]
    assert (await post(host, json=batch)).status_code == 200
    series = "device:boiler:temperature"
    samples = await host.services[TelemetryStore].range(series, 0, 2 * 10**12, limit=9, newest_first=False)
    assert [(sample.ts_ms, sample.value) for sample in samples] == [(1_600_000_000_000 + n * 1000, n) for n in range(3)]


async def test_text_and_forms_of_a_device_without_metrics(host: Any) -> None:
    await post(host, "free", content="wärm".encode(), headers={"content-type": "text/plain"})
    await post(host, "free", data={"a": "1", "b": ""})
    assert await values(host, "free") == {"text": "wärm", "a": "1", "b": ""}


@pytest.mark.parametrize(
    "given",
    [{"content": PNG, "headers": {"content-type": "image/png"}}, {"files": {"image": ("a.png", PNG, "image/png")}}],
)
async def test_images_become_files(host: Any, given: Any) -> None:
    assert (await post(host, **given)).status_code == 200
    address = (await values(host))["image"]
    answer = await host.client(role=None).get(address)
    assert (answer.status_code, answer.content) == (200, PNG)


@pytest.mark.parametrize(
    ("given", "status", "code", "words"),
    [
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "BAD_REQUEST", ""),
        ({"content": b"x", "headers": {"content-type": "video/mp4"}}, 415, "UNSUPPORTED_MEDIA_TYPE", "video/mp4"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, "BAD_REQUEST", "boundary"),
        ({"json": {"data": 1, "timestamp": "x"}}, 400, "BAD_REQUEST", "timestamp"),
        ({"json": {"a": ["x" * (2 * MIB + 1)]}}, 400, "BAD_REQUEST", "$.a[0]"),
        ({"content": b"x" * (8 * MIB + 1)}, 413, "PAYLOAD_TOO_LARGE", ""),
    ],
)
async def test_bodies_that_cannot_be_taken(host: Any, given: Any, status: int, code: str, words: str) -> None:
    answer = await post(host, **given)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert words in answer.json()["error"]["message"]
    assert await host.services[TelemetryStore].series() == []


async def test_unknown_devices_are_not_found(host: Any) -> None:
    for given in ({"json": {"t": 1}}, {"content": b""}):
        answer = await post(host, "nobody", **given)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "DEVICE_NOT_FOUND")


@pytest.mark.parametrize("given", [{}, {"headers": {"authorization": "Bearer wrong"}}, {"params": {"token": "x"}}])
async def test_a_wrong_token_is_refused(host: Any, given: Any) -> None:
    answer = await post(host, "guarded", json={"t": 1}, **given)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    assert await values(host, "guarded") == {}


@pytest.mark.parametrize(
    "given", [{"headers": {"authorization": "Bearer s3cret-token"}}, {"params": {"token": "s3cret-token"}}]
)
async def test_the_right_token_is_let_in(host: Any, given: Any) -> None:
    assert (await post(host, "guarded", json={"t": 1}, **given)).status_code == 200
    assert await values(host, "guarded") == {"t": 1}


async def test_other_credentials_are_never_looked_at(host: Any) -> None:
    answer = await post(host, json={"temperature": 1}, headers={"authorization": "Bearer expired", "x-api-key": "no"})
    assert answer.status_code == 200


async def test_the_body_may_name_the_device(host: Any) -> None:
    client = host.client(role=None)
    answer = await client.post("/api/devices/webhook", json={"device_id": "free", "t": 1})
    assert (answer.status_code, answer.json()["data"]["device_id"]) == (200, "free")
    assert await values(host, "free") == {"t": 1}
    answer = await client.post("/api/devices/webhook", json={"t": 1})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST")


async def test_a_full_disk_is_no_acknowledgement(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(points: Any) -> None:
        raise StorageFull

    monkeypatch.setattr(host.services[TelemetryStore], "append", refuse)
    answer = await post(host, json={"temperature": 1})
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "STORAGE_FULL")


async def test_the_url_for_a_device(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEOMIND_SERVER_URL", "https://hub.example/")
    data = (await host.client().get("/api/devices/boiler/webhook-url")).json()["data"]
    assert data["webhook_url"] == "https://hub.example/api/devices/boiler/webhook"
    assert data["alternative_url"] == "https://hub.example/api/devices/webhook"
    assert (data["method"], data["content_type"], data["url_source"]) == ("POST", "application/json", "env")
    assert set(data["payload_example"]) == {"temperature", "image"}
    assert data.get("hint") is None
    assert (await post(host, content=json.dumps(data["payload_example"]).encode())).status_code == 200
    guarded = (await host.client().get("/api/devices/guarded/webhook-url")).json()["data"]
    assert "Bearer" in guarded["hint"]
    assert "s3cret" not in json.dumps(guarded)
    answer = await host.client().get("/api/devices/nobody/webhook-url")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "DEVICE_NOT_FOUND")
