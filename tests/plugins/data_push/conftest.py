"""A host with data push, the platform's own outbox on disk, and a receiver on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from neomind_plugins.data_push import plugin as data_push
from neomind_plugins.devices import plugin as devices
from neomind_plugins.outbox import plugin as outbox
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_plugins.telemetry import plugin as telemetry
from neomind_sdk import Delivery, Ingest, Label, Plugin, Point, PushPayload, SendTools, fields, hookimpl
from neomind_sdk.testing import make_host
from neomind_sdk.testing.sink import Sink

TEMPERATURE = "device:boiler:temperature"
TOKEN = "t0ken-nobody-may-see"
API = "/api/data-push"
EVENTS = {"type": "event_driven", "event_types": []}


class Push:
    """What the tests do with a host."""

    def __init__(self, host: Any, sink: Sink | None) -> None:
        self.host = host
        self.clock = host.clock
        self.api = host.client()
        self.sink = sink

    async def create(self, **changes: Any) -> str:
        answer = await self.api.post(API, json=self.body(**changes))
        return str(data(answer)["id"])

    def body(self, **changes: Any) -> dict[str, Any]:
        url = f"{self.sink.url}/in" if self.sink is not None else "http://127.0.0.1:1/in"
        body = {"name": "Cloud", "target_type": "webhook", "config": {"url": url}, "schedule": EVENTS}
        return {**body, "data_filter": {"source_patterns": ["device:*"]}, **changes}

    async def show(self, ident: str) -> Any:
        return data(await self.api.get(f"{API}/{ident}"))

    async def put(self, ident: str, **changes: Any) -> Any:
        return data(await self.api.put(f"{API}/{ident}", json=changes))

    async def call(self, ident: str, verb: str, body: Any = None) -> Any:
        return data(await self.api.post(f"{API}/{ident}/{verb}", json=body))

    async def logs(self, ident: str, **query: Any) -> Any:
        return data(await self.api.get(f"{API}/{ident}/logs", params=query))

    async def stats(self) -> Any:
        return data(await self.api.get(f"{API}/stats"))

    async def store(self, *values: Any, series: str = TEMPERATURE, hops: int = 0, cause: str | None = None) -> None:
        """Store values of one series, a second apart, as one batch."""
        now = self.clock.now_ms()
        points = [Point(series, now + 1000 * number, value) for number, value in enumerate(values)]
        await self.points(*points, hops=hops, cause=cause)

    async def points(self, *points: Point, **more: Any) -> None:
        await self.host.services[Ingest].write(points, source="api", **more)
        await self.host.settle()

    async def arrived(self, count: int) -> list[Any]:
        """What the receiver got, once it is so much. Time passes meanwhile."""
        assert self.sink is not None

        async def there() -> bool:
            await self.clock.advance(0.1)
            return len(self.sink.requests) >= count

        await becomes(there)
        return [request.json() for request in self.sink.requests]

    async def ended(self, ident: str, count: int = 1, *, step_s: float = 1) -> list[Any]:
        """The log of a target, once so many deliveries have come to their end."""

        async def there() -> bool:
            await self.clock.advance(step_s)
            rows = (await self.logs(ident))["logs"]
            return sum(row["status"] in ("success", "failed") for row in rows) >= count

        await becomes(there)
        return list((await self.logs(ident))["logs"])

    async def counted(self, total: int, successful: int, failed: int) -> None:
        """Wait until so many deliveries are counted: that is told a moment after it is logged."""
        names = ("total_deliveries", "successful_deliveries", "failed_deliveries")

        async def there() -> bool:
            await self.clock.advance(0.1)
            stats = await self.stats()
            return [stats[name] for name in names] == [total, successful, failed]

        await becomes(there)

    async def quiet(self) -> None:
        """Time passes in which nothing may be sent."""
        for _ in range(30):
            await self.clock.advance(1)
            await asyncio.sleep(0.002)


def data(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def becomes(look: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it is so: storage and outbox work in threads and tasks of their own."""
    for _ in range(1500):
        if await look():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it does not become so")


# ---- another plugin's type ----


@attrs.frozen(kw_only=True)
class ParcelConfig:
    street: str = fields.text(min=1)
    key: str = fields.secret(default="")
    headers: dict[str, str] = attrs.field(factory=dict, repr=False)


@attrs.define(eq=False)
class Parcel:
    """A type of a stranger; ``answer`` is what comes of its attempts, ``sent`` what it was given."""

    answer: Any = attrs.field(factory=lambda: Delivery(ok=True))
    sent: list[tuple[Any, PushPayload, SendTools]] = attrs.field(factory=list)
    name: str = "parcel"
    label: Label = Label(name="Parcel", description="By post")
    config: type[Any] = ParcelConfig

    async def deliver(self, config: Any, payload: PushPayload, tools: SendTools) -> Delivery:
        self.sent.append((config, payload, tools))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def post_office(kind: Any, name: str = "push_parcel") -> Plugin:
    class Hooks:
        @hookimpl
        def neomind_push_targets(self, ctx: Any) -> list[Any]:
            return [kind]

    return Plugin(name=name, summary="A target type for tests.", hooks=Hooks())


# ---- hosts ----


@asynccontextmanager
async def pushing(
    data_dir: Path, *more: Plugin, sink: Sink | None = None, without: tuple[str, ...] = (), **options: Any
) -> AsyncIterator[Push]:
    plugins = [one for one in (storage_sqlite, outbox, devices, telemetry, data_push) if one.name not in without]
    async with make_host(*plugins, *more, data_dir=data_dir, **options) as host:
        yield Push(host, sink)


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink() as started:
        yield started


@pytest.fixture
async def push(tmp_path: Path, sink: Sink) -> AsyncIterator[Push]:
    async with pushing(tmp_path, sink=sink) as started:
        yield started
