"""Restarts and crashes: nothing is sent twice, nothing is forgotten, no command stays in between."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import attrs
import pytest

from neomind_plugins.commands import tables
from neomind_plugins.commands.kept import Command
from neomind_plugins.devices import plugin as devices
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk import CommandAcks, Database, DeviceDirectory
from neomind_sdk.testing import VirtualClock, make_host

from .conftest import Plant, Wire, data, plant_with

AWAY = ConnectionError("the broker is away")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def start(tmp_path: Path, clock: VirtualClock) -> Any:
    """A platform on the same disk and in the same time."""

    def started(wire: Wire, **settings: Any) -> AbstractAsyncContextManager[Plant]:
        sections = {"commands": settings}
        return plant_with(wire, storage_sqlite, data_dir=tmp_path, clock=clock, settings=sections)

    return started


async def becomes(plant: Plant, *states: str) -> None:
    """Wait until the commands, newest first, are in these states: the storage works in threads of its own."""
    for _ in range(2000):
        if await plant.states() == list(states):
            await plant.host.settle()
            return
        await asyncio.sleep(0.001)
    assert await plant.states() == list(states)


async def left_behind(tmp_path: Path, clock: VirtualClock, *states: str, **more: Any) -> None:
    """What ``kill -9`` leaves: commands in these states, given right now, and their device."""
    now_ms = clock.now_ms()

    def work() -> None:
        tables.CounterRow.insert(id=tables.COUNTER, last=len(states)).execute()
        for number, state in enumerate(states, 1):
            values: dict[str, Any] = {
                "number": number,
                "device_id": "p1",
                "command": "stop",
                "params": {},
                "payload": b"HALT %d" % number,
                "request_id": f"req-{number}",
                "requires_ack": True,
                "state": state,
                "created_ms": now_ms,
                "sent_ms": None if state == "queued" else now_ms,
                "expires_ms": now_ms + 300_000,
                "due_ms": now_ms + (300_000 if state == "queued" else 30_000),
            }
            command = Command(**{**values, **more})
            tables.CommandRow.insert(**tables.columns_of({**vars_of(command)})).execute()

    async with plant_with(Wire(), storage_sqlite, data_dir=tmp_path, clock=clock) as plant:
        await plant.furnish()
        await plant.host.services[Database].write(work)


def vars_of(command: Command) -> dict[str, Any]:
    return attrs.asdict(command, recurse=False)


async def test_what_waited_is_sent_after_the_start(start: Any, clock: VirtualClock) -> None:
    wire = Wire()
    wire.error = AWAY
    async with start(wire) as plant:
        await plant.furnish()
        for _ in range(3):
            await plant.give()
    wire.error = None
    async with start(wire) as plant:
        await becomes(plant, *["delivered"] * 3)
        assert wire.ids == ["cmd_1", "cmd_2", "cmd_3"]
        assert (await plant.give())["command_id"] == "cmd_4"


async def test_what_was_written_and_never_tried_is_sent_as_it_was_rendered(
    start: Any, tmp_path: Path, clock: VirtualClock
) -> None:
    await left_behind(tmp_path, clock, "queued", "queued")
    wire = Wire()
    async with start(wire) as plant:
        await becomes(plant, "delivered", "delivered")
        assert wire.payloads == [b"HALT 1", b"HALT 2"]
        assert await plant.acks.acknowledge("p1", "req-2", True)


async def test_what_was_sent_is_not_sent_again_and_waits_for_its_remaining_time(
    start: Any, tmp_path: Path, clock: VirtualClock
) -> None:
    await left_behind(tmp_path, clock, "sent", "delivered", "sent")
    await clock.advance(20)
    wire = Wire()
    async with start(wire) as plant:
        await plant.pass_s(9.9)
        assert await plant.states() == ["sent", "delivered", "sent"]
        assert await plant.acks.acknowledge("p1", "cmd_1", True)
        await plant.pass_s(0.1)
        await becomes(plant, "expired", "expired", "succeeded")
        assert wire.attempts == 0
        assert [event.command_id for event in plant.finished] == ["cmd_1", "cmd_2", "cmd_3"]


async def test_whose_time_was_over_while_nobody_looked_has_ended_at_the_start(
    start: Any, tmp_path: Path, clock: VirtualClock
) -> None:
    await left_behind(tmp_path, clock, "queued", "sent", "delivered")
    await clock.advance(1000)
    wire = Wire()
    async with start(wire) as plant:
        await becomes(plant, *["expired"] * 3)
        assert wire.attempts == 0
        assert len(plant.finished) == 3


async def test_a_clock_that_was_set_back_prolongs_nothing(start: Any, tmp_path: Path, clock: VirtualClock) -> None:
    await left_behind(tmp_path, clock, "sent")
    clock.jump_ms(-86_400_000)
    async with start(Wire()) as plant:
        await plant.pass_s(30)
        await becomes(plant, "expired")


async def test_a_platform_that_stops_in_the_middle_of_sending(start: Any, clock: VirtualClock) -> None:
    wire = Wire()
    wire.hangs = True
    async with start(wire) as plant:
        await plant.furnish()
        giving = asyncio.create_task(plant.control())
        while not wire.attempts:  # noqa: ASYNC110 - the storage works in threads, and there is no event for it
            await asyncio.sleep(0.001)
        giving.cancel()
        await asyncio.gather(giving, return_exceptions=True)
    wire.hangs = False
    async with start(wire) as plant:
        assert await plant.states() == ["sent"]
        await plant.pass_s(30)
        await becomes(plant, "expired")
        assert wire.attempts == 1


async def test_a_device_that_was_removed_meanwhile(start: Any, tmp_path: Path, clock: VirtualClock) -> None:
    await left_behind(tmp_path, clock, "queued")
    async with make_host(devices, storage_sqlite, data_dir=tmp_path, clock=clock) as host:
        await host.services[DeviceDirectory].remove("p1")
    wire = Wire()
    async with start(wire) as plant:
        await plant.host.settle()
        assert wire.attempts == 0
        [event] = plant.finished
        assert (event.success, event.result) == (False, "the device was removed")


async def test_a_key_holds_over_a_restart(start: Any, clock: VirtualClock) -> None:
    wire = Wire()
    async with start(wire) as plant:
        await plant.furnish()
        first = data(await plant.control(**{"Idempotency-Key": "k"}))
    async with start(wire) as plant:
        again = data(await plant.control(**{"Idempotency-Key": "k"}))
        assert (again["command_id"], again["state"]) == (first["command_id"], "delivered")
        assert len(wire.taken) == 1


async def test_numbers_go_on_although_their_commands_are_gone(start: Any, clock: VirtualClock) -> None:
    async with start(Wire()) as plant:
        await plant.furnish("p1", "p2")
        for _ in range(3):
            await plant.give()
        await plant.host.services[DeviceDirectory].remove("p1")
        while await plant.host.services[Database].read(lambda: tables.newest("p1", 1)):
            await plant.host.settle()
    async with start(Wire()) as plant:
        assert (await plant.give(device="p2"))["command_id"] == "cmd_4"


async def test_what_is_durable_before_it_is_sent(start: Any, clock: VirtualClock) -> None:
    """While the transport has the command, another reader of the database finds it written."""
    wire = Wire()
    async with start(wire) as plant:
        await plant.furnish()

        async def look(downlink: Any) -> None:
            [found] = await plant.host.services[Database].read(lambda: tables.newest("p1", 10))
            seen.append((found.command_id, found.state, found.payload == downlink.payload))

        seen: list[Any] = []
        wire.meanwhile = look
        await plant.give()
        assert seen == [("cmd_1", "sent", True)]
        await plant.host.services[CommandAcks].acknowledge("p1", "cmd_1", True)
        [ended] = await plant.host.services[Database].read(lambda: tables.newest("p1", 10))
        assert (ended.state, ended.payload) == ("succeeded", b"")
