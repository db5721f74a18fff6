"""Hashing: off the event loop, a few at a time, the same work for a name that nobody has."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from argon2 import extract_parameters
from hypothesis import given, settings

from neomind_plugins.accounts.passwords import COST, MAX_WAITING, WORKERS, Passwords
from neomind_sdk import Unavailable
from neomind_sdk.testing.strategies import TEXT


@pytest.fixture
def passwords(make_world: Any) -> Iterator[Passwords]:
    passwords = Passwords(make_world().cost)
    yield passwords
    passwords.close()


class Hasher:
    """Stands in for argon2: notes in which thread it works, and waits until it is let go."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.threads: set[str] = set()
        self.hashes: list[str] = []
        self.most = self._now = 0
        self.go = threading.Event()
        self._begun = threading.Semaphore(0)

    def verify(self, password_hash: str, password: str) -> bool:
        self._now += 1
        self.most = max(self.most, self._now)
        self.threads.add(threading.current_thread().name)
        self.hashes.append(password_hash)
        self._begun.release()
        assert self.go.wait(30)
        self._now -= 1
        return self._inner.verify(password_hash, password)

    async def begun(self, count: int) -> None:
        """Wait until so many more checks are under way; nobody comes back from here while the loop is held."""
        for _ in range(count):
            assert await asyncio.to_thread(self._begun.acquire, timeout=30)


@pytest.fixture
def hasher(passwords: Any) -> Iterator[Hasher]:
    hasher = passwords._hasher = Hasher(passwords._hasher)
    yield hasher
    hasher.go.set()


@settings(max_examples=25, deadline=None, database=None)
@given(TEXT, TEXT)
async def test_a_password_matches_its_own_hash_only(one: str, other: str) -> None:
    passwords = Passwords(type(COST)(COST.type, COST.version, 16, 32, 1, 8, 1))
    try:
        made = await passwords.hash(one)
        assert await passwords.matches(one, made)
        assert await passwords.matches(other, made) == (one == other)
        assert not await passwords.matches(one, None)
    finally:
        passwords.close()


async def test_nothing_of_a_long_password_is_cut_off(passwords: Passwords) -> None:
    made = await passwords.hash("x" * 70_000 + "a")
    assert await passwords.matches("x" * 70_000 + "a", made)
    assert not await passwords.matches("x" * 70_000 + "b", made)


async def test_a_hash_that_is_none_matches_nothing(passwords: Passwords) -> None:
    for broken in ("", "x", "$argon2id$v=19$m=8,t=1,p=1$", "$2b$12$" + "x" * 53):
        assert not await passwords.matches("lovelace", broken)


async def test_the_loop_goes_on_while_passwords_are_checked(passwords: Passwords, hasher: Hasher) -> None:
    checks = [asyncio.create_task(passwords.matches("lovelace", None)) for _ in range(5)]
    await hasher.begun(WORKERS)
    assert not any(check.done() for check in checks)
    hasher.go.set()
    assert await asyncio.gather(*checks) == [False] * 5
    assert all(name.startswith("neomind-argon2") for name in hasher.threads)
    assert hasher.most <= WORKERS


async def test_too_many_at_once_are_told_to_come_back(passwords: Passwords, hasher: Hasher) -> None:
    checks = [asyncio.create_task(passwords.matches("lovelace", None)) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable) as refused:
        await passwords.matches("lovelace", None)
    assert refused.value.headers["Retry-After"] == "1"
    hasher.go.set()
    await asyncio.gather(*checks)
    assert not await passwords.matches("lovelace", None)


async def test_who_goes_away_makes_room(passwords: Passwords, hasher: Hasher) -> None:
    checks = [asyncio.create_task(passwords.matches("lovelace", None)) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    for check in checks[WORKERS:]:
        check.cancel()
    await asyncio.gather(*checks[WORKERS:], return_exceptions=True)
    assert all(check.cancelled() for check in checks[WORKERS:])
    hasher.go.set()
    assert not await passwords.matches("lovelace", None)
    await asyncio.gather(*checks[:WORKERS])


async def test_stopping_tells_who_waits(passwords: Passwords, hasher: Hasher) -> None:
    checks = [asyncio.create_task(passwords.matches("lovelace", None)) for _ in range(WORKERS + 3)]
    await hasher.begun(WORKERS)
    passwords.close()
    hasher.go.set()
    outcomes = await asyncio.gather(*checks, return_exceptions=True)
    assert outcomes[:WORKERS] == [False] * WORKERS
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes[WORKERS:])
    with pytest.raises(Unavailable):
        await passwords.hash("lovelace")


async def test_an_unknown_name_takes_the_work_of_a_wrong_password(world: Any) -> None:
    await world.register("ada")
    hasher = world.passwords._hasher = Hasher(world.passwords._hasher)
    hasher.go.set()
    for name in ("ada", "nobody", "x" * 1000):
        with pytest.raises(Exception, match="Wrong username or password"):
            await world.accounts.login(name, "guessed")
    costs = [extract_parameters(text) for text in hasher.hashes]
    assert costs == [world.cost] * 3
    assert len(set(hasher.hashes)) == 2


async def test_what_is_served_costs_what_is_recommended() -> None:
    passwords = Passwords()
    try:
        made = await passwords.hash("lovelace")
        assert extract_parameters(made) == extract_parameters(passwords._decoy) == COST
        assert made.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert not passwords.outdated(made)
    finally:
        passwords.close()
