"""External brokers over REST: kept, masked, linked, tried out."""

from __future__ import annotations

import asyncio

import pytest

from neomind_plugins.mqtt_broker import plugin as mqtt_broker
from neomind_plugins.storage_sqlite import plugin as sqlite
from neomind_plugins.transport_mqtt.records import Broker
from neomind_plugins.transport_mqtt.service import Links
from neomind_plugins.transport_mqtt.targets import resolved
from neomind_sdk import EmbeddedBroker

from .clients import device, eventually
from .hosts import TOPIC, linked, platform, stored

SITE = {"id": "site", "name": "Site", "broker": "127.0.0.1", "port": 1, "enabled": False}
SECRETS = {"username": "us", "password": "hunter2", "client_key": "KEY", "client_cert": "CERT", "ca_cert": "CA"}


@pytest.fixture
async def host():
    async with platform() as host:
        yield host


async def data(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_what_is_added_is_shown_and_masked(host):
    client = host.client()
    added = await data(await client.post("/api/brokers", json={**SITE, **SECRETS}))
    shown = (await data(await client.get("/api/brokers/site")))["broker"]
    assert shown == added["broker"]
    assert (shown["password"], shown["client_key"], shown["username"]) == ("*****", "*****", "us")
    assert (shown["connected"], shown["enabled"], shown["tls"]) == (False, False, False)
    assert shown["subscribe_topics"] == ["sensor/#", "device/#", "tele/#"]
    assert [warning["level"] for warning in added["security_warnings"]] == ["high"]
    found = await data(await client.get("/api/brokers"))
    assert (found["count"], found["brokers"]) == (1, [shown])
    assert "hunter2" not in str(found)


async def test_secrets_are_encrypted_at_rest(tmp_path):
    async with platform(sqlite, data_dir=tmp_path) as host:
        await data(await host.client().post("/api/brokers", json={**SITE, **SECRETS}))
    assert b"hunter2" not in b"".join(path.read_bytes() for path in tmp_path.glob("neomind.db*"))
    async with platform(sqlite, data_dir=tmp_path) as host:
        shown = (await data(await host.client().get("/api/brokers/site")))["broker"]
        assert shown["password"] == "*****"
        assert kept(host).password == "hunter2"


def kept(host) -> Broker:
    from neomind_plugins.transport_mqtt.brokers import Brokers

    return host.services[Brokers]._brokers["site"]


@pytest.mark.parametrize("password", ["*****", "", None])
async def test_an_update_keeps_what_is_masked_or_empty(host, password):
    client = host.client()
    await data(await client.post("/api/brokers", json={**SITE, **SECRETS}))
    body = {**SITE, "name": "Other", "password": password, "client_key": "*****", "subscribe_topics": []}
    changed = (await data(await client.put("/api/brokers/site", json=body)))["broker"]
    assert (changed["name"], changed["username"]) == ("Other", None)
    one = kept(host)
    assert (one.password, one.client_key, one.client_cert, one.ca_cert) == ("hunter2", "KEY", "CERT", "CA")
    assert one.subscribe_topics == ("sensor/#", "device/#", "tele/#")


async def test_a_client_key_that_is_absent_goes(host):
    client = host.client()
    await data(await client.post("/api/brokers", json={**SITE, **SECRETS}))
    changed = (await data(await client.put("/api/brokers/site", json=SITE)))["broker"]
    assert changed["client_key"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({**SITE, "broker": "mqtt://x"}, 422),
        ({**SITE, "broker": "x:1883"}, 422),
        ({**SITE, "port": 0}, 422),
        ({**SITE, "name": ""}, 422),
        ({**SITE, "id": "a/b"}, 422),
        ({**SITE, "subscribe_topics": ["a/#/b"]}, 422),
        ({**SITE, "password": "*****"}, 400),
        ({"name": "x"}, 422),
    ],
)
async def test_brokers_that_cannot_be(host, body, status):
    assert (await host.client().post("/api/brokers", json=body)).status_code == status


async def test_an_id_that_is_taken_or_unknown(host):
    client = host.client()
    await data(await client.post("/api/brokers", json=SITE))
    assert (await client.post("/api/brokers", json=SITE)).status_code == 400
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/test")):
        answer = await client.request(method, f"/api/brokers/none{path}", json=SITE if method == "PUT" else None)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "BROKER_NOT_FOUND")


@pytest.mark.parametrize("role", ["viewer", "user"])
async def test_only_administrators_change_brokers(host, role):
    client = host.client(role)
    assert (await client.get("/api/brokers")).status_code == 200
    assert (await client.post("/api/brokers", json=SITE)).status_code == 403
    assert (await client.post("/api/brokers/site/test")).status_code == 403


async def test_disabling_stops_the_link_and_enabling_starts_it(host, mosquitto):
    client, body = host.client(), {**SITE, "port": mosquitto.port}
    await data(await client.post("/api/brokers", json={**body, "enabled": True}))
    await linked(host, "external-site")
    await data(await client.put("/api/brokers/site", json=body))
    assert host.services[Links].find("external-site") is None
    with device(mosquitto.port) as kitchen:
        await asyncio.to_thread(kitchen.publish, TOPIC, "1")
    await data(await client.put("/api/brokers/site", json={**body, "enabled": True}))
    await linked(host, "external-site")
    with device(mosquitto.port) as kitchen:
        await asyncio.to_thread(kitchen.publish, TOPIC, "2")
    await stored(host, [2])
    await data(await client.delete("/api/brokers/site"))
    assert host.services[Links].all == []


async def test_trying_a_broker_out(host, mosquitto):
    client = host.client()
    await data(await client.post("/api/brokers", json={**SITE, "port": mosquitto.port}))
    tried = await data(await client.post("/api/brokers/site/test"))
    assert (tried["success"], tried["validation_only"]) == (True, False)
    assert tried["broker_url"] == f"mqtt://127.0.0.1:{mosquitto.port}"
    mosquitto.stop()
    tried = await data(await client.post("/api/brokers/site/test"))
    assert not tried["success"]
    assert tried["message"]


class TestLogin:
    @pytest.fixture
    def mosquitto_settings(self, tmp_path):
        (tmp_path / "passwords").write_text("")
        return ("allow_anonymous false", f"password_file {tmp_path / 'passwords'}")

    async def test_a_wrong_password_is_said_in_words(self, host, mosquitto):
        body = {**SITE, "port": mosquitto.port, "username": "a", "password": "b", "enabled": True}
        client = host.client()
        await data(await client.post("/api/brokers", json=body))
        tried = await data(await client.post("/api/brokers/site/test"))
        assert (tried["success"], "authorize" in tried["message"] or "wrong" in tried["message"]) == (False, True)
        link = host.services[Links].find("external-site")
        await eventually(lambda: link.last_error)
        assert (await data(await client.get("/api/brokers/site")))["broker"]["last_error"] == link.last_error


FORBIDDEN = (
    *("169.254.169.254", "fe80::1", "fe80::1%lo", "0.0.0.0", "224.0.0.1", "ff02::1", "::", "100.100.100.200"),
    *("fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "0xa9fea9fe", "2852039166"),
)


@pytest.mark.parametrize("address", FORBIDDEN)
async def test_addresses_that_nobody_may_have_us_connect_to(host, address):
    with pytest.raises(ConnectionError):
        await resolved(address, 1883, None, host.context("transport_mqtt").egress)


@pytest.mark.parametrize("address", ["127.0.0.1", "192.168.1.9", "::1"])
async def test_the_network_at_home_is_allowed(host, address):
    assert await resolved(address, 1883, None, host.context("transport_mqtt").egress) == address


async def test_our_own_broker_is_no_external_one():
    async with platform(mqtt_broker) as host:
        state = host.services[EmbeddedBroker].state()
        body = {**SITE, "port": state.port}
        client = host.client()
        await data(await client.post("/api/brokers", json=body))
        tried = await data(await client.post("/api/brokers/site/test"))
        assert not tried["success"]
        assert "own broker" in tried["message"]
