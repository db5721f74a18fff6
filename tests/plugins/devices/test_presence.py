"""Who is online, and how that outlives a restart."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from neomind_plugins.devices.models import DeviceChange, DeviceSettings
from neomind_sdk import DeviceOnline, StorageBusy

from .conftest import NOW_MS, World, device, thermometer

ONLINE = DeviceOnline(device_id="t1", device_type="thermometer")


@pytest.fixture
async def known(world: World, directory: Any) -> Any:
    await directory.register(device())
    world.bus.events.clear()
    return directory


async def test_the_three_words(world: World, known: Any) -> None:
    assert known.status("t1") == known.status("unknown") == "disconnected"
    known.seen("t1", NOW_MS)
    assert known.status("t1") == "online"
    world.clock.ms += 299_999
    assert known.status("t1") == "online"
    world.clock.ms += 1
    assert known.status("t1") == "offline"


async def test_which_timeout_holds(world: World, known: Any) -> None:
    world.settings = DeviceSettings(default_offline_timeout_secs=111)
    assert known.effective_timeout("t1") == known.effective_timeout("unknown") == 111
    await known.register_type(thermometer(default_offline_timeout_secs=222))
    assert known.effective_timeout("t1") == 222
    await known.update("t1", DeviceChange(offline_timeout_secs=333))
    assert known.effective_timeout("t1") == 333
    await known.update("t1", DeviceChange(offline_timeout_secs=None))
    assert known.effective_timeout("t1") == 222


async def test_coming_online_is_told_once(world: World, known: Any) -> None:
    for after_ms in (0, 1, 299_998):
        world.clock.ms += after_ms
        known.seen("t1", world.clock.ms)
    assert world.bus.events == [ONLINE]


async def test_who_stays_online_over_a_restart_is_not_told_again(world: World, known: Any) -> None:
    known.seen("t1", NOW_MS)
    await known.close()
    again = await world.restart()
    assert again.status("t1") == "online"
    again.seen("t1", NOW_MS)
    assert world.bus.events == [ONLINE]


async def test_older_news_change_nothing(world: World, known: Any) -> None:
    known.seen("t1", NOW_MS - 300_000)
    assert (known.status("t1"), known.last_seen("t1"), world.bus.events) == ("offline", NOW_MS - 300_000, [])
    known.seen("t1", NOW_MS)
    known.seen("t1", NOW_MS - 1)
    assert (known.status("t1"), known.last_seen("t1"), world.bus.events) == ("online", NOW_MS, [ONLINE])


async def test_nobody_is_told_of_unknown_devices(world: World, known: Any) -> None:
    known.seen("unknown", NOW_MS)
    assert known.last_seen("unknown") is None
    assert world.bus.events == []


async def test_saving_takes_only_what_changed(world: World, known: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    writes = count_writes(world, monkeypatch)
    known.seen("t1", NOW_MS)
    world.clock.ms += 7
    known.seen("t1", NOW_MS + 7)
    await known.presence.save()
    await known.presence.save()
    assert len(writes) == 1
    assert (await world.restart()).last_seen("t1") == NOW_MS + 7


async def test_many_devices_are_saved_in_batches(world: World, known: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2, 1202):
        await known.register(device(f"t{number}"))
    writes = count_writes(world, monkeypatch)
    for found in known.devices():
        known.seen(found.device_id, NOW_MS)
    await known.presence.save()
    assert len(writes) == 3
    again = await world.restart()
    assert {again.last_seen(found.device_id) for found in again.devices()} == {NOW_MS}


async def test_what_could_not_be_saved_is_tried_again(
    world: World, known: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known.seen("t1", NOW_MS)

    async def busy(work: Any) -> None:
        raise StorageBusy("later")

    with monkeypatch.context() as broken:
        broken.setattr(world.storage.database, "write", busy)
        with pytest.raises(StorageBusy):
            await known.presence.save()
    await known.presence.save()
    assert (await world.restart()).last_seen("t1") == NOW_MS


async def test_a_device_removed_before_saving_leaves_nothing(world: World, known: Any) -> None:
    known.seen("t1", NOW_MS)
    await known.remove("t1")
    await known.close()
    assert (await world.restart()).last_seen("t1") is None


async def test_a_device_removed_while_saving_leaves_nothing(world: World, known: Any) -> None:
    known.seen("t1", NOW_MS)
    saving = asyncio.create_task(known.presence.save())
    await known.remove("t1")
    await saving
    assert (await world.restart()).last_seen("t1") is None


def count_writes(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    writes: list[Any] = []
    write = world.storage.database.write

    async def counted(work: Any) -> Any:
        writes.append(work)
        return await write(work)

    monkeypatch.setattr(world.storage.database, "write", counted)
    return writes
