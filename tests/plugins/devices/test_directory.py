"""The directory: what it keeps, what it refuses, and that memory and database never disagree."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from neomind_plugins.devices import tables
from neomind_plugins.devices.models import DeviceChange
from neomind_sdk import (
    ApiError,
    Conflict,
    DeviceDirectory,
    DeviceRegistered,
    DeviceTypeRegistered,
    DeviceTypeUnregistered,
    DeviceUnregistered,
    DeviceUpdated,
    NotFound,
    StorageFull,
)

from .conftest import NOW_MS, World, device, thermometer


async def test_it_is_a_device_directory(directory: Any) -> None:
    assert isinstance(directory, DeviceDirectory)


async def test_a_device_is_found_after_it_was_registered(world: World, directory: Any) -> None:
    made = await directory.register(device("t1", name="Kitchen"))
    assert directory.get("t1") == made == device("t1", name="Kitchen", created_ms=NOW_MS)
    assert directory.type_of("t1") == thermometer()
    assert world.bus.events == [DeviceRegistered(device_id="t1", device_type="thermometer")]


async def test_devices_are_in_the_order_of_name_then_id(directory: Any) -> None:
    for ident, name in (("c", "a"), ("a", "b"), ("b", "a")):
        await directory.register(device(ident, name=name))
    assert [found.device_id for found in directory.devices()] == ["b", "c", "a"]
    await directory.remove("c")
    assert [found.device_id for found in directory.devices()] == ["b", "a"]


async def test_everything_is_there_after_a_restart(world: World, directory: Any) -> None:
    config = {"telemetry_topic": "a/b", "webhook_token": "s3cret", "ble": {"mac": ["a", None]}}
    await directory.register(device("t1", connection_config=config, adapter_id="x", offline_timeout_secs=60))
    await directory.register(device("t2"))
    await directory.update("t2", DeviceChange(name="Other"))
    directory.seen("t1", NOW_MS - 5000)
    await directory.close()
    again = await world.restart()
    assert again is not directory
    assert list(again.devices()) == list(directory.devices())
    assert list(again.types()) == list(directory.types())
    assert again.last_seen("t1") == NOW_MS - 5000
    assert again.webhook_token_ok("t1", "s3cret")
    assert not again.webhook_token_ok("t1", "other")


async def test_of_two_that_register_the_same_id_at_once_one_wins(directory: Any) -> None:
    outcomes = await asyncio.gather(
        directory.register(device(name="one")), directory.register(device(name="two")), return_exceptions=True
    )
    assert [type(outcome).__name__ for outcome in outcomes] == ["Device", "Conflict"]
    assert directory.get("t1").name == "one"


async def test_a_type_cannot_be_deleted_while_a_device_of_it_is_being_made(directory: Any) -> None:
    outcomes = await asyncio.gather(
        directory.register(device()), directory.remove_type("thermometer"), return_exceptions=True
    )
    assert [type(outcome).__name__ for outcome in outcomes] == ["Device", "Conflict"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"device_id": ""}, "BAD_REQUEST"),
        ({"device_id": "a b"}, "BAD_REQUEST"),
        ({"device_id": "a:b"}, "BAD_REQUEST"),
        ({"device_id": "a\x00"}, "BAD_REQUEST"),
        ({"device_id": "a\n"}, "BAD_REQUEST"),
        ({"device_id": "é"}, "BAD_REQUEST"),
        ({"device_id": "x" * 129}, "BAD_REQUEST"),
        ({"device_id": ".."}, "BAD_REQUEST"),
        ({"device_id": "current-batch"}, "BAD_REQUEST"),
        ({"offline_timeout_secs": 29}, "BAD_REQUEST"),
        ({"offline_timeout_secs": 86_401}, "BAD_REQUEST"),
        ({"device_type": "nothing"}, "DEVICE_TYPE_NOT_FOUND"),
        ({"connection_config": {"telemetry_topic": 5}}, "INVALID_DEVICE_CONFIG"),
        ({"connection_config": {"entity_id": []}}, "INVALID_DEVICE_CONFIG"),
        ({"connection_config": {"webhook_token": False}}, "INVALID_DEVICE_CONFIG"),
        ({"connection_config": {"webhook_token": "***"}}, "INVALID_DEVICE_CONFIG"),
        ({"connection_config": {"webhook_token": " blank"}}, "INVALID_DEVICE_CONFIG"),
        ({"connection_config": {"webhook_token": "x" * 513}}, "INVALID_DEVICE_CONFIG"),
    ],
)
async def test_what_cannot_be_is_refused(world: World, directory: Any, wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(ApiError) as caught:
        await directory.register(attrs.evolve(device(), **wrong))
    assert caught.value.code == code
    assert list(directory.devices()) == []
    assert world.bus.events == []


@pytest.mark.parametrize("ident", ["x" * 128, "A-1_b.c", "0", "...", "TYPES"])
async def test_ids_that_can_be(directory: Any, ident: str) -> None:
    await directory.register(device(ident))
    assert directory.get(ident)


CHANGES: list[Callable[[Any], Any]] = [
    lambda directory: directory.register(device("t2")),
    lambda directory: directory.update("t1", DeviceChange(name="new", connection_config={"webhook_token": "b"})),
    lambda directory: directory.remove("t1"),
    lambda directory: directory.register_type(thermometer(name="new")),
    lambda directory: directory.remove_type("ne101_camera"),
]


@pytest.mark.parametrize("change", CHANGES)
async def test_a_write_that_fails_changes_nothing(
    world: World, directory: Any, change: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await directory.register(device(connection_config={"webhook_token": "a"}))
    before, types = list(directory.devices()), list(directory.types())
    world.bus.events.clear()

    async def full(work: Any) -> None:
        raise StorageFull

    with monkeypatch.context() as broken:
        broken.setattr(world.storage.database, "write", full)
        with pytest.raises(StorageFull):
            await change(directory)
    assert list(directory.devices()) == before
    assert list(directory.types()) == types
    assert directory.webhook_token_ok("t1", "a")
    assert world.bus.events == []
    await change(directory)


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_is_finished_when_its_caller_goes_away(world: World, directory: Any, change: Any) -> None:
    await directory.register(device(connection_config={"webhook_token": "a"}))
    task = asyncio.create_task(change(directory))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await directory.close()
    again = await world.restart()
    assert list(again.devices()) == list(directory.devices())
    assert list(again.types()) == list(directory.types())
    assert again.webhook_token_ok("t1", "b") is directory.webhook_token_ok("t1", "b")


async def test_changes_are_published_when_they_are_durable(world: World, directory: Any) -> None:
    await directory.register(device())
    await directory.update("t1", DeviceChange(name="new"))
    await directory.remove("t1")
    await directory.replace_type(thermometer(name="new"))
    await directory.remove_type("thermometer")
    assert world.bus.events == [
        DeviceRegistered(device_id="t1", device_type="thermometer"),
        DeviceUpdated(device_id="t1"),
        DeviceUnregistered(device_id="t1", device_type="thermometer"),
        DeviceTypeRegistered(device_type="thermometer"),
        DeviceTypeUnregistered(device_type="thermometer"),
    ]


async def test_what_is_not_there_cannot_be_changed(directory: Any) -> None:
    for change in (directory.update("x", DeviceChange()), directory.remove("x"), directory.remove_type("x")):
        with pytest.raises(NotFound):
            await change
    with pytest.raises(NotFound):
        await directory.replace_type(thermometer(device_type="x"))


async def test_an_update_keeps_what_it_does_not_name(directory: Any) -> None:
    config = {"telemetry_topic": "a", "webhook_token": "s"}
    made = await directory.register(device(offline_timeout_secs=60, adapter_id="x", connection_config=config))
    changed = await directory.update("t1", DeviceChange(name="new"))
    assert changed == attrs.evolve(made, name="new")
    cleared = await directory.update("t1", DeviceChange(offline_timeout_secs=None, connection_config={}))
    assert cleared == attrs.evolve(changed, offline_timeout_secs=None, connection_config={"webhook_token": "***"})


async def test_the_token_is_kept_as_a_hash(world: World, directory: Any) -> None:
    made = await directory.register(device(connection_config={"webhook_token": "s3cret", "entity_id": None}))
    assert made.connection_config == {"webhook_token": "***", "entity_id": None}
    rows = await world.storage.database.read(lambda: list(tables.DeviceRow.select().dicts()))
    assert "s3cret" not in str(rows)


async def test_who_may_use_the_webhook(directory: Any) -> None:
    await directory.register(device("open"))
    await directory.register(device("guarded", connection_config={"webhook_token": "s3cret"}))
    assert directory.webhook_token_ok("open", None)
    assert directory.webhook_token_ok("open", "any")
    assert directory.webhook_token_ok("unknown", None)
    assert directory.webhook_token_ok("guarded", "s3cret")
    assert not any(directory.webhook_token_ok("guarded", token) for token in (None, "", "***", "S3cret", "\ud800"))


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        ({}, "old"),
        ({"webhook_token": "***"}, "old"),
        ({"webhook_token": "new"}, "new"),
        ({"webhook_token": None}, None),
        ({"webhook_token": ""}, None),
    ],
)
async def test_how_a_token_is_changed(world: World, directory: Any, given: dict[str, Any], holds: str | None) -> None:
    await directory.register(device(connection_config={"webhook_token": "old"}))
    changed = await directory.update("t1", DeviceChange(connection_config=given))
    for found in (directory, await world.restart()):
        assert found.webhook_token_ok("t1", holds)
        assert found.webhook_token_ok("t1", "other") is (holds is None)
    assert changed.connection_config == ({} if holds is None else {"webhook_token": "***"})


async def test_a_device_made_again_has_nothing_of_the_one_before(world: World, directory: Any) -> None:
    await directory.register(device(connection_config={"webhook_token": "old"}))
    directory.seen("t1", NOW_MS)
    await directory.remove("t1")
    await directory.register(device())
    for found in (directory, await world.restart()):
        assert found.webhook_token_ok("t1", None)
        assert found.last_seen("t1") is None


async def test_built_in_types_are_seeded_once(world: World) -> None:
    assert [found.device_type for found in world.directory.types()] == ["ne101_camera", "ne301_camera"]
    await world.directory.remove_type("ne101_camera")
    again = await world.restart()
    assert [found.device_type for found in again.types()] == ["ne301_camera"]
    commands = {command.name: command for command in again.get_type("ne301_camera").commands}
    assert set(commands) == {"capture", "sleep"}
    [duration] = commands["sleep"].parameters
    assert (duration.name, duration.data_type, duration.min, duration.max) == ("duration_sec", "integer", 1, 3600)


async def test_a_type_in_use_is_not_deleted(directory: Any) -> None:
    await directory.register(device())
    with pytest.raises(Conflict, match="in use by 1 device"):
        await directory.remove_type("thermometer")
    assert directory.get_type("thermometer")
