"""A host with messages, an outbox in memory, and channel types that do as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest

from neomind_plugins.messages import plugin as messages
from neomind_sdk import (
    Delivery,
    DeliveryRecord,
    Label,
    MessageBoard,
    NewMessage,
    NotFound,
    Order,
    OrderServer,
    Outbox,
    OutgoingMessage,
    Plugin,
    SendTools,
    Service,
    fields,
    hookimpl,
)
from neomind_sdk.testing import make_host

TOKEN = "t0ken-nobody-may-see"
URL = "https://pager.example/in"
SEVEN = ("webhook", "email", "telegram", "wecom", "dingtalk", "slack", "feishu")


# ---- the outbox ----


class FakeOutbox(Outbox):
    """Orders in memory; ``run`` makes one attempt at each that waits and is not held."""

    def __init__(self) -> None:
        self.records: dict[str, DeliveryRecord] = {}
        self.holds: dict[str, str] = {}
        self.server: OrderServer | None = None
        self.woken = 0
        self.broken = False
        self.tools: Any = None

    @property
    def orders(self) -> list[Order]:
        return [record.order for record in self.records.values()]

    def put(self, orders: Sequence[Order]) -> Sequence[str]:
        if self.broken:
            raise RuntimeError("the outbox is broken")
        idents = [f"msg_{len(self.records) + number}" for number, _ in enumerate(orders)]
        for ident, order in zip(idents, orders, strict=True):
            self._set(DeliveryRecord(delivery_id=ident, order=order, state="pending", attempts=0, created_ms=0))
        return idents

    def wake(self) -> None:
        self.woken += 1

    def serve(self, kind: str, server: OrderServer) -> None:
        assert kind == "message"
        self.server = server

    async def of_lane(
        self, lane: str, *, state: str | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[Sequence[DeliveryRecord], int]:
        found = [one for one in self.records.values() if one.order.lane == lane and state in (None, one.state)]
        return found[offset : offset + limit], len(found)

    async def get(self, delivery_ids: Sequence[str]) -> Mapping[str, DeliveryRecord]:
        return {ident: self.records[ident] for ident in delivery_ids if ident in self.records}

    async def resend(self, delivery_id: str) -> DeliveryRecord:
        raise NotFound("DELIVERY", delivery_id)

    async def hold(self, lane: str, reason: str) -> None:
        self.holds[lane] = reason

    async def release(self, lane: str) -> None:
        self.holds.pop(lane, None)

    async def held(self) -> Mapping[str, str]:
        return dict(self.holds)

    async def drop_lane(self, lane: str) -> int:
        gone = [one.delivery_id for one in self.records.values() if one.order.lane == lane and one.state == "pending"]
        for ident in gone:
            del self.records[ident]
        return len(gone)

    async def run(self) -> None:
        for record in list(self.records.values()):
            if record.state == "pending" and record.order.lane not in self.holds:
                await self._attempt(record)

    async def _attempt(self, record: DeliveryRecord) -> None:
        assert self.server is not None
        tools = attrs.evolve(self.tools, delivery_id=record.delivery_id, attempt=record.attempts + 1)
        try:
            delivery = await self.server.deliver(record.order, tools)
        except LookupError as error:
            self._set(attrs.evolve(record, detail=str(error)))
            return
        state = "delivered" if delivery.ok else "pending" if delivery.retry and not delivery.gone else "dead"
        record = attrs.evolve(record, state=state, attempts=record.attempts + 1, detail=delivery.detail)
        self._set(record)
        if delivery.gone:
            self.holds[record.order.lane] = "gone"
        if state != "pending":
            await self.server.settled(record)

    def _set(self, record: DeliveryRecord) -> None:
        self.records[record.delivery_id] = record


def outbox_plugin(outbox: FakeOutbox) -> Plugin:
    class Hooks:
        @hookimpl
        def neomind_services(self, ctx: Any) -> list[Service]:
            outbox.tools = SendTools(egress=ctx.egress, clock=ctx.clock, delivery_id="")
            return [Service(key=Outbox, build=lambda ctx: outbox)]

    return Plugin(name="outbox", summary="Keeps orders, for tests.", requires=("storage",), hooks=Hooks())


# ---- channel types ----


@attrs.frozen(kw_only=True)
class PagerConfig:
    """Where to."""

    url: str = fields.text(min=1)
    token: str = fields.secret(min=3)
    headers: dict[str, str] = fields.field(factory=dict, secret=True)
    volume: int = fields.number(ge=1, le=10, default=5)


@attrs.frozen(kw_only=True)
class MailConfig:
    """To whom."""

    password: str = fields.secret(default="")
    recipients: list[str] = attrs.field(factory=list)


class Kind:
    """A channel type. ``answer`` is what it returns or raises; ``hangs`` takes for ever."""

    def __init__(self, name: str = "pager", config: type[Any] = PagerConfig) -> None:
        self.name = name
        self.label = Label(name=name.title(), name_zh="寻呼机", description="Beeps", icon="bell")
        self.config = config
        self.answer: Any = Delivery(ok=True, detail="HTTP 200")
        self.hangs = False
        self.sent: list[tuple[Any, OutgoingMessage, SendTools]] = []

    def targets(self, config: Any) -> list[str]:
        return [config.url] if hasattr(config, "url") else []

    async def send(self, config: Any, message: OutgoingMessage, tools: SendTools) -> Delivery:
        self.sent.append((config, message, tools))
        if self.hangs:
            await asyncio.Event().wait()
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    @property
    def titles(self) -> list[str]:
        return [message.title for _, message, _ in self.sent]


def kinds_plugin(*kinds: Kind, name: str = "channel_pager") -> Plugin:
    class Hooks:
        @hookimpl
        def neomind_channels(self, ctx: Any) -> list[Any]:
            return list(kinds)

    return Plugin(name=name, summary="Channel types for tests.", hooks=Hooks())


# ---- the post office ----


class Post:
    """The host, its outbox and types, and an administrator at the API."""

    def __init__(self, host: Any, outbox: FakeOutbox, pager: Kind, mail: Kind) -> None:
        self.host = host
        self.clock = host.clock
        self.outbox = outbox
        self.pager = pager
        self.mail = mail
        self.api = host.client()
        self.board = host.services[MessageBoard]

    async def channel(self, name: str = "ops", **more: Any) -> Any:
        """A pager that was created."""
        body = {"name": name, "channel_type": "pager", "url": URL, "token": TOKEN, **more}
        return data(await self.api.post("/api/messages/channels", json=body))["channel"]

    async def send(self, title: str = "Hot", message: str = "81.5 °C", **more: Any) -> Any:
        body = {"title": title, "message": message, **more}
        return data(await self.api.post("/api/messages/send", json=body))

    async def alert(self, rule: str = "r-1", device: str | None = "d-1", **more: Any) -> str:
        """A message of a rule, as a plugin raises it."""
        metadata = {"rule_id": rule} | ({"device_id": device} if device else {})
        values: dict[str, Any] = {"title": "Hot", "message": "too hot", "source": rule, "source_type": "rule"}
        return await self.board.raise_message(NewMessage(**{**values, "metadata": metadata, **more}))

    async def show(self, ident: str) -> Any:
        return data(await self.api.get(f"/api/messages/{ident}"))

    async def list(self, **query: Any) -> Any:
        return data(await self.api.get("/api/messages", params=query))

    async def get(self, path: str) -> Any:
        return data(await self.api.get(f"/api/messages{path}"))


def data(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@asynccontextmanager
async def post_with(
    *more: Plugin, outbox: FakeOutbox | None = None, pager: Kind | None = None, **options: Any
) -> AsyncIterator[Post]:
    outbox, pager, mail = outbox or FakeOutbox(), pager or Kind(), Kind("mail", MailConfig)
    plugins = (messages, outbox_plugin(outbox), kinds_plugin(pager, mail), *more)
    async with make_host(*plugins, **options) as host:
        yield Post(host, outbox, pager, mail)


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    async with post_with() as post:
        yield post
