"""The endpoints of the broker's configuration."""

from __future__ import annotations

import asyncio
import socket

import pytest
from cryptography import x509

from neomind_plugins.mqtt_broker import authority, certificates
from neomind_plugins.mqtt_broker import plugin as mqtt_broker
from neomind_plugins.mqtt_broker.models import MAX_CREDENTIALS
from neomind_plugins.mqtt_broker.ports import free_port
from neomind_plugins.mqtt_broker.service import Broker
from neomind_sdk.testing import make_host

from ..transport_mqtt.clients import Device, device

CONFIG = "/api/mqtt/broker-config"
CREDENTIALS = f"{CONFIG}/credentials"
TLS = f"{CONFIG}/tls"


@pytest.fixture
async def host():
    async with make_host(mqtt_broker, settings={"mqtt_broker": {"listen": "127.0.0.1", "port": 0}}) as host:
        yield host


async def data(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def config(host):
    return (await data(await host.client().get(CONFIG)))["config"]


async def refused(port, **login):
    """Whether a device is turned away."""
    one = Device(port, **login)
    await asyncio.to_thread(one.start)
    await asyncio.to_thread(one.stop)
    return bool(one.refused)


async def test_the_configuration_as_it_begins(host):
    found = await config(host)
    assert found.pop("port") == host.services[Broker].state().port
    assert found == {
        "listen": "127.0.0.1",
        "max_connections": 1000,
        "max_payload_size": 268_435_456,
        "dynamic_filters": True,
        "auth_enabled": False,
        "tls_enabled": False,
        "tls_cert_path": None,
        "tls_key_path": None,
        "tls_ca_path": None,
        "credentials": [],
    }


@pytest.mark.parametrize("role", [None, "viewer", "user"])
async def test_it_is_for_administrators(host, role):
    client = host.client(role)
    status = 401 if role is None else 403
    for method, path in (
        ("GET", CONFIG),
        ("PUT", CONFIG),
        ("POST", CREDENTIALS),
        ("POST", f"{CREDENTIALS}/delete"),
        ("PUT", TLS),
        ("POST", f"{TLS}/generate"),
    ):
        json = {"username": "a", "password": "abcd", "cert_pem": "x", "key_pem": "x"}
        answer = await client.request(method, path, json=None if method == "GET" else json)
        assert answer.status_code == status, f"{method} {path}"


async def test_another_port_is_served_without_a_restart_of_the_platform(host):
    port = free_port()
    answer = await data(await host.client().put(CONFIG, json={"port": port}))
    assert answer["config"]["port"] == port
    assert not answer["restart_required"]
    with device(port):
        pass


async def test_a_change_that_does_not_work_changes_nothing(host):
    before = await config(host)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = await host.client().put(CONFIG, json={"port": taken.getsockname()[1]})
        assert answer.status_code == 400
        assert "in use" in answer.json()["error"]["message"]
    assert await config(host) == before
    with device(before["port"]):
        pass


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"listen": "localhost"}, "listen"),
        ({"port": 80}, "port"),
        ({"port": 65_536}, "port"),
        ({"tls_enabled": True}, "certificate"),
    ],
)
async def test_values_that_cannot_be(host, body, word):
    answer = await host.client().put(CONFIG, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST")
    assert word in answer.json()["error"]["message"]


async def test_credentials(host):
    client, port = host.client(), (await config(host))["port"]
    login = {"username": "kitchen", "password": 'p"wö rd'}
    assert (await data(await client.post(CREDENTIALS, json=login)))["username"] == "kitchen"
    assert not await refused(port)
    await data(await client.put(CONFIG, json={"auth_enabled": True}))
    assert await refused(port)
    assert await refused(port, username="kitchen", password="other")
    assert not await refused(port, **login)
    assert (await config(host))["credentials"] == [{"username": "kitchen", "password": "*****"}]
    await data(await client.post(f"{CREDENTIALS}/delete", json={"username": "kitchen"}))
    assert await refused(port, **login)
    answer = await client.post(f"{CREDENTIALS}/delete", json={"username": "kitchen"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "CREDENTIAL_NOT_FOUND")


@pytest.mark.parametrize(
    ("username", "password", "status"),
    [
        ("__neomind_x", "abcd", 400),
        ("taken", "abcd", 400),
        ("", "abcd", 422),
        ("x" * 65, "abcd", 422),
        ("x", "abc", 422),
        ("a\nb", "abcd", 422),
    ],
)
async def test_credentials_that_cannot_be(host, username, password, status):
    client = host.client()
    await client.post(CREDENTIALS, json={"username": "taken", "password": "abcd"})
    answer = await client.post(CREDENTIALS, json={"username": username, "password": password})
    assert answer.status_code == status
    assert len((await config(host))["credentials"]) == 1


async def test_there_may_be_a_hundred_credentials(host):
    client = host.client()
    for number in range(MAX_CREDENTIALS):
        await data(await client.post(CREDENTIALS, json={"username": f"u{number}", "password": "abcd"}))
    assert (await client.post(CREDENTIALS, json={"username": "more", "password": "abcd"})).status_code == 400


async def test_generated_certificates(host, tmp_path):
    client = host.client()
    assert (await client.get(f"{TLS}/ca-cert")).status_code == 404
    paths = await data(await client.post(f"{TLS}/generate"))
    assert paths["ca_path"]
    answer = await client.get(f"{TLS}/ca-cert")
    assert answer.headers["content-type"] == "application/x-pem-file"
    assert "mqtt-ca.crt" in answer.headers["content-disposition"]
    ca = tmp_path / "ca.pem"
    ca.write_bytes(answer.content)
    answer = await data(await client.put(CONFIG, json={"tls_enabled": True}))
    with device(answer["config"]["port"], username="x", password="x", cafile=str(ca)) as one:
        assert not one.refused


async def test_uploaded_certificates(host):
    client, own = host.client(), authority.generate()
    body = {"cert_pem": own.cert.decode(), "key_pem": own.key.decode(), "ca_pem": own.ca.decode()}
    assert (await data(await client.put(TLS, json=body)))["ca_path"]
    assert (await data(await client.put(TLS, json={**body, "ca_pem": None})))["ca_path"] is None
    found = host.services[Broker].view()
    assert (found.tls_ca_path, bool(found.tls_cert_path)) == (None, True)


@pytest.mark.parametrize("field", ["cert_pem", "key_pem", "ca_pem"])
@pytest.mark.parametrize("text", ["nonsense", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"])
async def test_certificates_that_are_none(host, field, text):
    own = authority.generate()
    body = {"cert_pem": own.cert.decode(), "key_pem": own.key.decode(), "ca_pem": own.ca.decode(), field: text}
    answer = await host.client().put(TLS, json=body)
    assert (answer.status_code, field in answer.json()["error"]["message"]) == (400, True)


async def test_a_key_of_another_certificate(host):
    one, other = authority.generate(), authority.generate()
    answer = await host.client().put(TLS, json={"cert_pem": one.cert.decode(), "key_pem": other.key.decode()})
    assert answer.status_code == 400
    assert "is not the key" in answer.json()["error"]["message"]


def test_the_generated_certificate_is_for_this_machine():
    pems = authority.generate()
    cert = x509.load_pem_x509_certificate(pems.cert)
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert "127.0.0.1" in [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    cert.verify_directly_issued_by(x509.load_pem_x509_certificate(pems.ca))


def test_only_the_owner_reads_the_key(tmp_path):
    files = certificates.Files(tmp_path / "tls")
    certificates.write(files, authority.generate())
    assert files.key.stat().st_mode & 0o077 == 0
