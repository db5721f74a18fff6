"""What becomes of the session that the broker keeps for us when what is kept of an external broker changes."""

from __future__ import annotations

import pytest

from neomind_plugins.transport_mqtt import tables
from neomind_plugins.transport_mqtt.service import Links
from neomind_sdk import StorageFull

from .clients import device
from .hosts import ADAPTER, TOPIC, linked, platform, stored

ENDING = [{"enabled": False}, {"client_id": "another"}, {"port": 2}]
"""Changes after which nobody will ask for the session again."""


async def change(host, port=1, **fields):
    body = {"id": "site", "name": "Site", "broker": "127.0.0.1", "port": port, **fields}
    return (await host.client().put("/api/brokers/site", json=body)).status_code


def ended(broker):
    """Whether the broker was told to forget the session."""
    return any(connection.target.login.clean for connection in broker.connections)


def full(_broker):
    raise StorageFull


@pytest.mark.parametrize("fields", ENDING)
async def test_a_change_that_is_refused_leaves_the_session(host, broker, monkeypatch, fields):
    path = host.services[Links].seen_path(ADAPTER)
    monkeypatch.setattr(tables, "put_broker", full)
    assert await change(host, **fields) == 507
    assert not ended(broker)
    assert path.exists()
    await linked(host, ADAPTER)
    broker.send(TOPIC, b"1")
    await stored(host, [1])


@pytest.mark.parametrize("fields", ENDING)
async def test_a_change_that_is_kept_ends_it(host, broker, fields):
    assert await change(host, **fields) == 200
    assert ended(broker)
    assert (host.services[Links].find(ADAPTER) is not None) == fields.get("enabled", True)


async def test_a_change_that_goes_on_with_it_does_not(host, broker):
    assert await change(host, name="Other", subscribe_topics=["tele/#"]) == 200
    await linked(host, ADAPTER)
    assert not ended(broker)


async def test_what_comes_while_a_change_is_refused_is_not_lost(mosquitto, monkeypatch):
    async with platform(port=mosquitto.port) as host:

        def sent_meanwhile(_broker):
            with device(mosquitto.port) as kitchen:
                kitchen.publish(TOPIC, "1")
            raise StorageFull

        monkeypatch.setattr(tables, "put_broker", sent_meanwhile)
        assert await change(host, mosquitto.port, enabled=False) == 507
        await stored(host, [1])
