"""Hosts with the transport, and what they have stored."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from neomind_plugins.devices import plugin as devices
from neomind_plugins.telemetry import plugin as telemetry
from neomind_plugins.transport_mqtt import plugin as transport_mqtt
from neomind_plugins.transport_mqtt.service import Links
from neomind_sdk import Device, DeviceDirectory, DeviceType, MetricDef, TelemetryStore
from neomind_sdk.testing import make_host

from .clients import eventually

ADAPTER = "external-site"
TOPIC = "device/room/kitchen/uplink"
SERIES = "device:kitchen:temperature"
ROOM = DeviceType(
    device_type="room", name="Room", metrics=(MetricDef(name="temperature", data_type="float"),), store_raw=False
)


@asynccontextmanager
async def platform(*more, port=None, settings=None, data_dir=None):
    """A host with the device ``kitchen``; with ``port``, linked to the broker there."""
    own = {"mqtt_broker": {"listen": "127.0.0.1", "port": 0}}
    plugins = (devices, telemetry, transport_mqtt, *more)
    async with make_host(*plugins, settings=settings or own, data_dir=data_dir) as host:
        directory = host.services[DeviceDirectory]
        if directory.get("kitchen") is None:
            await directory.register_type(ROOM)
            await directory.register(Device(device_id="kitchen", name="Kitchen", device_type="room"))
        if port is not None:
            answer = await add_broker(host, port)
            assert answer.status_code == 200, answer.text
            await eventually(lambda: host.services[Links].find(ADAPTER).connected)
        await host.settle()
        yield host


async def add_broker(host, port, **fields):
    body = {"id": "site", "name": "Site", "broker": "127.0.0.1", "port": port, **fields}
    return await host.client().post("/api/brokers", json=body)


async def values(host, series=SERIES, limit=10_000):
    found = await host.services[TelemetryStore].range(series, 0, 2**52, limit=limit, newest_first=False)
    return [sample.value for sample in found]


async def stored(host, expected, series=SERIES):
    """Wait until these are stored, in this order."""
    for _ in range(500):
        if await values(host, series) == expected:
            return
        await asyncio.sleep(0.01)
    assert await values(host, series) == expected


async def linked(host, adapter_id="internal-mqtt"):
    return await eventually(lambda: (link := host.services[Links].find(adapter_id)) and link.connected and link)
