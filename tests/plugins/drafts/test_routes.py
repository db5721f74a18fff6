"""What else can be done with drafts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from neomind_plugins.drafts.analyst import Analyst
from neomind_plugins.drafts.service import Drafts
from neomind_sdk import Database, DeviceDirectory, SettingsChanged, StorageBusy

CONFIG = {"enabled": True, "max_samples": 10, "draft_retention_secs": 86_400}


async def test_rejecting(world: Any) -> None:
    await world.offer("dev-1")
    draft = await world.analyzed("dev-1")
    assert (await world.data("POST", "/dev-1/reject", json={"reason": "not mine"}))["message"]
    assert world.onboard("device_rejected") == [
        {"event_type": "device_rejected", "draft_id": draft["id"], "device_id": "dev-1", "reason": "not mine"}
    ]
    assert await world.error("GET", "/dev-1") == (404, "DRAFT_NOT_FOUND")
    assert await world.error("POST", "/dev-1/reject") == (404, "DRAFT_NOT_FOUND")
    await world.offer("dev-1", {"other": 1})
    assert [metric["path"] for metric in (await world.analyzed("dev-1"))["generated_type"]["metrics"]] == ["other"]


@pytest.mark.parametrize("body", [None, {}, {"reason": None}, {"reason": ""}])
async def test_rejecting_needs_no_reason(world: Any, body: Any) -> None:
    await world.offer("dev-1")
    await world.data("POST", "/dev-1/reject", **({} if body is None else {"json": body}))


async def test_rejecting_while_a_sample_arrives(world: Any) -> None:
    await world.offer("dev-1")
    arriving = asyncio.create_task(world.offer("dev-1"))
    await asyncio.sleep(0)
    await world.data("POST", "/dev-1/reject")
    assert await arriving is True
    await world.host.settle()
    assert (await world.data("GET"))["count"] == 0
    assert await world.host.services[Database].read(_rows) == (0, 0)


def _rows() -> tuple[int, int]:
    from neomind_plugins.drafts.tables import DraftRow, SampleRow

    return DraftRow.select().count(), SampleRow.select().count()


async def test_what_cannot_be_dropped_stays(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(work: Any) -> None:
        raise StorageBusy("the queue is full")

    await world.offer("dev-1")
    await world.analyzed("dev-1")
    with monkeypatch.context() as patched:
        patched.setattr(world.host.services[Database], "write", refuse)
        assert await world.error("POST", "/dev-1/reject") == (503, "SERVICE_UNAVAILABLE")
    assert await world.offer("dev-1") is True


async def test_changing(world: Any) -> None:
    await world.offer("dev-1")
    assert (await world.data("PUT", "/dev-1", json={"name": " Kitchen "}))["message"]
    await world.data("PUT", "/dev-1", json={"description": "words"})
    draft = await world.analyzed("dev-1")
    assert (draft["user_name"], draft["generated_type"]["description"]) == ("Kitchen", "words")
    await world.data("PUT", "/dev-1", json={"name": ""})
    assert (await world.data("GET", "/dev-1"))["user_name"] is None
    assert await world.error("PUT", "/nope", json={"name": "x"}) == (404, "DRAFT_NOT_FOUND")
    assert await world.error("PUT", "/dev-1", json={"name": "x" * 201}) == (422, "VALIDATION_ERROR")


async def test_analyzing_again(world: Any) -> None:
    await world.offer("dev-1")
    await world.analyzed("dev-1")
    told = len(world.onboard("analysis_completed"))
    assert (await world.data("POST", "/dev-1/analyze"))["message"]
    await world.host.settle()
    assert len(world.onboard("analysis_completed")) == told + 1
    assert await world.error("POST", "/nope/analyze") == (404, "DRAFT_NOT_FOUND")


async def test_enhancing_without_a_model_says_so(world: Any) -> None:
    await world.offer("dev-1")
    enhanced = await world.data("POST", "/dev-1/enhance")
    assert enhanced.pop("enhanced") is False
    assert "No language model" in enhanced.pop("message")
    assert enhanced == await world.data("GET", "/dev-1")
    assert await world.error("POST", "/nope/enhance") == (404, "DRAFT_NOT_FOUND")
    await world.mqtt("odd", [1])
    assert await world.error("POST", "/odd/enhance") == (400, "BAD_REQUEST")


async def test_a_faulty_analysis_is_a_failed_draft(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("neomind_plugins.drafts.analyst.analyze", lambda samples: 1 / 0)
        await world.offer("dev-1")
        draft = await world.analyzed("dev-1")
    assert (draft["status"], draft["error_message"]) == (
        "failed",
        "The samples could not be analyzed: ZeroDivisionError",
    )
    await world.data("POST", "/dev-1/analyze")
    assert (await world.analyzed("dev-1"))["status"] == "waiting_processing"


async def test_an_analysis_waits_for_a_busy_storage(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(work: Any) -> None:
        raise StorageBusy("the queue is full")

    with monkeypatch.context() as patched:
        patched.setattr(world.host.services[Database], "read", refuse)
        await world.offer("dev-1")
        assert (await world.analyzed("dev-1"))["status"] == "analyzing"
    await world.host.clock.advance(1)
    assert (await world.analyzed("dev-1"))["status"] == "waiting_processing"


async def test_large_samples_are_analyzed_beside_the_event_loop(world: Any) -> None:
    await world.offer("dev-1", {"t": 1, "x": ["y"] * 30_000})
    await world.host.services[Analyst].look(world.host.services[Drafts].require("dev-1"))
    assert (await world.data("GET", "/dev-1"))["status"] == "waiting_processing"


async def test_cleaning_up(world: Any) -> None:
    await world.offer("old")
    await world.host.clock.advance(3600)
    await world.offer("new")
    assert (await world.data("POST", "/cleanup"))["cleaned"] == 0
    await world.host.clock.advance(86_400 - 1800)
    assert (await world.data("POST", "/cleanup"))["cleaned"] == 1
    assert [item["device_id"] for item in (await world.data("GET"))["items"]] == ["new"]
    await world.data("PUT", "/config", json={"draft_retention_secs": 60})
    assert await world.host.services[Drafts].cleanup() == 1


async def test_the_configuration(world: Any) -> None:
    assert await world.data("GET", "/config") == CONFIG
    assert (await world.data("PUT", "/config", json={"max_samples": 5}))["message"]
    assert await world.data("GET", "/config") == {**CONFIG, "max_samples": 5}
    await world.data("PUT", "/config", json={"enabled": False, "draft_retention_secs": 120})
    assert await world.data("GET", "/config") == {"enabled": False, "max_samples": 5, "draft_retention_secs": 120}
    assert "drafts" in [event.section for event in world.host.events.of(SettingsChanged)]


@pytest.mark.parametrize(
    "body", [{"max_samples": 0}, {"max_samples": 51}, {"draft_retention_secs": 59}, {"enabled": "yes"}]
)
async def test_configurations_that_cannot_be(world: Any, body: Any) -> None:
    assert await world.error("PUT", "/config", json=body) == (422, "VALIDATION_ERROR")
    assert await world.data("GET", "/config") == CONFIG


async def test_uploading(world: Any) -> None:
    data = [{"t": 1}, {"data": {"t": 2}, "timestamp": 1_600_000_000}, {"data": 5}]
    answer = await world.data("POST", "/upload", json={"device_id": "up", "data": data})
    assert answer["message"].startswith("3 of 3")
    draft = await world.analyzed("up")
    assert (draft["source"], draft["sample_count"]) == ("manual_upload", 3)
    await world.data("POST", "/up/approve")
    history = await world.history("up")
    assert [(sample.ts_ms, sample.value) for sample in history["t"]] == [
        (1_600_000_000_000, 2),
        (world.host.clock.now_ms(), 1),
    ]
    assert [sample.value for sample in history["data"]] == [5]
    assert await world.error("POST", "/upload", json={"device_id": "up", "data": data}) == (409, "CONFLICT")


async def test_uploading_without_an_id_and_too_much(world: Any) -> None:
    answer = await world.data("POST", "/upload", json={"data": [{"t": n} for n in range(25)], "source": "lab"})
    assert answer["message"].startswith("10 of 25")
    [draft] = (await world.data("GET"))["items"]
    assert draft["device_id"].startswith("upload-")
    assert (draft["source"], draft["sample_count"]) == ("lab", 10)
    body = {"data": [{"t": 1}], "device_id": draft["device_id"]}
    assert await world.error("POST", "/upload", json=body) == (409, "CONFLICT")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"data": [{"t": 1}], "device_id": "a b"}, (400, "BAD_REQUEST")),
        ({"data": [{"t": 1}], "device_id": "types"}, (400, "BAD_REQUEST")),
        ({"data": []}, (422, "VALIDATION_ERROR")),
        ({"data": [5]}, (422, "VALIDATION_ERROR")),
        ({"data": [{"data": {"t": 1}, "timestamp": "x"}]}, (422, "VALIDATION_ERROR")),
        ({}, (422, "VALIDATION_ERROR")),
    ],
)
async def test_uploads_that_cannot_be(world: Any, body: Any, expected: tuple[int, str]) -> None:
    assert await world.error("POST", "/upload", json=body) == expected
    assert (await world.data("GET"))["count"] == 0


async def test_who_may_do_what(world: Any) -> None:
    await world.offer("dev-1")
    viewer = world.host.client(role="viewer")
    assert (await viewer.get("/api/devices/drafts")).status_code == 200
    assert (await viewer.post("/api/devices/drafts/dev-1/approve")).status_code == 403
    assert (await world.anonymous.get("/api/devices/drafts")).status_code == 401
    assert world.host.services[DeviceDirectory].get("dev-1") is None
