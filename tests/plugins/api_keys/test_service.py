"""Keys: made, found, expired, deleted, and still there after a restart."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from neomind_plugins.api_keys.errors import GrantRefused, KeyNotFound, OutlivesCreator
from neomind_plugins.api_keys.texts import digest
from neomind_sdk import Principal, Rejection, SessionEnded, StorageFailed
from neomind_sdk.units import DAY_MS

GIVEN = "given-by-the-environment"


async def test_a_key_is_its_bearer(world: Any) -> None:
    issued = await world.create("robot", permissions=["devices:read", "read"])
    assert world.keys.identify(issued.text) == Principal(
        kind="api_key",
        id=f"apikey:{issued.key.id}",
        name="robot",
        role="user",
        scopes=frozenset({"devices:read", "read"}),
    )


async def test_a_key_for_everything_is_an_administrator(world: Any) -> None:
    assert world.keys.identify((await world.create()).text).role == "admin"
    assert world.keys.identify((await world.create(permissions=["admin"])).text).role == "user"


async def test_what_is_no_key_is_nobody(world: Any) -> None:
    issued = await world.create()
    for text in ("", "nmk_", issued.text[:-1], issued.text + "0", issued.text.upper(), issued.key.key_hash):
        assert world.keys.identify(text) is None
    assert world.keys.identify(issued.text)


async def test_restarts_keep_keys_and_their_hashes_only(world: Any) -> None:
    issued = await world.create(permissions=["rules:read", "rules:write"], expires_in_days=1)
    before = (world.keys.identify(issued.text), world.keys.all())
    await world.keys.close()
    (row,) = await world.rows()
    assert digest(issued.text) in row
    assert not any(issued.text[12:] in str(column) for column in row)
    keys = await world.start()
    assert (keys.identify(issued.text), keys.all()) == before
    assert issued.text not in repr((issued, world.log.lines, world.bus.events))


async def test_keys_expire_to_the_millisecond(world: Any) -> None:
    issued = await world.create(expires_in_days=1)
    world.clock.ms += DAY_MS - 1
    assert isinstance(world.keys.identify(issued.text), Principal)
    world.clock.ms += 1
    refused = world.keys.identify(issued.text)
    assert isinstance(refused, Rejection)
    assert refused.code == "API_KEY_EXPIRED"
    assert (await world.start()).identify(issued.text) == refused


async def test_streams_of_a_key_end_when_it_expires(world: Any) -> None:
    issued = await world.create(expires_in_days=1)
    await world.create(expires_in_days=2)
    world.keys.end_expired()
    assert world.bus.events == []
    world.clock.ms += DAY_MS
    world.keys.end_expired()
    world.keys.end_expired()
    assert world.bus.events == [SessionEnded(principal_id=f"apikey:{issued.key.id}", reason="expired")]


async def test_deleting_ends_streams_and_uses(world: Any) -> None:
    kept, issued = await world.create(), await world.create()
    assert await world.keys.delete(issued.key.id) == issued.key
    assert world.bus.events == [SessionEnded(principal_id=f"apikey:{issued.key.id}", reason="API key deleted")]
    assert world.keys.identify(issued.text) is None
    with pytest.raises(KeyNotFound, match=f"API key with id '{issued.key.id}' not found"):
        await world.keys.delete(issued.key.id)
    keys = await world.start()
    assert [key.id for key in keys.all()] == [kept.key.id]


async def test_what_is_not_written_does_not_count(world: Any) -> None:
    issued = await world.create()
    world.database.error = StorageFailed("the disk is gone")
    with pytest.raises(StorageFailed):
        await world.create()
    with pytest.raises(StorageFailed):
        await world.keys.delete(issued.key.id)
    assert world.keys.count() == 1
    assert world.keys.identify(issued.text)
    assert world.bus.events == []


async def test_who_goes_away_leaves_memory_and_database_alike(world: Any) -> None:
    issued = await world.create()
    world.database.gate.clear()
    request = asyncio.create_task(world.keys.delete(issued.key.id))
    for _ in range(5):
        await asyncio.sleep(0)
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    assert request.cancelled()
    world.database.gate.set()
    await world.keys.close()
    assert world.keys.identify(issued.text) is None
    assert await world.rows() == []


async def test_deleting_twice_at_once_is_one_deletion(world: Any) -> None:
    issued = await world.create()
    answers = await asyncio.gather(*(world.keys.delete(issued.key.id) for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers].count(KeyNotFound) == 2
    assert len(world.bus.events) == 1


# ---- last use ----


async def test_uses_are_written_later(world: Any) -> None:
    issued, _ = await world.create(), await world.create()
    world.clock.ms += 5000
    writes = world.database.writes
    assert world.keys.identify(issued.text)
    assert world.database.writes == writes
    assert world.keys.all()[0].last_used_ms or world.keys.all()[1].last_used_ms
    await world.keys.close()
    assert world.database.writes == writes + 1
    used = {key.id: key.last_used_ms for key in (await world.start()).all()}
    assert used.pop(issued.key.id) == world.clock.ms
    assert list(used.values()) == [None]


async def test_nothing_used_is_nothing_written(world: Any) -> None:
    await world.create()
    writes = world.database.writes
    await world.keys.close()
    assert world.database.writes == writes


async def test_uses_that_could_not_be_written_are_tried_again(world: Any) -> None:
    issued = await world.create()
    keep_up = asyncio.create_task(world.keys.keep_up())
    world.keys.identify(issued.text)
    for error in (StorageFailed("the disk is gone"), RuntimeError("what nobody thought of")):
        world.database.error = error
        await world.clock.tick()
        assert world.log.lines[-1] == ("last_use_of_keys_not_saved", {"exc_info": error})
    assert not keep_up.done()
    world.database.error = None
    await world.clock.tick()
    keep_up.cancel()
    await asyncio.gather(keep_up, return_exceptions=True)
    assert (await world.start()).all()[0].last_used_ms == world.clock.ms


async def test_the_uses_of_a_deleted_key_do_no_harm(world: Any) -> None:
    issued = await world.create()
    world.keys.identify(issued.text)
    await world.keys.delete(issued.key.id)
    await world.keys.close()
    assert await world.rows() == []


async def test_a_refused_key_was_not_used(world: Any) -> None:
    issued = await world.create(expires_in_days=1)
    world.clock.ms += DAY_MS
    world.keys.identify(issued.text)
    assert world.keys.all()[0].last_used_ms is None


# ---- who may make what ----


async def test_a_key_makes_no_key_that_may_more(world: Any) -> None:
    admin = world.keys.identify((await world.create(permissions=["admin"])).text)
    assert (await world.create(creator=admin, permissions=["devices:read"])).text
    with pytest.raises(GrantRefused):
        await world.create(creator=admin)
    assert world.keys.count() == 2


async def test_a_key_makes_no_key_that_lives_longer(world: Any) -> None:
    creator = world.keys.identify((await world.create(expires_in_days=2)).text)
    assert (await world.create(creator=creator, expires_in_days=2)).text
    for more in ({}, {"expires_in_days": 3}):
        with pytest.raises(OutlivesCreator):
            await world.create(creator=creator, **more)
    forever = world.keys.identify((await world.create()).text)
    assert (await world.create(creator=forever)).text


async def test_who_works_on_the_data_directory_grants_everything(world: Any) -> None:
    assert (await world.create(creator=None)).key.permissions == ("*",)


async def test_areas_of_running_plugins_are_known(world: Any) -> None:
    world.areas.add("greetings")
    assert (await world.create(permissions=["greetings:read"])).key.permissions == ("greetings:read",)


# ---- the key from the environment ----


async def test_no_key_is_made_by_itself(world: Any) -> None:
    assert (world.keys.count(), world.keys.has_default()) == (0, False)


async def test_the_default_key_is_the_same_after_restarts(world: Any) -> None:
    await world.create()
    assert not world.keys.has_default()
    first = (await world.start(GIVEN)).all()
    assert world.keys.identify(GIVEN).role == "admin"
    assert (world.keys.count(), world.keys.has_default()) == (2, True)
    assert [key.name for key in first if key.is_default] == ["Default API Key"]
    world.clock.ms += 1
    assert (await world.start(GIVEN)).all() == first
    assert (await world.start(None)).all() == first
    assert GIVEN not in repr((first, world.log.lines, await world.rows()))


async def test_another_default_key_replaces_the_former(world: Any) -> None:
    issued = await world.create()
    await world.start(GIVEN)
    keys = await world.start(GIVEN + "-2")
    assert keys.identify(GIVEN) is None
    assert keys.identify(GIVEN + "-2")
    assert keys.identify(issued.text)
    assert len(await world.rows()) == keys.count() == 2


async def test_a_key_of_ours_may_become_the_default_key(world: Any) -> None:
    issued = await world.create(permissions=["read"], expires_in_days=1)
    keys = await world.start(issued.text)
    assert (keys.count(), keys.has_default()) == (1, True)
    assert keys.identify(issued.text).role == "admin"
    assert [key.expires_ms for key in (await world.start(issued.text)).all()] == [None]
