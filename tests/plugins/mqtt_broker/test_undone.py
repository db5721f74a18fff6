"""Changes that cannot be kept, or that the broker does not start with, leave nothing behind and can be repeated."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager

import pytest

from neomind_plugins.mqtt_broker import plugin as mqtt_broker
from neomind_plugins.mqtt_broker import process, tables
from neomind_plugins.mqtt_broker.service import Broker
from neomind_plugins.storage_sqlite import plugin as sqlite
from neomind_sdk import StorageFull
from neomind_sdk.testing import make_host

from ..transport_mqtt.clients import Device, eventually

CONFIG = "/api/mqtt/broker-config"
CREDENTIALS = f"{CONFIG}/credentials"
LOGIN = {"username": "pump", "password": "secret-1"}


def platform(data_dir=None, **settings):
    more = () if data_dir is None else (sqlite,)
    settings = {"mqtt_broker": {"listen": "127.0.0.1", "port": 0, **settings}}
    return make_host(mqtt_broker, *more, settings=settings, data_dir=data_dir)


async def refused(host, **login):
    """Whether a device is turned away."""
    one = Device(host.services[Broker].state().port, **login)
    await asyncio.to_thread(one.start)
    await asyncio.to_thread(one.stop)
    return bool(one.refused)


async def change(host, **values):
    return (await host.client().put(CONFIG, json=values)).status_code


async def add(host):
    return (await host.client().post(CREDENTIALS, json=LOGIN)).status_code


async def delete(host):
    return (await host.client().post(f"{CREDENTIALS}/delete", json={"username": "pump"})).status_code


@contextmanager
def full(monkeypatch, query):
    """The storage takes nothing."""

    def work(*_args):
        raise StorageFull

    with monkeypatch.context() as patched:
        patched.setattr(tables, query, work)
        yield


def fail_to_start(monkeypatch, *turns):
    """At these turns of starting it from now on, 0 is the next, the process does not come up."""
    start, asked = process.Child.start, iter(range(1000))

    async def started(launch):
        if next(asked) in turns:
            raise OSError("too many open files")
        return await start(launch)

    monkeypatch.setattr(process.Child, "start", started)


async def test_a_setting_that_was_not_kept_is_kept_when_it_is_sent_again(tmp_path, monkeypatch):
    async with platform(tmp_path) as host:
        with full(monkeypatch, "save_config"):
            assert await change(host, auth_enabled=True) == 507
        assert not host.services[Broker].view().auth_enabled
        assert not await refused(host)
        assert await change(host, auth_enabled=True) == 200
        assert await refused(host)
    async with platform(tmp_path) as host:
        assert host.services[Broker].view().auth_enabled
        assert await refused(host)


async def test_switched_off_a_setting_that_was_not_kept_is_not_in_force_either(tmp_path, monkeypatch):
    async with platform(tmp_path, enabled=False) as host:
        with full(monkeypatch, "save_config"):
            assert await change(host, auth_enabled=True) == 507
        assert await change(host, auth_enabled=True) == 200
    async with platform(tmp_path, enabled=False) as host:
        assert host.services[Broker].view().auth_enabled


async def test_a_broker_that_does_not_start_as_before_at_once_does_so_later(monkeypatch):
    async with platform() as host:
        fail_to_start(monkeypatch, 1, 2)
        with full(monkeypatch, "save_config"):
            assert await change(host, auth_enabled=True) == 507
        assert not host.services[Broker].view().auth_enabled
        await eventually(lambda: host.services[Broker].pid is not None)
        assert not await refused(host)


async def test_a_broker_that_starts_neither_with_a_change_nor_as_before_does_so_later(monkeypatch):
    async with platform() as host:
        fail_to_start(monkeypatch, 0, 1, 2)
        assert await change(host, auth_enabled=True) == 400
        assert not host.services[Broker].view().auth_enabled
        await eventually(lambda: host.services[Broker].pid is not None)
        assert not await refused(host)


async def test_a_credential_is_not_deleted_while_the_broker_goes_on_with_it(tmp_path, monkeypatch):
    async with platform(tmp_path, auth_enabled=True) as host:
        assert await add(host) == 200
        with monkeypatch.context() as patched:
            fail_to_start(patched, 0)
            assert await delete(host) == 400
        assert host.services[Broker].state().usernames == ("pump",)
        assert not await refused(host, **LOGIN)
        assert await delete(host) == 200
        assert await refused(host, **LOGIN)
        assert await delete(host) == 404
    async with platform(tmp_path, auth_enabled=True) as host:
        assert await refused(host, **LOGIN)


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_credential_whose_end_was_not_kept_stays_until_it_is_deleted_again(monkeypatch, wanted):
    async with platform(auth_enabled=wanted) as host:
        assert await add(host) == 200
        with full(monkeypatch, "delete_credential"):
            assert await delete(host) == 507
        assert host.services[Broker].state().usernames == ("pump",)
        assert not await refused(host, **LOGIN)
        assert await delete(host) == 200
        assert await change(host, auth_enabled=True) == 200
        assert await refused(host, **LOGIN)


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_credential_that_was_not_kept_does_not_open(monkeypatch, wanted):
    async with platform(auth_enabled=wanted) as host:
        with full(monkeypatch, "add_credential"):
            assert await add(host) == 507
        assert host.services[Broker].state().usernames == ()
        assert await change(host, auth_enabled=True) == 200
        assert await refused(host, **LOGIN)
        assert await add(host) == 200
        assert not await refused(host, **LOGIN)
