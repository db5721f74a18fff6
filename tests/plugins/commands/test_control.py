"""Giving commands over HTTP: what is taken, what is refused, what is answered."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from neomind_plugins.commands.kept import KEPT
from neomind_sdk import CommandDef, Device, DeviceDirectory, DeviceType

from .conftest import Mailbox, Plant, Wire, code, data, plant_with


async def test_a_command_is_sent_and_kept(plant: Plant) -> None:
    answer = await plant.give("sleep", {"seconds": "90"})
    assert answer == {
        "device_id": "p1",
        "command": "sleep",
        "command_id": "cmd_1",
        "sent": True,
        "status": "success",
        "state": "delivered",
        "detail": None,
    }
    [downlink] = plant.wire.taken
    assert (downlink.device.device_id, downlink.command_id, downlink.command) == ("p1", "cmd_1", "sleep")
    assert json.loads(downlink.payload) == {"cmd": "sleep", "for": 90}
    now = plant.clock.now_ms() // 1000
    assert await plant.history() == [
        {
            "command_id": "cmd_1",
            "command_name": "sleep",
            "parameters": {"seconds": 90},
            "status": "success",
            "state": "delivered",
            "result": None,
            "error": None,
            "source": "user:test:admin",
            "created_at": now,
            "sent_at": now,
            "completed_at": now,
        }
    ]


async def test_a_command_without_a_template_says_what_it_is(plant: Plant) -> None:
    await plant.give("stop")
    [payload] = plant.wire.payloads
    body = json.loads(payload)
    assert body.pop("request_id").startswith("req-")
    assert body == {"command": "stop", "params": {}}


async def test_what_is_not_declared_is_kept_and_not_sent(plant: Plant) -> None:
    await plant.give("sleep", {"note": "because"})
    assert json.loads(plant.wire.payloads[0]) == {"cmd": "sleep", "for": 60}
    assert (await plant.history())[0]["parameters"] == {"seconds": 60, "note": "because"}


@pytest.mark.parametrize(
    ("body", "expected", "field"),
    [
        ({"command": "sleep", "params": {"seconds": 0}}, (422, "VALIDATION_ERROR"), "params.seconds"),
        ({"command": "sleep", "params": {"seconds": 1.5}}, (422, "VALIDATION_ERROR"), "params.seconds"),
        ({"command": "sleep", "params": {"seconds": None}}, (422, "VALIDATION_ERROR"), "params.seconds"),
        ({"command": "sleep", "params": {"seconds": "soon"}}, (422, "VALIDATION_ERROR"), "params.seconds"),
        ({"command": "sleep", "params": [1]}, (422, "VALIDATION_ERROR"), "params"),
        ({"command": ""}, (422, "VALIDATION_ERROR"), "command"),
        ({"params": {}}, (422, "VALIDATION_ERROR"), "command"),
        ({"command": "dance"}, (400, "BAD_REQUEST"), None),
    ],
)
async def test_what_is_refused_leaves_no_trace(plant: Plant, body: Any, expected: Any, field: str | None) -> None:
    answer = await plant.api.post("/api/devices/p1/control", json=body)
    assert code(answer) == expected
    if field is not None:
        assert [detail["field"] for detail in answer.json()["error"]["details"]] == [field]
    assert (plant.wire.attempts, await plant.history(), plant.finished) == (0, [], [])


async def test_an_unknown_command_is_told_the_known_ones(plant: Plant) -> None:
    assert "sleep, stop" in (await plant.control("dance")).json()["error"]["message"]


async def test_unknown_devices_and_commands(plant: Plant) -> None:
    assert code(await plant.control(device="nobody")) == (404, "DEVICE_NOT_FOUND")
    assert code(await plant.api.get("/api/devices/nobody/commands")) == (404, "DEVICE_NOT_FOUND")
    assert code(await plant.api.get("/api/devices/nobody/commands/cmd_1")) == (404, "DEVICE_NOT_FOUND")
    await plant.furnish("p2")
    await plant.give()
    for ident in ("cmd_9", "cmd_", "1", "cmd_1x", "cmd_99999999999999999999", "cmd_-1"):
        assert code(await plant.api.get(f"/api/devices/p1/commands/{ident}")) == (404, "COMMAND_NOT_FOUND")
    assert code(await plant.api.get("/api/devices/p2/commands/cmd_1")) == (404, "COMMAND_NOT_FOUND")


async def test_a_viewer_may_look_and_not_touch(plant: Plant) -> None:
    viewer = plant.host.client(role="viewer")
    assert (await viewer.get("/api/devices/p1/commands")).status_code == 200
    answer = await viewer.post("/api/devices/p1/control", json={"command": "stop"})
    assert answer.status_code == 403
    assert plant.wire.attempts == 0


async def test_a_template_that_cannot_be_filled_is_an_error_and_nothing_is_sent(plant: Plant) -> None:
    broken = (CommandDef(name="a", payload_template='{"v": ${v}}'), CommandDef(name="b", payload_template="{nonsense"))
    directory = plant.host.services[DeviceDirectory]
    await directory.register_type(DeviceType(device_type="pump", name="Pump", commands=broken))
    for name in ("a", "b"):
        answer = await plant.control(name)
        assert code(answer) == (400, "BAD_REQUEST")
        assert f"'{name}'" in answer.json()["error"]["message"]
    assert (plant.wire.attempts, await plant.history()) == (0, [])


async def test_a_changed_template_holds_at_once(plant: Plant) -> None:
    await plant.give("stop")
    changed = DeviceType(device_type="pump", name="Pump", commands=(CommandDef(name="stop", payload_template="HALT"),))
    await plant.host.services[DeviceDirectory].register_type(changed)
    await plant.give("stop")
    assert plant.wire.payloads[1] == b"HALT"


# ---- transports ----


async def test_a_receive_only_transport_refuses_in_words() -> None:
    async with plant_with(Mailbox()) as plant:
        await plant.furnish(adapter_type="webhook")
        for _ in range(2):
            answer = await plant.control(**{"Idempotency-Key": "k"})
            assert code(answer) == (400, "BAD_REQUEST")
            assert answer.json()["error"]["message"] == "A webhook is receive-only"
        assert (await plant.history(), plant.finished) == ([], [])


async def test_without_a_transport_a_command_waits_and_says_for_what() -> None:
    async with plant_with(Wire(("serial",))) as plant:
        await plant.furnish()
        answer = await plant.give()
        assert (answer["sent"], answer["status"], answer["state"]) == (False, "pending", "queued")
        assert "no transport for 'mqtt' devices" in answer["detail"]
        assert (await plant.history())[0]["error"] == answer["detail"]


async def test_a_transport_that_breaks_fails_the_command(plant: Plant) -> None:
    plant.wire.error = ValueError("boom")
    answer = await plant.control()
    assert code(answer) == (400, "BAD_REQUEST")
    assert "boom" in answer.json()["error"]["message"]
    [command] = await plant.history()
    assert (command["status"], command["sent_at"]) == ("failed", None)
    assert "boom" in command["error"]
    [event] = plant.finished
    assert (event.success, event.command_id) == (False, "cmd_1")


@pytest.mark.parametrize("error", [SystemExit(1), asyncio.CancelledError()])
async def test_a_transport_that_ends_its_task_ends_only_that(plant: Plant, error: BaseException) -> None:
    plant.wire.error = error
    assert code(await plant.control()) == (400, "BAD_REQUEST")
    plant.wire.error = None
    assert (await plant.give())["sent"] is True


# ---- idempotency ----


async def test_the_same_key_and_body_is_the_same_command(plant: Plant) -> None:
    first = await plant.control("sleep", {"seconds": 5}, **{"Idempotency-Key": "k1"})
    again = await plant.control("sleep", {"seconds": 5}, **{"Idempotency-Key": "k1"})
    assert data(first) == data(again)
    assert len(plant.wire.taken) == len(await plant.history()) == 1
    assert data(await plant.control("sleep", {"seconds": 5}))["command_id"] == "cmd_2"


async def test_many_at_once_with_one_key_are_one_command(plant: Plant) -> None:
    answers = await asyncio.gather(*(plant.control(**{"Idempotency-Key": "k"}) for _ in range(10)))
    assert {data(answer)["command_id"] for answer in answers} == {"cmd_1"}
    assert len(plant.wire.taken) == 1


async def test_a_key_is_for_one_body_and_one_device(plant: Plant) -> None:
    await plant.furnish("p2")
    data(await plant.control("sleep", {"seconds": 5}, **{"Idempotency-Key": "k1"}))
    for answer in (
        await plant.control("sleep", {"seconds": 6}, **{"Idempotency-Key": "k1"}),
        await plant.control("stop", **{"Idempotency-Key": "k1"}),
        await plant.control("sleep", {"seconds": 5}, device="p2", **{"Idempotency-Key": "k1"}),
    ):
        assert code(answer) == (409, "CONFLICT")
    assert len(plant.wire.taken) == 1


async def test_keys_of_different_callers_do_not_meet(plant: Plant) -> None:
    await plant.control(**{"Idempotency-Key": "k1"})
    other = plant.host.client(role="user")
    answer = await other.post("/api/devices/p1/control", json={"command": "stop"}, headers={"Idempotency-Key": "k1"})
    assert data(answer)["command_id"] == "cmd_2"


@pytest.mark.parametrize("key", ["x" * 256, "a\tb", "é"])
async def test_keys_that_cannot_be(plant: Plant, key: str) -> None:
    answer = await plant.api.post(
        "/api/devices/p1/control", json={"command": "stop"}, headers={"Idempotency-Key": key.encode("latin-1")}
    )
    assert code(answer) == (400, "BAD_REQUEST")
    assert plant.wire.attempts == 0


# ---- history ----


async def test_the_newest_come_first_and_the_oldest_go(plant: Plant) -> None:
    for number in range(KEPT + 5):
        await plant.give("sleep", {"seconds": number + 1})
        await plant.acks.acknowledge("p1", None, True)
    rows = await plant.history(limit=1000)
    assert [row["command_id"] for row in rows] == [f"cmd_{number}" for number in range(KEPT + 5, 5, -1)]
    assert len(await plant.history()) == 50
    assert [row["command_id"] for row in await plant.history(limit=2)] == [f"cmd_{KEPT + 5}", f"cmd_{KEPT + 4}"]
    assert code(await plant.api.get("/api/devices/p1/commands", params={"limit": 0})) == (422, "VALIDATION_ERROR")


async def test_a_removed_device_takes_its_history_along(plant: Plant) -> None:
    await plant.give()
    directory = plant.host.services[DeviceDirectory]
    await directory.remove("p1")
    await plant.host.settle()
    [event] = plant.finished
    assert (event.success, event.result) == (False, "the device was removed")
    await plant.clock.advance(1)
    await directory.register(Device(device_id="p1", name="p1", device_type="pump"))
    assert await plant.history() == []
    assert (await plant.give())["command_id"] == "cmd_2"
