"""A host with devices, commands, and a transport that does as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from neomind_plugins.commands import plugin as commands
from neomind_plugins.devices import plugin as devices
from neomind_sdk import (
    CommandAcks,
    CommandDef,
    Device,
    DeviceCommandFinished,
    DeviceDirectory,
    DeviceType,
    Downlink,
    ParamDef,
    Plugin,
    ReceiveOnly,
    TransportStatus,
    hookimpl,
)
from neomind_sdk.testing import make_host

SLEEP = CommandDef(
    name="sleep",
    payload_template='{"cmd": "sleep", "for": ${seconds}}',
    parameters=(ParamDef(name="seconds", data_type="integer", min=1, max=3600, default_value=60),),
)
PUMP = DeviceType(device_type="pump", name="Pump", commands=(SLEEP, CommandDef(name="stop")))


class Wire:
    """A transport. ``error`` is what it raises; with ``hangs`` it takes for ever.

    ``taken`` is what it said it took, ``reached`` what may have reached a device, whatever it said.
    """

    name = "wire"

    def __init__(self, adapter_types: tuple[str, ...] = ("mqtt",)) -> None:
        self.adapter_types = adapter_types
        self.taken: list[Downlink] = []
        self.reached: list[Downlink] = []
        self.attempts = 0
        self.error: BaseException | None = None
        self.hangs = False
        self.meanwhile: Any = None

    async def status(self) -> TransportStatus:
        return TransportStatus(connected=self.error is None)

    async def send(self, downlink: Downlink) -> None:
        self.attempts += 1
        if not isinstance(self.error, ConnectionError | ReceiveOnly):
            self.reached.append(downlink)
        if self.meanwhile is not None:
            await self.meanwhile(downlink)
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        self.taken.append(downlink)

    def plugin(self, name: str = "wire") -> Plugin:
        return Plugin(name=name, summary="A transport for tests.", hooks=_Hooks(self))

    @property
    def payloads(self) -> list[bytes]:
        return [downlink.payload for downlink in self.taken]

    @property
    def ids(self) -> list[str]:
        return [downlink.command_id for downlink in self.taken]


class _Hooks:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    @hookimpl
    def neomind_transports(self, ctx: Any) -> Any:
        return [self._wire]


class Mailbox(Wire):
    """A transport that only receives."""

    name = "mailbox"

    def __init__(self) -> None:
        super().__init__(("webhook",))
        self.error = ReceiveOnly("A webhook is receive-only")


class Plant:
    """The host, its transport, and an administrator at the API."""

    def __init__(self, host: Any, wire: Wire) -> None:
        self.host = host
        self.wire = wire
        self.clock = host.clock
        self.api = host.client()
        self.acks = host.services[CommandAcks]

    async def furnish(self, *ids: str, **more: Any) -> None:
        directory = self.host.services[DeviceDirectory]
        await directory.register_type(PUMP)
        for ident in ids or ("p1",):
            await directory.register(Device(**{"device_id": ident, "name": ident, "device_type": "pump", **more}))

    async def control(self, command: str = "stop", params: Any = None, device: str = "p1", **headers: str) -> Any:
        body = {"command": command} if params is None else {"command": command, "params": params}
        return await self.api.post(f"/api/devices/{device}/control", json=body, headers=headers)

    async def give(self, command: str = "stop", params: Any = None, device: str = "p1") -> Any:
        """The answer's data; the command was taken."""
        return data(await self.control(command, params, device))

    async def history(self, device: str = "p1", **query: Any) -> list[Any]:
        found = data(await self.api.get(f"/api/devices/{device}/commands", params=query))
        assert found["count"] == len(found["commands"])
        return list(found["commands"])

    async def show(self, command_id: str, device: str = "p1") -> Any:
        return data(await self.api.get(f"/api/devices/{device}/commands/{command_id}"))

    async def states(self, device: str = "p1") -> list[str]:
        """Newest first."""
        return [command["state"] for command in await self.history(device)]

    async def pass_s(self, seconds: float) -> None:
        await self.clock.advance(seconds)
        await self.host.settle()

    @property
    def finished(self) -> list[DeviceCommandFinished]:
        return list(self.host.events.of(DeviceCommandFinished))


def data(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@asynccontextmanager
async def plant_with(wire: Wire, *more: Plugin, **options: Any) -> AsyncIterator[Plant]:
    plugins = (devices, commands, wire.plugin(), *more)
    async with make_host(*plugins, **options) as host:
        yield Plant(host, wire)


@pytest.fixture
async def plant() -> AsyncIterator[Plant]:
    """With the pump ``p1``."""
    async with plant_with(Wire()) as plant:
        await plant.furnish()
        yield plant
