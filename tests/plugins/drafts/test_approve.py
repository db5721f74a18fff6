"""Approving: which type, which device, once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from neomind_plugins.devices import plugin as devices
from neomind_plugins.drafts import plugin as drafts
from neomind_plugins.drafts.approving import Approver
from neomind_sdk import (
    BadRequest,
    Device,
    DeviceDirectory,
    DeviceType,
    Ingest,
    MetricDef,
    StorageBusy,
    TelemetryStore,
)
from neomind_sdk.testing import make_host

HEATER = DeviceType(device_type="heater", name="Heater", metrics=(MetricDef(name="t", data_type="float"),))
NEW = {"device_type": "mine", "name": " My type ", "description": "words"}


async def approved(world: Any, body: Any = None) -> tuple[Device, DeviceType]:
    """The device and the type after the approval of a draft."""
    await world.offer("dev-1", {"t": 1, "hum": 40})
    await world.data("POST", "/dev-1/approve", **({} if body is None else {"json": body}))
    directory = world.host.services[DeviceDirectory]
    device, kind = directory.get("dev-1"), directory.type_of("dev-1")
    assert device is not None
    assert kind is not None
    return device, kind


@pytest.mark.parametrize(
    ("body", "device_type", "type_name", "device_name"),
    [
        (None, "auto_dev_1", "Climate sensor dev-1", "dev-1"),
        ({}, "auto_dev_1", "Climate sensor dev-1", "dev-1"),
        ({"device_name": "Kitchen"}, "auto_dev_1", "Climate sensor dev-1", "Kitchen"),
        ({"name": "Kitchen"}, "auto_dev_1", "Climate sensor dev-1", "Kitchen"),
        ({"device_name": "  "}, "auto_dev_1", "Climate sensor dev-1", "dev-1"),
        ({"existing_type": "heater"}, "heater", "Heater", "dev-1"),
        ({"device_type": "heater", "name": "K"}, "heater", "Heater", "K"),
        ({"new_type": NEW}, "mine", "My type", "dev-1"),
        ({"new_type": NEW, "existing_type": "heater"}, "heater", "Heater", "dev-1"),
        ({"new_type": None, "existing_type": None, "device_name": None}, "auto_dev_1", "Climate sensor dev-1", "dev-1"),
    ],
)
async def test_ways_to_approve(world: Any, body: Any, device_type: str, type_name: str, device_name: str) -> None:
    await world.host.services[DeviceDirectory].register_type(HEATER)
    device, kind = await approved(world, body)
    assert (device.device_type, kind.name, device.name) == (device_type, type_name, device_name)
    if device_type != "heater":
        assert [(item.name, item.data_type, item.min, item.max) for item in kind.metrics] == [
            ("t", "integer", None, None),
            ("hum", "float", None, None),
        ]
        assert (kind.categories, kind.commands, kind.mode) == (("climate",), (), "simple")
    history = await world.history("dev-1")
    assert set(history) == ({"_raw", "t"} if device_type == "heater" else {"_raw", "t", "hum"})


async def test_no_body_at_all_as_json(world: Any) -> None:
    await world.offer("dev-1")
    answer = await world.call("POST", "/dev-1/approve", headers={"content-type": "application/json"}, content=b"")
    assert answer.status_code == 200


async def test_by_the_drafts_own_id(world: Any) -> None:
    await world.offer("dev-1")
    draft = await world.data("GET", "/dev-1")
    assert draft == await world.data("GET", f"/{draft['id']}")
    assert (await world.data("POST", f"/{draft['id']}/approve"))["system_device_id"] == "dev-1"


async def test_the_name_and_the_words_that_a_draft_was_given(world: Any) -> None:
    await world.offer("dev-1", {"t": 1, "hum": 40})
    await world.data("PUT", "/dev-1", json={"name": "Kitchen", "description": "By the window"})
    draft = await world.analyzed("dev-1")
    assert (draft["user_name"], draft["generated_type"]["description"]) == ("Kitchen", "By the window")
    device, kind = await approved(world)
    assert (device.name, kind.description) == ("Kitchen", "By the window")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"existing_type": "nope"}, (404, "DEVICE_TYPE_NOT_FOUND")),
        ({"new_type": {**NEW, "device_type": "a b"}}, (400, "BAD_REQUEST")),
        ({"new_type": {**NEW, "name": " "}}, (422, "VALIDATION_ERROR")),
        ({"new_type": {"name": "x"}}, (422, "VALIDATION_ERROR")),
        ({"new_type": {**NEW, "device_type": "heater"}}, (409, "CONFLICT")),
        ({"device_name": 5}, (422, "VALIDATION_ERROR")),
        ([], (422, "VALIDATION_ERROR")),
    ],
)
async def test_what_cannot_be_approved_stays_a_draft(world: Any, body: Any, expected: tuple[int, str]) -> None:
    directory = world.host.services[DeviceDirectory]
    await directory.register_type(HEATER)
    await world.offer("dev-1")
    before = await world.analyzed("dev-1")
    assert await world.error("POST", "/dev-1/approve", json=body) == expected
    assert await world.data("GET", "/dev-1") == before
    assert directory.get("dev-1") is None
    assert directory.get_type("heater") == HEATER
    await world.data("POST", "/dev-1/approve")


async def test_approving_at_once_and_again(world: Any) -> None:
    await world.offer("dev-1", {"t": 1})
    answers = await asyncio.gather(*[world.call("POST", "/dev-1/approve") for _ in range(5)])
    codes = sorted(answer.status_code for answer in answers)
    assert codes[0] == 200
    assert set(codes[1:]) <= {404, 409}
    assert await world.error("POST", "/dev-1/approve") == (404, "DRAFT_NOT_FOUND")
    assert [sample.value for sample in (await world.history("dev-1"))["t"]] == [1]


async def test_samples_that_come_while_the_device_is_registered(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was acknowledged is in the history, once, however the two meet."""
    directory, begun, released = world.host.services[DeviceDirectory], asyncio.Event(), asyncio.Event()
    register = directory.register

    async def slow(device: Device) -> Device:
        begun.set()
        await released.wait()
        return await register(device)

    monkeypatch.setattr(directory, "register", slow)
    await world.mqtt("dev-1", {"t": 0})
    approving = asyncio.create_task(world.call("POST", "/dev-1/approve"))
    await begun.wait()
    assert await world.mqtt("dev-1", {"t": 1}) == [True]
    assert (await world.data("GET", "/dev-1"))["status"] == "registering"
    assert await world.error("POST", "/dev-1/analyze") == (409, "CONFLICT")
    late = [asyncio.create_task(world.mqtt("dev-1", {"t": number})) for number in (2, 3)]
    released.set()
    assert (await approving).status_code == 200
    await asyncio.gather(*late)
    assert sorted(sample.value for sample in (await world.history("dev-1"))["t"]) == [0, 1, 2, 3]


async def test_somebody_registered_the_device_meanwhile(world: Any) -> None:
    directory = world.host.services[DeviceDirectory]
    await directory.register_type(HEATER)
    await world.offer("dev-1", {"t": 1})
    await directory.register(Device(device_id="dev-1", name="By hand", device_type="heater"))
    assert await world.error("POST", "/dev-1/approve", json={"new_type": NEW}) == (409, "CONFLICT")
    assert (await world.data("POST", "/dev-1/approve"))["device_type"] == "heater"
    device = directory.get("dev-1")
    assert device is not None
    assert device.name == "By hand"
    assert [sample.value for sample in (await world.history("dev-1"))["t"]] == [1]
    assert (await world.data("GET"))["count"] == 0


async def test_a_device_that_was_deleted_and_comes_again(world: Any) -> None:
    """Its old history, even at the very time of the new samples, does not hide these."""
    now_ms = world.host.clock.now_ms()
    for value in (1, 2):
        await world.offer("dev-1", {"t": value}, ts_ms=now_ms - 5)
        assert (await world.data("POST", "/dev-1/approve"))["device_type"] == "auto_dev_1"
        await world.client.delete("/api/devices/dev-1")
    assert [sample.value for sample in (await world.history("dev-1"))["t"]] == [1, 2]


async def test_ids_of_types_do_not_collide(world: Any) -> None:
    for device_id, payload in (("a.b", {"t": 1}), ("a-b", {"x": 1}), ("a_b", {"t": 1})):
        await world.offer(device_id, payload)
    kinds = [(await world.data("POST", f"/{name}/approve"))["device_type"] for name in ("a.b", "a-b", "a_b")]
    assert kinds == ["auto_a_b", "auto_a_b_2", "auto_a_b"]


async def test_a_failure_before_the_device_is_registered(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(device: Device) -> Device:
        raise StorageBusy("the queue is full")

    await world.offer("dev-1")
    before = await world.analyzed("dev-1")
    with monkeypatch.context() as patched:
        patched.setattr(world.host.services[DeviceDirectory], "register", refuse)
        assert await world.error("POST", "/dev-1/approve", json={"new_type": NEW}) == (503, "SERVICE_UNAVAILABLE")
    after = await world.data("GET", "/dev-1")
    assert after["generated_type"]["device_type"] == "mine"  # for that is registered now, and fits
    assert {**after, "generated_type": before["generated_type"]} == before
    assert (await world.data("POST", "/dev-1/approve", json={"new_type": NEW}))["device_type"] == "mine"


@pytest.mark.parametrize("place", ["append", "delete"])
async def test_a_failure_after_the_device_is_registered(
    world: Any, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    async def refuse(*_args: Any) -> Any:
        raise StorageBusy("the queue is full")

    await world.offer("dev-1", {"t": 1})
    await world.analyzed("dev-1")
    with monkeypatch.context() as patched:
        if place == "append":
            patched.setattr(world.host.services[TelemetryStore], "append", refuse)
        else:
            patched.setattr("neomind_plugins.drafts.tables.delete", lambda key: (_ for _ in ()).throw(StorageBusy("x")))
        assert await world.error("POST", "/dev-1/approve") == (503, "SERVICE_UNAVAILABLE")
    draft = await world.data("GET", "/dev-1")
    assert draft["status"] == "registering"
    assert await world.error("POST", "/dev-1/reject") == (409, "CONFLICT")
    assert (await world.post("dev-1", {"t": 2})).json()["data"]["metrics_received"] == 2
    await world.data("POST", "/dev-1/approve")
    assert sorted(sample.value for sample in (await world.history("dev-1"))["t"]) == [1, 2]
    assert (await world.data("GET"))["count"] == 0


async def test_a_sample_that_the_type_cannot_take_costs_no_other(world: Any) -> None:
    await world.host.services[DeviceDirectory].register_type(DeviceType(device_type="open", name="Open"))
    await world.offer("dev-1", {f"k{number}": 1 for number in range(10_001)})
    await world.offer("dev-1", {"t": 1})
    with pytest.raises(BadRequest):  # what it is about: such a message is refused of registered devices, too
        directory = world.host.services[DeviceDirectory]
        await directory.register(Device(device_id="other", name="o", device_type="open"))
        await world.mqtt("other", {f"k{number}": 1 for number in range(10_001)})
    await world.data("POST", "/dev-1/approve", json={"existing_type": "open"})
    assert set(await world.history("dev-1")) == {"t", "_raw"}


async def test_without_telemetry_nothing_is_approved_and_nothing_lost(make_world: Any) -> None:
    async with make_host(devices, drafts) as host:
        world = make_world(host)
        await world.offer("dev-1")
        assert await world.error("POST", "/dev-1/approve") == (503, "SERVICE_UNAVAILABLE")
        assert (await world.analyzed("dev-1"))["status"] == "waiting_processing"


async def test_ingest_is_handed_over_by_telemetry(world: Any) -> None:
    approver = world.host.services[Approver]
    assert approver.inbox.ingest is world.host.services[Ingest]
