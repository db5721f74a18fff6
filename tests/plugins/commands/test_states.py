"""What becomes of a command: acknowledged, refused, waiting, too late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from neomind_plugins.commands import tables
from neomind_sdk import (
    DeviceCommandFinished,
    DeviceCommands,
    DeviceDirectory,
    DeviceTransportOnline,
    ExtensionStateChanged,
    StorageBusy,
    StorageFull,
)
from neomind_sdk.testing.clock import turns

from .conftest import Mailbox, Plant, Wire, code, data, plant_with

AWAY = ConnectionError("the broker is away")


@pytest.fixture
async def strict() -> AsyncIterator[Plant]:
    """Where commands have to be acknowledged."""
    async with plant_with(Wire(), settings={"commands": {"require_ack": True}}) as plant:
        await plant.furnish()
        yield plant


async def test_an_acknowledgement_ends_a_command(plant: Plant) -> None:
    await plant.give()
    assert await plant.acks.acknowledge("p1", "cmd_1", True, result={"depth": 3}) is True
    command = await plant.show("cmd_1")
    assert (command["state"], command["status"], command["result"]) == ("succeeded", "success", '{"depth":3}')
    assert plant.finished == [
        DeviceCommandFinished(device_id="p1", command="stop", command_id="cmd_1", success=True, result={"depth": 3})
    ]


async def test_a_device_may_report_a_failure(plant: Plant) -> None:
    await plant.give()
    assert await plant.acks.acknowledge("p1", "cmd_1", False, error="stuck") is True
    command = await plant.show("cmd_1")
    assert (command["state"], command["status"], command["error"]) == ("failed", "failed", "stuck")
    assert [(event.success, event.result) for event in plant.finished] == [(False, "stuck")]


async def test_only_the_first_acknowledgement_counts(plant: Plant) -> None:
    await plant.give()
    answers = await asyncio.gather(*(plant.acks.acknowledge("p1", "cmd_1", good) for good in (True, False, True)))
    assert answers == [True, False, False]
    assert len(plant.finished) == 1
    assert await plant.acks.acknowledge("p1", "cmd_1", False) is False
    assert await plant.states() == ["succeeded"]


async def test_acknowledgements_that_nobody_waits_for(plant: Plant) -> None:
    await plant.furnish("p2")
    await plant.give()
    for device, ident in (("p1", "cmd_2"), ("p1", "nonsense"), ("p2", "cmd_1"), ("p2", None), ("nobody", "cmd_1")):
        assert await plant.acks.acknowledge(device, ident, True) is False
    assert plant.finished == []


async def test_a_device_may_answer_by_the_request_id_or_by_none(plant: Plant) -> None:
    import json

    for _ in range(3):
        await plant.give()
    second = json.loads(plant.wire.payloads[1])["request_id"]
    assert await plant.acks.acknowledge("p1", second, True)
    assert await plant.acks.acknowledge("p1", None, True)
    assert [event.command_id for event in plant.finished] == ["cmd_2", "cmd_1"]


async def test_devices_that_never_acknowledge_are_believed(plant: Plant) -> None:
    answer = await plant.give()
    assert (answer["status"], answer["state"]) == ("success", "delivered")
    await plant.pass_s(29.9)
    assert await plant.states() == ["delivered"]
    await plant.pass_s(0.1)
    command = await plant.show("cmd_1")
    assert (command["state"], command["status"]) == ("succeeded", "success")
    assert "did not acknowledge" in command["result"]
    assert [event.success for event in plant.finished] == [True]


async def test_where_an_acknowledgement_is_required_silence_is_a_time_out(strict: Plant) -> None:
    answer = await strict.give()
    assert (answer["status"], answer["state"], answer["sent"]) == ("executing", "delivered", True)
    await strict.pass_s(30)
    command = await strict.show("cmd_1")
    assert (command["state"], command["status"]) == ("expired", "timeout")
    assert "did not acknowledge" in command["error"]
    assert [event.success for event in strict.finished] == [False]
    assert await strict.acks.acknowledge("p1", "cmd_1", True) is False


async def test_a_device_says_itself_whether_it_acknowledges(plant: Plant, strict: Plant) -> None:
    await plant.furnish("p2", connection_config={"require_ack": True})
    await strict.furnish("p2", connection_config={"require_ack": False})
    assert (await plant.give(device="p2"))["status"] == "executing"
    assert (await strict.give(device="p2"))["status"] == "success"


async def test_an_acknowledgement_may_come_before_the_transport_returns(plant: Plant) -> None:
    async def answer(downlink: Any) -> None:
        assert await plant.acks.acknowledge("p1", downlink.command_id, True)

    plant.wire.meanwhile = answer
    assert (await plant.give())["state"] == "succeeded"
    await plant.pass_s(100)
    assert await plant.states() == ["succeeded"]
    assert len(plant.finished) == 1


# ---- waiting ----


async def test_what_cannot_be_sent_is_sent_later(plant: Plant) -> None:
    plant.wire.error = AWAY
    answer = await plant.give()
    assert (answer["state"], answer["sent"], answer["detail"]) == ("queued", False, "the broker is away")
    await plant.pass_s(20)
    assert 2 <= plant.wire.attempts <= 7
    plant.wire.error = None
    await plant.pass_s(30)
    assert plant.wire.ids == ["cmd_1"]
    assert await plant.states() == ["delivered"]
    assert (await plant.show("cmd_1"))["error"] is None


@pytest.mark.parametrize(
    "event",
    [
        DeviceTransportOnline(device_id="p1", client_id="c"),
        ExtensionStateChanged(extension_id="wire", state="started"),
    ],
)
async def test_a_connection_that_comes_up_ends_the_wait(plant: Plant, event: Any) -> None:
    plant.wire.error = AWAY
    await plant.give()
    await plant.pass_s(60)
    plant.wire.error = None
    plant.host.bus.publish(event)
    await plant.host.settle()
    assert plant.wire.ids == ["cmd_1"]


async def test_who_waits_too_long_expires(plant: Plant) -> None:
    plant.wire.error = AWAY
    await plant.give()
    await plant.pass_s(299.9)
    assert await plant.states() == ["queued"]
    await plant.pass_s(0.1)
    command = await plant.show("cmd_1")
    assert (command["state"], command["status"]) == ("expired", "timeout")
    assert "the broker is away" in command["error"]
    plant.wire.error = None
    await plant.pass_s(600)
    assert plant.wire.taken == []
    assert len(plant.finished) == 1


async def test_the_order_of_a_device_is_kept_and_others_do_not_wait(plant: Plant) -> None:
    await plant.furnish("p2")
    plant.wire.error = AWAY
    for _ in range(3):
        await plant.give()
    plant.wire.error = None
    await plant.give(device="p2")
    assert plant.wire.ids == ["cmd_4"]
    assert (await plant.give())["state"] == "queued"
    await plant.pass_s(30)
    assert plant.wire.ids == ["cmd_4", "cmd_1", "cmd_2", "cmd_3", "cmd_5"]


async def test_commands_given_at_once_are_sent_in_the_order_of_their_numbers(plant: Plant) -> None:
    await plant.furnish(*(f"q{number}" for number in range(5)))
    await asyncio.gather(*(plant.give(device=f"q{number % 5}") for number in range(50)))
    for number in range(5):
        mine = [int(d.command_id[4:]) for d in plant.wire.taken if d.device.device_id == f"q{number}"]
        assert len(mine) == 10
        assert mine == sorted(mine)


async def test_no_more_than_so_many_wait_for_a_device(plant: Plant) -> None:
    plant.wire.error = AWAY
    for _ in range(100):
        await plant.give()
    assert code(await plant.control()) == (409, "CONFLICT")
    assert len(await plant.history(limit=1000)) == 100


# ---- a transport that does not return ----


async def test_a_transport_that_hangs_holds_nobody_for_ever(plant: Plant) -> None:
    plant.wire.hangs = True
    giving = asyncio.create_task(plant.control())
    await plant.host.settle()
    await plant.pass_s(10)
    answer = data(await giving)
    assert (answer["state"], answer["status"], answer["sent"]) == ("sent", "executing", True)
    assert "did not confirm within 10 s" in answer["detail"]
    plant.wire.hangs = False
    await plant.give()
    assert plant.wire.ids == ["cmd_2"]
    await plant.pass_s(30)
    assert await plant.states() == ["succeeded", "expired"]
    assert "not known whether the device got it" in (await plant.show("cmd_1"))["error"]


async def test_what_hung_may_have_arrived(plant: Plant) -> None:
    plant.wire.error = TimeoutError("no PUBACK")
    assert (await plant.give())["state"] == "sent"
    assert plant.wire.attempts == 1
    assert await plant.acks.acknowledge("p1", "cmd_1", True)
    assert await plant.states() == ["succeeded"]
    await plant.pass_s(600)
    assert plant.wire.attempts == 1


async def test_a_caller_that_goes_away_changes_nothing(plant: Plant) -> None:
    plant.wire.hangs = True
    giving = asyncio.create_task(plant.control())
    await plant.host.settle()
    giving.cancel()
    await asyncio.gather(giving, return_exceptions=True)
    plant.wire.hangs = False
    await plant.pass_s(10)
    await plant.give()
    assert await plant.states() == ["delivered", "sent"]


async def test_a_caller_that_goes_away_while_its_command_is_kept(plant: Plant) -> None:
    for rounds in range(12):
        giving = asyncio.create_task(plant.control())
        await turns(rounds)
        giving.cancel()
        await asyncio.gather(giving, return_exceptions=True)
        await plant.host.settle()
    assert set(await plant.states()) <= {"delivered"}
    assert len(plant.wire.taken) == len(await plant.history())


# ---- other ends ----


async def test_a_device_that_is_removed_gets_nothing_any_more(plant: Plant) -> None:
    plant.wire.error = AWAY
    await plant.give()
    await plant.host.services[DeviceDirectory].remove("p1")
    await plant.host.settle()
    plant.wire.error = None
    await plant.pass_s(600)
    assert plant.wire.taken == []
    assert [event.success for event in plant.finished] == [False]


async def test_causes_and_hops_go_along(plant: Plant) -> None:
    commands = plant.host.services[DeviceCommands]
    record = await commands.send("p1", "sleep", {"seconds": 2}, cause="rule:r1", hops=3)
    assert (record.state, record.params) == ("delivered", {"seconds": 2})
    await plant.acks.acknowledge("p1", record.command_id, True)
    assert [(event.cause, event.hops) for event in plant.finished] == [("rule:r1", 3)]
    assert [one.command_id for one in await commands.history("p1")] == [record.command_id]


async def test_a_storage_that_is_busy_delays_and_loses_nothing(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    from neomind_sdk import Database

    database = plant.host.services[Database]
    write, refused = database.write, 0

    async def busy(work: Any) -> Any:
        nonlocal refused
        if plant.wire.attempts and refused < 3:
            refused += 1
            raise StorageBusy("later")
        return await write(work)

    monkeypatch.setattr(database, "write", busy)
    giving = asyncio.create_task(plant.control())
    await plant.host.settle()
    await plant.pass_s(5)
    assert data(await giving)["state"] == "delivered"
    assert (refused, len(plant.wire.taken)) == (3, 1)


async def test_a_storage_that_is_full_when_a_command_is_withdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise StorageFull

    async with plant_with(Mailbox()) as plant:
        await plant.furnish(adapter_type="webhook")
        monkeypatch.setattr(tables, "delete", full)
        answer = await plant.control()
        assert code(answer) == (400, "BAD_REQUEST")
        assert "receive-only" in answer.json()["error"]["message"]
        [command] = await plant.history()
        assert (command["state"], command["error"]) == ("failed", "A webhook is receive-only")
        assert [event.success for event in plant.finished] == [False]
        monkeypatch.undo()
        assert code(await plant.control()) == (400, "BAD_REQUEST")
        assert await plant.states() == ["failed"]


async def test_setting_the_clock_of_the_machine_expires_nothing(plant: Plant) -> None:
    await plant.give()
    plant.clock.jump_ms(86_400_000)
    await plant.pass_s(29)
    assert await plant.states() == ["delivered"]
    plant.clock.jump_ms(-2 * 86_400_000)
    await plant.pass_s(1)
    assert await plant.states() == ["succeeded"]
