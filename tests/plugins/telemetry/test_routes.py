"""The REST API of telemetry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from neomind_plugins.devices import plugin as devices
from neomind_plugins.telemetry import plugin as telemetry
from neomind_sdk import Device, DeviceDirectory, DeviceType, Ingest, MetricDef, Point, TelemetryStore
from neomind_sdk.testing import make_host
from neomind_sdk.units import HOUR_MS, seconds

PNG = "data:image/png;base64," + "iVBORw0KGgo" + "A" * 101
HISTORY = "/devices/boiler/history"


@pytest.fixture
async def host() -> AsyncIterator[Any]:
    async with make_host(devices, telemetry) as host:
        directory = host.services[DeviceDirectory]
        metrics = (MetricDef(name="t", data_type="float", unit="°C"),)
        await directory.register_type(DeviceType(device_type="heater", name="Heater", metrics=metrics))
        await directory.register(Device(device_id="boiler", name="Boiler", device_type="heater"))
        yield host


async def get(host: Any, path: str, **query: Any) -> Any:
    answer = await host.client().get(f"/api{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def error(client: Any, method: str, path: str, **more: Any) -> tuple[int, str, str]:
    answer = await client.request(method, f"/api{path}", **more)
    body = answer.json()
    assert body["success"] is False
    return answer.status_code, body["error"]["code"], body["error"]["message"]


async def write(host: Any, **body: Any) -> Any:
    answer = await host.client().post("/api/devices/boiler/metrics", json={"metric": "t", **body})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_what_is_written_is_in_the_history(host: Any) -> None:
    now_ms = host.clock.now_ms()
    assert await write(host, value=1) == {"device_id": "boiler", "metric": "t", "timestamp": now_ms, "written": True}
    assert (await write(host, value=2.5, timestamp=now_ms - 1500))["timestamp"] == now_ms - 1500
    assert (await write(host, value="x", timestamp=seconds(now_ms - 2000)))["timestamp"] == now_ms - 2000
    history = await get(host, HISTORY, metric="t", time_range="1h")
    assert [(row["timestamp"], row["value"]) for row in history["data"]["t"]] == [
        (seconds(now_ms), 1),
        (seconds(now_ms - 1500), 2.5),
        (seconds(now_ms - 2000), "x"),
    ]
    assert history["pagination"] == {"offset": 0, "limit": 100, "total": 3, "next_cursor": None}


async def test_objects_and_arrays_are_written_as_json_text(host: Any) -> None:
    await write(host, value={"a": [1, None]}, timestamp=5)
    await write(host, value=[], timestamp=4)
    history = await get(host, HISTORY, start=0, end=10, metric="t")
    assert [row["value"] for row in history["data"]["t"]] == ['{"a":[1,null]}', "[]"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"metric": "t"}, "value"),
        ({"metric": "t", "value": None}, "value"),
        ({"value": 1}, "metric"),
        ({"metric": " ", "value": 1}, "metric"),
        ({"metric": "x" * 101, "value": 1}, "metric"),
        ({"metric": "t", "value": 1, "timestamp": -1}, "timestamp"),
        ({"metric": "t", "value": 1, "timestamp": "now"}, "timestamp"),
        ({"metric": "t", "value": 1, "timestamp": 4_000_000_000}, "timestamp"),
    ],
)
async def test_writes_that_cannot_be_name_the_field(host: Any, body: dict[str, Any], field: str) -> None:
    status, code, message = await error(host.client(), "POST", "/devices/boiler/metrics", json=body)
    assert (status, code) == (422, "VALIDATION_ERROR")
    assert field in message
    assert await host.services[TelemetryStore].series() == []


@pytest.mark.parametrize(
    ("query", "status", "word"),
    [
        ({"limit": 0}, 422, "limit"),
        ({"limit": 5001}, 422, "limit"),
        ({"limit": "x"}, 422, "limit"),
        ({"offset": 100_001}, 422, "offset"),
        ({"metric": ""}, 422, "metric"),
        ({"time_range": "1y"}, 400, "time_range"),
        ({"start": "soon"}, 400, "start"),
        ({"start": 10, "end": 9}, 400, "end"),
        ({"time_range": "31d"}, 400, "30 days"),
        ({"cursor": "x"}, 400, "cursor"),
        ({"aggregate": "median"}, 400, "aggregate"),
    ],
)
async def test_questions_that_cannot_be_are_refused(host: Any, query: Any, status: int, word: str) -> None:
    found, _, message = await error(host.client(), "GET", HISTORY, params=query)
    assert found == status, message
    assert word in message


@pytest.mark.parametrize(("method", "path"), [("GET", "history"), ("GET", "telemetry/summary"), ("POST", "metrics")])
async def test_unknown_devices_are_not_found(host: Any, method: str, path: str) -> None:
    body = {"json": {"metric": "t", "value": 1}} if method == "POST" else {}
    status, code, message = await error(host.client(), method, f"/devices/nobody/{path}", **body)
    assert (status, code, message) == (404, "DEVICE_NOT_FOUND", "Device with id 'nobody' not found")


async def test_pages_of_a_long_history(host: Any) -> None:
    end_ms = host.clock.now_ms()
    points = [Point("device:boiler:t", end_ms - n * 100, n) for n in range(25)]
    await host.services[TelemetryStore].append(points)
    found: list[Any] = []
    cursor: dict[str, Any] = {}
    while True:
        page = await get(host, HISTORY, metric="t", limit=10, **cursor)
        found += [row["value"] for row in page["data"]["t"]]
        assert page["pagination"]["total"] == 25
        if page["pagination"]["next_cursor"] is None:
            break
        cursor = {"cursor": page["pagination"]["next_cursor"]}
    assert found == list(range(25))
    third = await get(host, HISTORY, metric="t", limit=10, offset=20)
    assert [row["value"] for row in third["data"]["t"]] == list(range(20, 25))


async def test_aggregates_and_buckets(host: Any) -> None:
    await host.services[TelemetryStore].append([Point("device:boiler:t", 1_000_000 + n, n) for n in range(4)])
    window = {"metric": "t", "start": 1000, "end": 1001}
    answer = await get(host, HISTORY, aggregation="avg", **window)
    assert answer["aggregated"] is True
    assert answer["data"]["t"] == [{"timestamp": 1000, "value": 1.5, "count": 4, "min": 0, "max": 3, "sum": 6}]
    answer = await get(host, HISTORY, bucketed="1", **window)
    assert answer["data"]["t"] == [{"timestamp": 1000.003, "value": 3}]


async def test_summary_telemetry_and_sources(host: Any) -> None:
    for value in (1, 3):
        await write(host, value=value)
    summary = await get(host, "/devices/boiler/telemetry/summary", hours=1)
    assert summary["summary"]["t"]["avg"] == 2
    assert summary["summary"]["t"]["unit"] == "°C"
    answer = await get(host, "/telemetry", source="device:boiler", metric="t")
    assert [row["value"] for row in answer["data"]] == [1, 3]
    sources = await get(host, "/data/sources")
    assert [(item["id"], item["current_value"]) for item in sources["data"]] == [("device:boiler:t", 3)]
    assert (sources["total"], sources["source_options"]) == (1, [["boiler", "Boiler"]])


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/telemetry", {"metric": "t"}, 422),
        ("/telemetry", {"source": "boiler"}, 422),
        ("/telemetry", {"source": "meter:1", "metric": "t"}, 400),
        ("/devices/boiler/telemetry/summary", {"hours": 0}, 422),
        ("/data/sources", {"limit": 101}, 422),
        ("/data/sources", {"offset": -1}, 422),
    ],
)
async def test_other_questions_that_cannot_be(host: Any, path: str, query: Any, status: int) -> None:
    assert (await error(host.client(), "GET", path, params=query))[0] == status


async def test_images_are_public_and_never_change(host: Any) -> None:
    await write(host, value=PNG)
    address = (await host.services[TelemetryStore].latest(["device:boiler:t"]))["device:boiler:t"].value
    answer = await host.client(role=None).get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["cache-control"] == "public, max-age=2592000, immutable"
    assert answer.content.startswith(b"\x89PNG")
    assert (await error(host.client(role=None), "GET", "/images/boiler/t/nothing.png"))[:2] == (404, "IMAGE_NOT_FOUND")
    assert (await error(host.client(role=None), "GET", "/images/boiler/t/x.svg"))[0] == 400


async def test_pictures_go_when_the_device_goes(host: Any) -> None:
    await write(host, value=PNG)
    address = (await host.services[TelemetryStore].latest(["device:boiler:t"]))["device:boiler:t"].value
    await host.services[DeviceDirectory].remove("boiler")
    await host.settle()
    assert (await host.client().get(address)).status_code == 404


async def test_who_may_what(host: Any) -> None:
    viewer, nobody = host.client(role="viewer"), host.client(role=None)
    assert (await viewer.get(f"/api{HISTORY}")).status_code == 200
    assert (await nobody.get(f"/api{HISTORY}")).status_code == 401
    assert (await error(viewer, "POST", "/devices/boiler/metrics", json={"metric": "t", "value": 1}))[0] == 403
    assert (await error(host.client(role="user"), "POST", "/settings/retention/cleanup"))[0] == 403
    assert (await error(host.client(scopes={"rules:read"}), "GET", HISTORY))[0] == 403


async def test_the_cleanup_runs_in_the_background(host: Any) -> None:
    store = host.services[TelemetryStore]
    now_ms = host.clock.now_ms()
    await store.append([Point("device:boiler:t", now_ms - hours * HOUR_MS, hours) for hours in (721, 719)])
    answer = await host.client().post("/api/settings/retention/cleanup")
    assert answer.status_code == 200
    assert (answer.json()["data"]["success"], answer.json()["data"]["triggered"]) == (True, True)
    await host.settle()
    history = await store.range("device:boiler:t", 0, now_ms, limit=9)
    assert [sample.value for sample in history] == [719]


async def test_the_one_ingest_is_a_service(host: Any) -> None:
    assert isinstance(host.services[Ingest], Ingest)
