"""An outbox on a host, and a server of orders that answers as it is told."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from neomind_plugins.outbox import plugin as outbox
from neomind_plugins.outbox.service import DurableOutbox
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk import Database, Delivery, DeliveryRecord, Order, Outbox
from neomind_sdk.testing import make_host

KIND = "test"
OK = Delivery(ok=True, detail="HTTP 200")
FAILED = Delivery(ok=False, detail="HTTP 500")


class Receiver:
    """An ``OrderServer``: what each lane answers is scripted; the last answer stays, nothing scripted is OK.

    An answer is a ``Delivery``, an exception, or an async function that makes one. ``made`` are the attempts.
    """

    def __init__(self) -> None:
        self.script: dict[str, list[Any]] = defaultdict(list)
        self.made: list[tuple[str, Any, Any]] = []
        self.ended: list[DeliveryRecord] = []
        self.settling: Callable[[DeliveryRecord], Any] | None = None

    def answers(self, lane: str, *answers: Any) -> None:
        self.script[lane] = list(answers)

    async def deliver(self, order: Order, tools: Any) -> Delivery:
        self.made.append((order.lane, order.payload["n"], tools))
        script = self.script[order.lane]
        answer = OK if not script else script.pop(0) if len(script) > 1 else script[0]
        if callable(answer):
            return await answer(order, tools)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def settled(self, record: DeliveryRecord) -> None:
        if self.settling is not None:
            await self.settling(record)
        self.ended.append(record)

    def numbers(self, lane: str | None = None) -> list[Any]:
        return [n for name, n, _ in self.made if lane in (None, name)]

    def ids(self) -> list[str]:
        return [tools.delivery_id for _, _, tools in self.made]


class World:
    """A running host and what tests do with it."""

    def __init__(self, host: Any, receiver: Receiver) -> None:
        self.host = host
        self.receiver = receiver
        self.outbox: Outbox = host.services[Outbox]
        self.durable: DurableOutbox = host.services[DurableOutbox]
        self.clock = host.clock

    async def put(self, *numbers: Any, lane: str = "a", kind: str = KIND, wake: bool = True, **more: Any) -> list[str]:
        orders = [Order(lane=lane, kind=kind, payload={"n": number}, **more) for number in numbers]
        ids = await self.host.services[Database].write(lambda: self.outbox.put(orders))
        if wake:
            self.outbox.wake()
        return list(ids)

    async def pass_time(self, seconds: float, step: float | None = None) -> None:
        """Turn the clock; in steps where what happens takes its time from the clock again."""
        left = seconds
        while left > 0:
            await self.clock.advance(min(left, step or left))
            await self.host.settle()
            left -= step or left

    async def settle(self) -> None:
        await self.host.settle()

    async def until(self, what: Callable[[], Any], seconds: float = 10.0) -> None:
        """Real time, for what happens in threads and over sockets."""
        async with asyncio.timeout(seconds):
            while not what():  # noqa: ASYNC110 - there is no event for any of it
                await asyncio.sleep(0.002)

    async def noted(self, delivery_id: str) -> DeliveryRecord:
        """The delivery, when something came of an attempt."""
        return await self._when(delivery_id, lambda record: record.detail)

    async def paused(self, delivery_id: str) -> DeliveryRecord:
        """The delivery, when it waits for its next attempt."""
        return await self._when(delivery_id, lambda record: record.next_ms is not None)

    async def _when(self, delivery_id: str, what: Callable[[DeliveryRecord], Any]) -> DeliveryRecord:
        async with asyncio.timeout(10):
            while not what(record := await self.record(delivery_id)):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.002)
        return record

    async def record(self, delivery_id: str) -> DeliveryRecord:
        return (await self.outbox.get([delivery_id]))[delivery_id]

    async def state(self, delivery_id: str) -> tuple[str, int, str]:
        record = await self.record(delivery_id)
        return record.state, record.attempts, record.detail


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def start(receiver: Receiver, tmp_path: Path) -> Any:
    """Starts a host; ``sqlite``: on a file that stays."""

    @asynccontextmanager
    async def begin(*, sqlite: bool = False, serve: bool = True, **settings: Any) -> AsyncIterator[World]:
        more: dict[str, Any] = settings.pop("host", {})
        plugins = (storage_sqlite, outbox) if sqlite else (outbox,)
        kwargs = {"data_dir": tmp_path / "data", "settings": {"outbox": settings}} | more
        (tmp_path / "data").mkdir(exist_ok=True)
        async with make_host(*plugins, **kwargs) as host:
            world = World(host, receiver)
            if serve:
                world.outbox.serve(KIND, receiver)
            await world.settle()
            yield world

    return begin


@pytest.fixture
async def world(start: Any) -> AsyncIterator[World]:
    async with start() as world:
        yield world
