"""Where nothing is ever pushed: the spellings that the platform's egress refuses, for both types, saved and sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import pytest

from neomind_core.host.egress import HttpEgress
from neomind_core.host.egress_policy import EgressConfig
from neomind_plugins.data_push import mqtt, publisher
from neomind_plugins.data_push.mqtt import MqttConfig, MqttTarget
from neomind_plugins.data_push.webhook import WebhookConfig, WebhookTarget
from neomind_plugins.mqtt_broker import plugin as mqtt_broker
from neomind_sdk import Delivery, EgressBlocked, EmbeddedBroker, PushPayload, SendTools
from neomind_sdk.testing import VirtualClock, needs
from neomind_sdk.testing.sink import Sink

from ...core.egress.conftest import OWN_PORT, Detour, Names
from ...core.egress.test_forbidden import NEVER
from .conftest import API, Push, code, pushing

TABLE = {
    "localhost": ["127.0.0.1", "::1"],
    "metadata.google.internal": ["169.254.169.254"],
    "mixed.example": ["93.184.216.34", "169.254.169.254"],
    "v6-mapped.example": ["::ffff:169.254.169.254"],
    "scoped.example": ["fe80::1%eth0"],
}
OWN = [url for url in NEVER if f":{OWN_PORT}/" in url]
PAYLOAD = PushPayload(body=b"1")


def host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return url


WEB = [url for url in NEVER if url.lower().startswith("http") and url not in OWN]
HOSTS = sorted({host_of(url) for url in WEB} - {"", "example.com"})


@attrs.define
class Net:
    """The real egress, whose names and connections are the test's. ``opened``: what MQTT connected to."""

    egress: Any
    names: Names
    detour: Detour
    opened: list[tuple[str, int]] = attrs.field(factory=list)

    @property
    def tools(self) -> SendTools:
        return SendTools(egress=self.egress, clock=VirtualClock(), delivery_id="msg_1")


@pytest.fixture
async def net(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Net]:
    names, detour = Names(dict(TABLE)), Detour()
    egress = HttpEgress(EgressConfig(), lambda: ("0.0.0.0", OWN_PORT), resolve=names, backend=detour)
    net = Net(egress, names, detour)

    async def resolved(host: str, port: int) -> list[str]:
        try:
            return list(await names(host.lower().removesuffix("."), port))
        except (OSError, UnicodeError):
            return []

    real = asyncio.open_connection

    async def opened(host: str, port: int) -> Any:
        net.opened.append((host, port))
        return await real(host, port)

    monkeypatch.setattr(mqtt, "resolved", resolved)
    monkeypatch.setattr(publisher.asyncio, "open_connection", opened)
    yield net
    await egress.close()


def test_there_are_many_spellings() -> None:
    assert len(NEVER) >= 70
    assert len(HOSTS) >= 50


@pytest.mark.parametrize("url", NEVER)
async def test_a_webhook_is_not_sent_there(net: Net, url: str) -> None:
    try:
        config = WebhookConfig(url=url)
    except ValueError:
        return
    with pytest.raises(EgressBlocked):
        await WebhookTarget().deliver(config, PAYLOAD, net.tools)
    assert net.detour.dialed == []


@pytest.mark.parametrize("host", HOSTS)
async def test_nothing_is_published_there(net: Net, host: str) -> None:
    try:
        config = MqttConfig(broker=host, topic="t")
    except ValueError:
        return
    addresses = await mqtt.resolved(host, 1883)
    if addresses:
        with pytest.raises(EgressBlocked):
            await MqttTarget().deliver(config, PAYLOAD, net.tools)
    else:
        assert not (await MqttTarget().deliver(config, PAYLOAD, net.tools)).ok
    assert net.opened == []


async def test_they_are_refused_when_they_are_saved(tmp_path: Path, net: Net) -> None:
    async with pushing(tmp_path, egress=net.egress) as push:
        for url in NEVER:
            answer = await push.api.post(API, json=push.body(config={"url": url}))
            assert answer.status_code in (400, 422), (url, answer.text)
        for host in HOSTS:
            config = {"broker": host, "topic": "t"}
            answer = await push.api.post(API, json=push.body(target_type="mqtt", config=config))
            assert answer.status_code in (400, 422) or not await mqtt.resolved(host, 1883), (host, answer.text)
        for target in (await push.api.get(API)).json()["data"]["targets"]:
            await push.call(target["id"], "test")
    assert (net.detour.dialed, net.opened) == ([], [])


@pytest.mark.parametrize("url", OWN)
async def test_our_own_ingest_is_a_loop(push_of_net: Push, url: str) -> None:
    ident = await push_of_net.create(config={"url": f"http://127.0.0.1:{OWN_PORT}/elsewhere"})
    for answer in (
        await push_of_net.api.post(API, json=push_of_net.body(config={"url": url})),
        await push_of_net.api.put(f"{API}/{ident}", json={"config": {"url": url}}),
    ):
        assert code(answer) == (400, "BAD_REQUEST"), answer.text
        assert "feed itself" in answer.json()["error"]["message"]


@pytest.fixture
async def push_of_net(tmp_path: Path, net: Net) -> AsyncIterator[Push]:
    async with pushing(tmp_path, egress=net.egress) as started:
        yield started


async def test_a_redirect_to_it_is_not_followed(tmp_path: Path, sink: Sink) -> None:
    sink.answer(307, headers={"Location": "http://169.254.169.254/latest/"})
    async with pushing(tmp_path, sink=sink) as push:
        retry = {"max_retries": 0, "backoff_secs": 1, "max_backoff_secs": 1}
        ident = await push.create(retry_config=retry)
        await push.store(1)
        [row] = await push.ended(ident)
        assert (row["status"], "never reached" in row["error"]) == ("failed", True)
        assert len(sink.requests) == 1


async def test_a_redirect_to_our_own_ingest_is_not_followed(tmp_path: Path, sink: Sink) -> None:
    sink.answer(308, headers={"Location": "/api/devices/x/webhook"})
    port = int(sink.url.rpartition(":")[2])
    egress = HttpEgress(EgressConfig(), lambda: ("127.0.0.1", port))
    async with pushing(tmp_path, sink=sink, egress=egress) as push:
        ident = await push.create(retry_config={"max_retries": 0, "backoff_secs": 1, "max_backoff_secs": 1})
        await push.store(1)
        [row] = await push.ended(ident)
        assert (row["status"], "feed itself" in row["error"]) == ("failed", True)
        assert len(sink.requests) == 1
    await egress.close()


async def test_names_whose_answers_change(net: Net, sink: Sink) -> None:
    net.names.table["rebind.example"] = ["127.0.0.1"]
    net.detour.to["127.0.0.1"] = port = int(sink.url.rpartition(":")[2])
    webhook = WebhookConfig(url=f"http://rebind.example:{port}/")
    assert (await WebhookTarget().deliver(webhook, PAYLOAD, net.tools)).ok
    net.names.table["rebind.example"] = ["169.254.169.254"]
    with pytest.raises(EgressBlocked):
        await WebhookTarget().deliver(webhook, PAYLOAD, net.tools)
    with pytest.raises(EgressBlocked):
        await MqttTarget().deliver(MqttConfig(broker="rebind.example", topic="t"), PAYLOAD, net.tools)
    assert (len(net.detour.dialed), net.opened) == (1, [])


async def test_what_was_checked_is_what_mqtt_connects_to(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: Iterator[list[str]] = iter([["127.0.0.1"], ["169.254.169.254"]])

    async def resolved(_host: str, _port: int) -> list[str]:
        return next(answers)

    monkeypatch.setattr(mqtt, "resolved", resolved)
    delivery = await MqttTarget().deliver(MqttConfig(broker="rebind.example", port=1, topic="t"), PAYLOAD, net.tools)
    assert not delivery.ok
    assert net.opened == [("127.0.0.1", 1)]


@needs("mqtt_broker")
async def test_our_own_broker_is_a_loop(tmp_path: Path) -> None:
    local = {"mqtt_broker": {"listen": "127.0.0.1", "port": 0}}
    async with pushing(tmp_path, mqtt_broker, settings=local) as push:
        broker = push.host.services[EmbeddedBroker]
        port = broker.state().port
        for host in ("127.0.0.1", "localhost", "127.0.0.2", "::1", "0x7f.1", "::ffff:127.0.0.1"):
            config = {"broker": host, "port": port, "topic": "sensor/x"}
            answer = await push.api.post(API, json=push.body(target_type="mqtt", config=config))
            assert code(answer) == (400, "BAD_REQUEST"), (host, answer.text)
        config = {"broker": "127.0.0.1", "port": port - 1, "topic": "sensor/x"}
        assert (await push.api.post(API, json=push.body(target_type="mqtt", config=config))).status_code == 200
        target = MqttTarget(lambda: broker)
        found: Delivery = await target.deliver(MqttConfig(broker="127.0.0.1", port=port, topic="t"), PAYLOAD, None)  # type: ignore[arg-type]
        assert (found.ok, found.retry) == (False, False)
