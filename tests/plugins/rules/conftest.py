"""A host with devices, telemetry, rules, and an action that does as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest

from neomind_plugins.devices import plugin as devices
from neomind_plugins.rules import plugin as rules
from neomind_plugins.rules.service import Rules
from neomind_plugins.scheduler import plugin as scheduler
from neomind_plugins.telemetry import plugin as telemetry
from neomind_sdk import (
    ActionOutcome,
    CustomPublished,
    Device,
    DeviceDirectory,
    DeviceType,
    Firing,
    Ingest,
    MetricDef,
    Plugin,
    Point,
    RuleExecuted,
    fields,
    hookimpl,
)
from neomind_sdk.testing import make_host

HOT = {"condition_type": "comparison", "source": "device:boiler:t", "operator": ">", "threshold": 80}
BLINK = {"type": "blink", "message": "hot"}


@attrs.frozen(kw_only=True)
class BlinkParams:
    message: str = fields.text(min=1, max=100)
    times: int = fields.number(ge=1, default=1)


class Blink:
    """A rule action. ``error`` is what it raises or says; with a ``gate`` it waits for that."""

    name = "blink"
    summary = "Blinks."
    params = BlinkParams

    def __init__(self) -> None:
        self.firings: list[Firing] = []
        self.messages: list[str] = []
        self.error: BaseException | str | None = None
        self.gate: asyncio.Event | None = None
        self.then: Callable[[Firing], Any] | None = None
        self.warnings: list[str] = []
        self.now = self.most = 0

    def check(self, params: BlinkParams) -> list[str]:
        return list(self.warnings)

    async def run(self, params: BlinkParams, firing: Firing) -> ActionOutcome:
        self.firings.append(firing)
        self.messages.append(params.message)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            if self.gate is not None:
                await self.gate.wait()
            if self.then is not None:
                await self.then(firing)
        finally:
            self.now -= 1
        if isinstance(self.error, BaseException):
            raise self.error
        if self.error is not None:
            return ActionOutcome(ok=False, summary="BLINK: no", error=self.error)
        return ActionOutcome(ok=True, summary=f"BLINK: {params.message}")

    def plugin(self, name: str = "lamp") -> Plugin:
        return Plugin(name=name, summary="Has an action for tests.", hooks=_Hooks(self))


class _Hooks:
    def __init__(self, blink: Blink) -> None:
        self._blink = blink

    @hookimpl
    def neomind_rule_actions(self, ctx: Any) -> Any:
        return [self._blink]


class House:
    """The host, its action, and an administrator at the API."""

    def __init__(self, host: Any, blink: Blink) -> None:
        self.host = host
        self.blink = blink
        self.clock = host.clock
        self.api = host.client()
        self.rules: Rules = host.services[Rules]

    async def furnish(self, *ids: str) -> None:
        directory = self.host.services[DeviceDirectory]
        metrics = (MetricDef(name="t", data_type="float", min=0, max=200), MetricDef(name="h", data_type="float"))
        await directory.register_type(DeviceType(device_type="kettle", name="Kettle", metrics=metrics))
        for ident in ids or ("boiler",):
            await directory.register(Device(device_id=ident, name=ident, device_type="kettle"))

    async def add(self, **members: Any) -> str:
        """A rule that blinks when it is hot, unless members say otherwise; returns its id."""
        return str((await self.added(**members))["rule"]["id"])

    async def added(self, **members: Any) -> Any:
        body = {"name": "Hot", "trigger": {"trigger_type": "data_change"}, "condition": HOT, "actions": [BLINK]}
        return data(await self.api.post("/api/rules", json={**body, **members}))

    async def show(self, rule_id: str) -> Any:
        return data(await self.api.get(f"/api/rules/{rule_id}"))["rule"]

    async def history(self, rule_id: str) -> list[Any]:
        return list(data(await self.api.get(f"/api/rules/{rule_id}/history"))["executions"])

    async def trace(self, rule_id: str) -> list[Any]:
        return list(data(await self.api.get(f"/api/rules/{rule_id}/trace"))["entries"])

    async def test(self, rule_id: str, body: Any = None, **query: Any) -> Any:
        given = {} if body is None else {"json": body}
        return data(await self.api.post(f"/api/rules/{rule_id}/test", params=query, **given))

    async def store(self, value: Any, source: str = "device:boiler:t", **more: Any) -> None:
        """Store a value now, and let rules do with it what they do."""
        await self.send((source, value), **more)

    async def send(self, *values: tuple[str, Any], cause: str | None = None, hops: int = 0, ago_ms: int = 0) -> None:
        """Store several values in one batch."""
        now_ms = self.clock.now_ms() - ago_ms
        points = [Point(source, now_ms, value) for source, value in values]
        await self.host.services[Ingest].write(points, source="api", cause=cause, hops=hops)
        await self.settle()

    async def settle(self) -> None:
        """Until everything has its end, on storages with threads of their own, too."""
        for _ in range(200):
            await self.host.settle()
            if not self.rules.runner.waiting and not self.rules.parts.recorder._gathered:
                return
            if self.blink.gate is not None and not self.blink.gate.is_set():
                return
            await asyncio.sleep(0.005)

    async def pass_s(self, seconds: float) -> None:
        await self.clock.advance(seconds)
        await self.settle()

    @property
    def blinks(self) -> int:
        return len(self.blink.firings)

    @property
    def executed(self) -> list[RuleExecuted]:
        return list(self.host.events.of(RuleExecuted))

    @property
    def pauses(self) -> list[Any]:
        return [each.data for each in self.host.events.of(CustomPublished) if each.custom_type == "rule_paused"]


class Late:
    """A database whose answers wait for ``go``: what they say is old by then."""

    def __init__(self, database: Any) -> None:
        self.database = database
        self.done, self.go = asyncio.Event(), asyncio.Event()

    async def read(self, work: Callable[[], Any]) -> Any:
        return await self._late(self.database.read(work))

    async def write(self, work: Callable[[], Any]) -> Any:
        return await self._late(self.database.write(work))

    async def _late(self, answer: Awaitable[Any]) -> Any:
        found = await answer
        self.done.set()
        await self.go.wait()
        return found


def data(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@asynccontextmanager
async def house_with(blink: Blink, *more: Plugin, **options: Any) -> AsyncIterator[House]:
    plugins = (devices, telemetry, scheduler, rules, blink.plugin(), *more)
    async with make_host(*plugins, **options) as host:
        yield House(host, blink)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """With the device ``boiler``."""
    async with house_with(Blink()) as house:
        await house.furnish()
        yield house


def leaf(source: str = "device:boiler:t", operator: str = ">", threshold: Any = 80, **more: Any) -> dict[str, Any]:
    return {"condition_type": "comparison", "source": source, "operator": operator, "threshold": threshold, **more}


def logic(operator: str, *parts: Any) -> dict[str, Any]:
    return {"condition_type": "logical", "operator": operator, "conditions": list(parts)}
