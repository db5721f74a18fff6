"""Accounts on a storage in memory, with a clock that the test turns, cheap hashes and a bus that remembers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest
from argon2 import Parameters, Type

from neomind_core.host.tables import migrate
from neomind_plugins.accounts.migrations import STEPS
from neomind_plugins.accounts.models import AccountsSettings, Entry
from neomind_plugins.accounts.passwords import Passwords
from neomind_plugins.accounts.service import Accounts
from neomind_plugins.accounts.tables import MODELS
from neomind_sdk import Event, Principal, Tables
from neomind_sdk.testing.memory import MemoryStorage

NOW_MS = 1_700_000_000_500
SECRET = b"0123456789abcdef0123456789abcdef"
TABLES = Tables(name="accounts", models=MODELS, steps=STEPS)
CHEAP = Parameters(type=Type.ID, version=19, salt_len=16, hash_len=32, time_cost=1, memory_cost=8, parallelism=1)


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.ms = NOW_MS

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing in accounts waits")


class Bus:
    """Remembers what was published."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def publish(self, event: Event) -> int:
        self.events.append(event)
        return len(self.events)


class Database:
    """The storage's database, unless it is told to fail or to wait."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self, work: Any) -> Any:
        return await self._inner.read(work)

    async def write(self, work: Any) -> Any:
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return await self._inner.write(work)


@attrs.define
class World:
    """One platform's accounts; ``start`` again gives what a restart finds on the same storage."""

    storage: MemoryStorage = attrs.field(factory=MemoryStorage)
    clock: Clock = attrs.field(factory=Clock)
    bus: Bus = attrs.field(factory=Bus)
    registration: str = "open"
    cost: Parameters = CHEAP
    secret: bytes = SECRET
    database: Any = None
    accounts: Any = None
    passwords: Any = None

    async def start(self) -> Accounts:
        await migrate(self.storage, TABLES, self.clock.ms)
        self.database, self.passwords = Database(self.storage.database), Passwords(self.cost)
        parts: Any = (self.database, self.bus, self.clock, self.passwords)
        self.accounts = Accounts(*parts, lambda: AccountsSettings(registration=self.registration))
        await self.accounts.load(self.secret)
        return self.accounts

    async def restart(self) -> Accounts:
        await self.accounts.close()
        return await self.start()

    async def register(self, username: str = "ada", password: str = "lovelace") -> Entry:
        return await self.accounts.register(username, password)

    def knows(self, token: str) -> bool:
        return isinstance(self.accounts.identify(token), Principal)

    async def rows(self, number: int) -> list[dict[str, Any]]:
        """The rows of users (0), sessions (1) or the marker (2)."""
        return await self.storage.database.read(lambda: list(MODELS[number].select().dicts()))

    async def empty(self, number: int) -> None:
        await self.storage.database.write(lambda: MODELS[number].delete().execute())


@pytest.fixture(autouse=True)
def no_secret_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEOMIND_JWT_SECRET", raising=False)


@pytest.fixture
def make_world() -> type[World]:
    """For tests that run the event loop themselves."""
    return World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.start()
    yield world
    await world.accounts.close()
    await world.storage.close()
