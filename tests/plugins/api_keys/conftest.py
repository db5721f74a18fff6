"""The keys on a storage in memory, with a clock that the test turns, a bus and a log that remember."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest

from neomind_core.host.tables import migrate
from neomind_plugins.api_keys.migrations import STEPS
from neomind_plugins.api_keys.models import Issued, KeyCreateBody
from neomind_plugins.api_keys.service import ApiKeys
from neomind_plugins.api_keys.tables import MODELS
from neomind_sdk import Event, Principal, Tables
from neomind_sdk.testing.memory import MemoryStorage

NOW_MS = 1_700_000_000_000
TABLES = Tables(name="api_keys", models=MODELS, steps=STEPS)
ADMIN = Principal(kind="user", id="u-1", name="ada", role="admin", scopes=frozenset({"*"}))


class Clock:
    """A clock that the test turns; who sleeps on it wakes at the next ``tick``."""

    def __init__(self) -> None:
        self.ms = NOW_MS
        self._ticks: asyncio.Queue[None] = asyncio.Queue()

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000

    async def sleep(self, seconds: float) -> None:
        await self._ticks.get()
        self._ticks.task_done()

    async def tick(self) -> None:
        """Wake the sleeper, and come back when it sleeps again."""
        self._ticks.put_nowait(None)
        await self._ticks.join()
        for _ in range(10):
            await asyncio.sleep(0)


class Bus:
    """Remembers what was published."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def publish(self, event: Event) -> int:
        self.events.append(event)
        return len(self.events)


class Log:
    """Remembers what was logged."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def info(self, event: str, **fields: Any) -> None:
        self.lines.append((event, fields))

    debug = warning = error = exception = info


class Database:
    """The storage's database, unless it is told to fail or to wait."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.writes = 0
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self, work: Any) -> Any:
        return await self._inner.read(work)

    async def write(self, work: Any) -> Any:
        self.writes += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return await self._inner.write(work)


@attrs.define
class World:
    """One platform's keys; ``start`` again gives what a restart finds on the same storage."""

    storage: MemoryStorage = attrs.field(factory=MemoryStorage)
    clock: Clock = attrs.field(factory=Clock)
    bus: Bus = attrs.field(factory=Bus)
    log: Log = attrs.field(factory=Log)
    areas: set[str] = attrs.field(factory=set)
    database: Any = None
    keys: Any = None

    async def start(self, default: str | None = None) -> ApiKeys:
        await migrate(self.storage, TABLES, self.clock.ms)
        self.database = Database(self.storage.database)
        parts: Any = (self.database, self.bus, self.clock, self.log, lambda: self.areas)
        self.keys = ApiKeys(*parts)
        await self.keys.load(default)
        return self.keys

    async def create(self, name: str = "robot", *, creator: Principal | None = ADMIN, **more: Any) -> Issued:
        return await self.keys.create(KeyCreateBody(name=name, **more), creator)

    async def rows(self) -> list[tuple[Any, ...]]:
        return await self.storage.database.read(lambda: list(MODELS[0].select().tuples()))


@pytest.fixture(autouse=True)
def no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEOMIND_API_KEY", raising=False)


@pytest.fixture
def make_world() -> type[World]:
    """For tests that run the event loop themselves."""
    return World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.start()
    yield world
    await world.storage.close()
