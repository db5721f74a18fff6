"""Brokers that are killed, and connections that are cut, while messages come."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter

import pytest

from neomind_plugins.mqtt_broker import plugin as mqtt_broker
from neomind_plugins.mqtt_broker.service import Broker
from neomind_plugins.transport_mqtt.service import Links

from .clients import Device, device, eventually
from .hosts import TOPIC, add_broker, linked, platform, stored, values
from .proxy import Proxy

TIMES = 3
MANY = 10
RECONNECT_S = 5.0
PACE_S = 0.002
EXTERNAL, EMBEDDED = "external-site", "internal-mqtt"


class Load:
    """Numbers at QoS 1, from a client that connects again by itself and sends again what nobody acknowledged."""

    def __init__(self, port: int) -> None:
        self.device = Device(port, "load")
        self.infos: list = []
        self._task: asyncio.Task | None = None

    async def __aenter__(self) -> Load:
        await asyncio.to_thread(self.device.start)
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.to_thread(self.device.stop)

    async def stop(self) -> list[int]:
        """All numbers, when the broker has acknowledged them."""
        self._task.cancel()
        await eventually(lambda: self.device.acknowledged >= {info.mid for info in self.infos}, 20)
        return list(range(len(self.infos)))

    async def _run(self) -> None:
        while True:
            self.infos.append(self.device.send(TOPIC, str(len(self.infos))))
            await asyncio.sleep(PACE_S)


async def back(host, adapter_id, disturb):
    """Disturb, and return after how many seconds the link is there again."""
    link = await linked(host, adapter_id)
    before, began = link.reconnects, time.monotonic()
    await asyncio.to_thread(disturb)
    await eventually(lambda: link.connected and link.reconnects > before, RECONNECT_S + 5)
    return time.monotonic() - began


async def all_of(host, numbers):
    """Wait until these are stored; returns those that are not there exactly once."""
    for _ in range(300):
        if set(numbers) <= set(await values(host)):
            break
        await asyncio.sleep(0.05)
    found = Counter(await values(host))
    return {number: found[number] for number in numbers if found[number] != 1}


async def cut_often(mosquitto, times):
    async with Proxy(mosquitto.port) as proxy, platform(port=proxy.port) as host, Load(mosquitto.port) as load:
        for _ in range(times):
            await asyncio.sleep(0.2)
            assert await back(host, EXTERNAL, proxy.cut) < RECONNECT_S
        assert await all_of(host, await load.stop()) == {}


async def restart_often(mosquitto, times):
    """A broker that is stopped keeps its sessions, so nothing may be missing that it took."""

    def restart():
        mosquitto.stop()
        mosquitto.start()

    async with platform(port=mosquitto.port) as host, Load(mosquitto.port) as load:
        for _ in range(times):
            await asyncio.sleep(0.2)
            assert await back(host, EXTERNAL, restart) < RECONNECT_S
        missing = await all_of(host, await load.stop())
        assert [number for number, count in missing.items() if count == 0] == []


async def kill_embedded_often(times):
    async with platform(mqtt_broker) as host:
        await linked(host, EMBEDDED)
        broker = host.services[Broker]
        pids = []
        async with Load(broker.state().port) as load:
            for _ in range(times):
                await asyncio.sleep(0.2)
                pids.append(broker.pid)
                assert await back(host, EMBEDDED, lambda: os.kill(broker.pid, signal.SIGKILL)) < RECONNECT_S
            await load.stop()
            link = host.services[Links].find(EMBEDDED)
            with device(broker.state().port) as kitchen:
                await asyncio.to_thread(kitchen.publish, TOPIC, "-1")
            await eventually(lambda: not link._inbox)
            assert -1 in await after(host, -1)
        pids.append(broker.pid)
    assert [pid for pid in pids if alive(pid)] == []


async def after(host, number):
    """What is stored once ``number`` is."""
    for _ in range(500):
        if number in (found := await values(host)):
            return found
        await asyncio.sleep(0.01)
    return await values(host)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_connection_that_is_cut(mosquitto):
    await cut_often(mosquitto, TIMES)


async def test_a_broker_that_is_restarted(mosquitto):
    await restart_often(mosquitto, TIMES)


async def test_the_embedded_broker_that_is_killed():
    await kill_embedded_often(TIMES)


@pytest.mark.chaos
@pytest.mark.timeout(300)
async def test_a_connection_that_is_cut_ten_times(mosquitto):
    await cut_often(mosquitto, MANY)


@pytest.mark.chaos
@pytest.mark.timeout(300)
async def test_a_broker_that_is_restarted_ten_times(mosquitto):
    await restart_often(mosquitto, MANY)


@pytest.mark.chaos
@pytest.mark.timeout(300)
async def test_the_embedded_broker_that_is_killed_ten_times():
    await kill_embedded_often(MANY)


async def test_a_connection_to_the_embedded_broker_that_is_cut_loses_nothing():
    """The broker keeps the session as long as it lives, and sends again what was not acknowledged.

    It does not mark what it sends again, so some of that is stored twice.
    """
    async with platform(mqtt_broker) as host:
        link = await linked(host, EMBEDDED)
        async with Load(host.services[Broker].state().port) as load:
            for _ in range(TIMES):
                await asyncio.sleep(0.2)
                before = link.reconnects
                link._open._drop("cut by the test")
                await eventually(lambda before=before: link.connected and link.reconnects > before)
            wrong = await all_of(host, await load.stop())
            assert [number for number, count in wrong.items() if count == 0] == []


async def test_a_broker_that_is_away_when_the_platform_starts(mosquitto):
    mosquitto.stop()
    async with platform() as host:
        await add_broker(host, mosquitto.port)
        link = host.services[Links].find(EXTERNAL)
        await eventually(lambda: "refused" in link.last_error.lower() or "Connect" in link.last_error)
        mosquitto.start()
        await linked(host, EXTERNAL)
        with device(mosquitto.port) as kitchen:
            await asyncio.to_thread(kitchen.publish, TOPIC, "1")
        await stored(host, [1])
