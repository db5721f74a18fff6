"""The broker's process: that it serves, comes back, and is never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from neomind_plugins.mqtt_broker import plugin as mqtt_broker
from neomind_plugins.mqtt_broker.service import Broker
from neomind_plugins.storage_sqlite import plugin as sqlite
from neomind_sdk import EmbeddedBroker, Status
from neomind_sdk.testing import make_host

from ..transport_mqtt.clients import Device, device, eventually

LOCAL = {"listen": "127.0.0.1", "port": 0}


def platform(*more, data_dir=None, strict=True, **settings):
    return make_host(
        mqtt_broker, *more, settings={"mqtt_broker": {**LOCAL, **settings}}, data_dir=data_dir, strict=strict
    )


def alive(pid):
    """Whether there is such a process, and it is no zombie that waits to be asked for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_clients_talk_through_it():
    async with platform() as host:
        broker = host.services[EmbeddedBroker]
        port = broker.state().port
        with device(port, "a") as sender, device(port, "b") as listener:
            await asyncio.to_thread(listener.listen, "x/#")
            await asyncio.to_thread(sender.publish, "x/y", b"hello")
            await eventually(lambda: listener.received == [("x/y", b"hello")])
            assert await broker.clients() == 2
        await eventually_async(broker.clients, 0)


async def eventually_async(ask, expected):
    for _ in range(500):
        if await ask() == expected:
            return
        await asyncio.sleep(0.01)
    assert await ask() == expected


async def test_it_ends_with_the_platform():
    async with platform() as host:
        pid = host.services[Broker].pid
        assert alive(pid)
    assert not alive(pid)


async def test_when_it_crashes_it_comes_back_on_the_same_port():
    async with platform() as host:
        broker = host.services[Broker]
        port, access = broker.state().port, broker.access()
        for _ in range(3):
            pid = broker.pid
            os.kill(pid, signal.SIGKILL)
            await eventually(lambda pid=pid: broker.pid not in (None, pid), 5)
        assert broker.state().port == port
        assert broker.access() != access
        with device(port):
            pass


async def test_while_it_is_away_health_says_so(monkeypatch):
    async with platform() as host:
        broker = host.services[Broker]
        monkeypatch.setattr("neomind_plugins.mqtt_broker.process.Child.start", refused)
        os.kill(broker.pid, signal.SIGKILL)
        await eventually(lambda: broker.pid is None)
        health = await broker.health()
        assert not health.ok
        assert "ended" in health.detail or "cannot" in health.detail
        assert broker.access() is None


async def refused(_launch):
    raise OSError("cannot be started")


async def test_a_port_in_use_is_one_sentence_and_the_platform_runs_on():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with platform(port=port, strict=False) as host:
            record = next(one for one in host.host.plugins() if one.name == "mqtt_broker")
            assert record.status is Status.FAILED_AT_RUN
            assert f"The MQTT broker cannot start: port {port} on 127.0.0.1 is in use" in record.reason
            assert "\n" not in record.reason
            assert (await host.client().get("/api/mqtt/broker-config")).status_code == 404


async def test_switched_off_it_does_not_run_and_says_why():
    async with platform(enabled=False) as host:
        broker = host.services[Broker]
        assert (broker.pid, broker.access(), broker.state().running) == (None, None, False)
        assert (await broker.health()).ok
        assert "mqtt_broker.enabled" in (await broker.health()).detail


async def test_our_own_listener_wants_the_password_of_this_start():
    async with platform() as host:
        access = host.services[Broker].access()
        for login in ({}, {"username": access.username, "password": "wrong"}):
            one = Device(access.port, "stranger", **login)
            await asyncio.to_thread(one.start)
            assert one.refused
            await asyncio.to_thread(one.stop)
        with device(access.port, access.client_id, username=access.username, password=access.password) as own:
            assert not own.refused


def secrets_in(files, secret):
    return [path for path in files if secret.encode() in path.read_bytes()]


async def test_the_configuration_is_on_no_disk_and_in_no_arguments(tmp_path):
    async with platform(data_dir=tmp_path) as host:
        broker = host.services[Broker]
        password = broker.access().password
        assert secrets_in([Path(f"/proc/{broker.pid}/cmdline")], password) == []
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert secrets_in(files, password) == []
        assert password not in repr(broker.access())


PARENT = """
    import asyncio, sys, time
    from neomind_plugins.mqtt_broker.process import Launch, Child
    from neomind_plugins.mqtt_broker.models import Config
    from neomind_plugins.mqtt_broker.toml import Inside, broker_toml

    async def main():
        ports = [int(one) for one in sys.argv[1:]]
        config = Config(listen="127.0.0.1", port=ports[0], auth_enabled=False, tls_enabled=False,
                        max_connections=10, max_payload_size=1024)
        inside = Inside(port=ports[1], client_id="c", username="u", password="p")
        toml = broker_toml(config, inside, {}, None)
        child = await Child.start(Launch(toml=toml, endpoints=(("127.0.0.1", ports[0]),)))
        print(child.process.pid, flush=True)
        await asyncio.sleep(600)

    asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_is_not_left_behind_when_the_platform_is_killed(number):
    from neomind_plugins.mqtt_broker.ports import free_port

    command = [sys.executable, "-c", textwrap.dedent(PARENT), str(free_port()), str(free_port())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.send_signal(number)
        parent.wait(10)
    until = time.monotonic() + 5
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert not alive(pid)


async def test_what_was_changed_holds_after_a_restart(tmp_path):
    async with platform(sqlite, data_dir=tmp_path) as host:
        client = host.client()
        body = {"username": "kitchen", "password": "pass word"}
        assert (await client.post("/api/mqtt/broker-config/credentials", json=body)).status_code == 200
        assert (await client.put("/api/mqtt/broker-config", json={"auth_enabled": True})).status_code == 200
    assert b"pass word" not in b"".join(path.read_bytes() for path in tmp_path.glob("neomind.db*"))
    async with platform(sqlite, data_dir=tmp_path) as host:
        state = host.services[Broker].state()
        assert (state.auth_enabled, state.usernames) == (True, ("kitchen",))
        with device(state.port, username="kitchen", password="pass word") as one:
            assert not one.refused


async def test_a_port_that_was_taken_while_it_was_away_is_waited_for():
    async with platform() as host:
        broker = host.services[Broker]
        port = broker.state().port
        os.kill(broker.pid, signal.SIGKILL)
        await eventually(lambda: broker.pid is None)
        with socket.create_server(("127.0.0.1", port)):
            await eventually(lambda: "in use" in broker.state().detail)
            assert broker.access() is None
        await eventually(lambda: broker.pid is not None)
        with device(port):
            pass
