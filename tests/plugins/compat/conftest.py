"""Hosts with compat: alone, and beside the plugins that its spellings lead to."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from importlib import import_module

import pytest
from websockets.asyncio.client import connect

from neomind_plugins.compat import plugin as compat
from neomind_sdk.testing import make_host

TYPE = {
    "device_type": "pump",
    "name": "Pump",
    "metrics": [{"name": "rpm", "data_type": "float"}],
    "commands": [{"name": "run", "parameters": [{"name": "seconds", "data_type": "integer", "required": True}]}],
}
PUMP = {"device_id": "p1", "name": "Pump 1", "device_type": "pump", "adapter_type": "webhook", "connection_config": {}}


@pytest.fixture
async def alone():
    async with make_host(compat) as host:
        yield host


@asynccontextmanager
async def beside(*names, more=()):
    """A host with compat, the plugins of these names, and more."""
    plugins = [import_module(f"neomind_plugins.{name}").plugin for name in names]
    async with make_host(compat, *plugins, *more) as host:
        yield host


async def data(answer):
    """The payload of a success."""
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["success"] is True
    return body["data"]


class Talk:
    """A WebSocket client that says what it hears."""

    def __init__(self, socket):
        self._socket = socket

    async def next(self):
        return json.loads(await asyncio.wait_for(self._socket.recv(), 10))

    async def of(self, kind):
        """The next frame of a type; others are skipped."""
        while (frame := await self.next())["type"] != kind:
            pass
        return frame

    async def say(self, frame):
        await self._socket.send(frame if isinstance(frame, bytes | str) else json.dumps(frame))

    async def closed(self):
        """The close code."""
        await asyncio.wait_for(self._socket.wait_closed(), 10)
        return self._socket.close_code


@pytest.fixture
async def talk():
    opened = []

    async def open_(address, **headers):
        socket = await connect(address.replace("http", "ws", 1), additional_headers=headers)
        opened.append(socket)
        return Talk(socket)

    yield open_
    for socket in opened:
        await socket.close()
