"""Processes that share a storage, as far as their outboxes can tell; each has a clock on the wall of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from neomind_plugins.outbox.assembly import assembled
from neomind_plugins.outbox.models import OutboxSettings
from neomind_plugins.outbox.parts import Parts
from neomind_plugins.outbox.service import DurableOutbox
from neomind_sdk import Database, Order
from neomind_sdk.node import Node
from neomind_sdk.testing import VirtualClock
from neomind_sdk.testing.clock import turns

from .conftest import KIND, Receiver


class Reach:
    """A way to the storage: writes raise ``error``, or are done and do not come back before ``hang`` is set."""

    def __init__(self, real: Database) -> None:
        self.real = real
        self.error: BaseException | None = None
        self.hang: asyncio.Event | None = None

    async def read(self, work: Callable[[], Any]) -> Any:
        return await self.real.read(work)

    async def write(self, work: Callable[[], Any]) -> Any:
        if self.error is not None:
            raise self.error
        result = await self.real.write(work)
        if self.hang is not None:
            await self.hang.wait()
        return result


class Log:
    """Keeps the names of what happened."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __getattr__(self, level: str) -> Callable[..., None]:
        return lambda event, **more: self.lines.append(event)


class Bus:
    def publish(self, event: Any) -> None:
        """Nobody listens."""


class Station:
    """One process, which can be killed and begun anew."""

    def __init__(self, database: Database, clock: VirtualClock, directory: Path) -> None:
        self.clock = clock
        self.directory = directory
        self.reach = Reach(database)
        self.receiver = Receiver()
        self.log = Log()
        self.tasks: list[asyncio.Task[Any]] = []
        self.node = Node(directory)
        self.outbox: DurableOutbox

    async def start(self, **settings: Any) -> Station:
        unused: Any = None
        parts = Parts(
            database=self.reach,
            bus=Bus(),
            clock=self.clock,
            egress=unused,
            log=self.log,
            spawn=self._spawn,
            settings=OutboxSettings(**settings),
        )
        self.outbox = assembled(parts, self.node)
        await self.outbox.start(self._spawn)
        self.outbox.serve(KIND, self.receiver)
        await turns()
        return self

    async def put(self, *numbers: int, lane: str = "a") -> list[str]:
        orders = [Order(lane=lane, kind=KIND, payload={"n": number}) for number in numbers]
        ids = await self.reach.real.write(lambda: self.outbox.put(orders))
        self.outbox.wake()
        await turns()
        return list(ids)

    async def kill(self) -> None:
        """As kill -9: nothing more is written."""
        tasks, self.tasks = self.tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.node.close()

    def _spawn(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        self.tasks.append(asyncio.create_task(work))
