"""Many at once: one first administrator, one owner of a name, no login into what was just taken away."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from typing import Any

import pytest

from neomind_plugins.accounts.errors import LastAdmin, NameTaken, SetupAlreadyCompleted, WrongCredentials
from neomind_plugins.accounts.models import Entry, UserChangeBody
from neomind_sdk import ApiError, Conflict, Unavailable

USERS, SESSIONS = 0, 1


async def together(*deeds: Any) -> list[Any]:
    return await asyncio.gather(*deeds, return_exceptions=True)


async def test_twenty_first_registrations_give_one_administrator(world: Any) -> None:
    entries = await asyncio.gather(*(world.register(f"user{number}") for number in range(20)))
    assert Counter(entry.user.role for entry in entries) == {"admin": 1, "viewer": 19}
    assert Counter(row["role"] for row in await world.rows(USERS)) == {"admin": 1, "viewer": 19}
    assert all(world.knows(entry.token) for entry in entries)
    await world.restart()
    assert Counter(user.role for user in world.accounts.users()) == {"admin": 1, "viewer": 19}


async def test_wizards_and_registrations_give_one_administrator(world: Any) -> None:
    wizards = [world.accounts.initialize(f"wizard{number}", "lovelace1", None) for number in range(10)]
    registrations = [world.register(f"user{number}") for number in range(10)]
    outcomes = await together(*(deed for pair in zip(wizards, registrations, strict=True) for deed in pair))
    entries = [outcome for outcome in outcomes if isinstance(outcome, Entry)]
    assert [entry.user.role for entry in entries].count("admin") == 1
    refused = [outcome for outcome in outcomes if not isinstance(outcome, Entry)]
    assert all(isinstance(outcome, SetupAlreadyCompleted) for outcome in refused)
    assert len(refused) >= 9


async def test_a_name_is_given_once(world: Any) -> None:
    outcomes = await together(*(world.register(name) for name in ("ada", "ADA", " ada", "Ada", "ａｄａ")))
    assert Counter(map(type, outcomes)) == {Entry: 1, NameTaken: 4}
    assert len(await world.rows(USERS)) == 1


async def test_two_administrators_cannot_remove_each_other(world: Any) -> None:
    await world.register("ada")
    await world.accounts.add("eve", "mallory", "admin")
    outcomes = await together(world.accounts.delete("ada"), world.accounts.change("eve", UserChangeBody(role="user")))
    assert Counter(map(type, outcomes))[LastAdmin] == 1
    assert world.accounts.has_admin()


async def test_two_new_passwords_at_once_are_not_both_taken(world: Any) -> None:
    user = (await world.register("ada")).user
    changes = [world.accounts.change_password(user.id, "lovelace", f"byron{number}") for number in range(3)]
    outcomes = await together(*changes)
    assert Counter(map(type, outcomes)) == {type(None): 1, Conflict: 2}
    winner = outcomes.index(None)
    assert world.knows((await world.accounts.login("ada", f"byron{winner}")).token)


# ---- what changes while a password is checked ----


class Interrupted:
    """Passwords whose checks are followed by something else before the caller hears of them."""

    def __init__(self, inner: Any, *deeds: Any) -> None:
        self._inner = inner
        self._deeds = list(deeds)

    async def matches(self, password: str, password_hash: str | None) -> bool:
        right = await self._inner.matches(password, password_hash)
        if self._deeds:
            await self._deeds.pop(0)()
        return right

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def interrupt(world: Any, *deeds: Any) -> None:
    world.accounts._passwords = Interrupted(world.passwords, *deeds)


@pytest.mark.parametrize(
    ("deed", "error"),
    [
        (lambda accounts: accounts.set_password("bob", "byron1815"), WrongCredentials),
        (lambda accounts: accounts.delete("bob"), WrongCredentials),
        (lambda accounts: accounts.change("bob", UserChangeBody(disabled=True)), ApiError),
    ],
)
async def test_nobody_comes_in_with_what_was_just_taken_away(world: Any, deed: Any, error: Any) -> None:
    await world.register("ada")
    await world.register("bob")
    interrupt(world, lambda: deed(world.accounts))
    with pytest.raises(error):
        await world.accounts.login("bob", "lovelace")
    assert len(await world.rows(SESSIONS)) == 1


async def test_a_new_role_does_not_keep_its_owner_out(world: Any) -> None:
    await world.register("ada")
    await world.register("bob")
    interrupt(world, lambda: world.accounts.change("bob", UserChangeBody(role="user")))
    assert (await world.accounts.login("bob", "lovelace")).user.role == "user"


async def test_an_account_that_never_rests_is_tried_later(world: Any) -> None:
    await world.register("ada")
    await world.register("bob")
    roles = ("user", "viewer", "user")
    deeds = [lambda role=role: world.accounts.change("bob", UserChangeBody(role=role)) for role in roles]
    interrupt(world, *deeds)
    with pytest.raises(Unavailable):
        await world.accounts.login("bob", "lovelace")


# ---- what costs more by now ----


async def test_hashes_become_as_dear_as_new_ones_at_the_next_login(world: Any) -> None:
    await world.register("ada")
    world.cost = dearer(world.cost)
    await world.restart()
    [before] = await world.rows(USERS)
    entries = await asyncio.gather(*(world.accounts.login("ada", "lovelace") for _ in range(5)))
    [after] = await world.rows(USERS)
    assert "t=1" in before["password_hash"]
    assert "t=2" in after["password_hash"]
    assert all(world.knows(entry.token) for entry in entries)
    await world.restart()
    assert world.knows((await world.accounts.login("ada", "lovelace")).token)


async def test_a_hash_that_cannot_be_renewed_keeps_nobody_out(world: Any) -> None:
    await world.register("ada")
    world.cost = dearer(world.cost)
    await world.restart()

    async def busy(password: str) -> str:
        raise Unavailable("busy")

    world.passwords.hash = busy
    assert world.knows((await world.accounts.login("ada", "lovelace")).token)


def dearer(cost: Any) -> Any:
    return dataclasses.replace(cost, time_cost=2)


# ---- who goes away ----


async def test_who_goes_away_leaves_memory_and_database_alike(world: Any) -> None:
    await world.register("ada")
    bob = await world.register("bob")
    world.database.gate.clear()
    request = asyncio.create_task(world.accounts.delete("bob"))
    for _ in range(5):
        await asyncio.sleep(0)
    request.cancel()
    await together(request)
    assert request.cancelled()
    world.database.gate.set()
    await world.accounts.close()
    assert [user.username for user in world.accounts.users()] == ["ada"]
    assert [row["username"] for row in await world.rows(USERS)] == ["ada"]
    assert not world.knows(bob.token)
    assert [event.principal_id for event in world.bus.events] == [bob.user.id]
