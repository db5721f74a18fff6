"""What is acknowledged, and when; what comes twice; what the storage does not take."""

from __future__ import annotations

import asyncio
import json

import pytest

from neomind_plugins.transport_mqtt import intake, link
from neomind_plugins.transport_mqtt.packets import DUP, QOS1, Message
from neomind_plugins.transport_mqtt.seen import Seen, digest_of
from neomind_plugins.transport_mqtt.service import Links
from neomind_sdk import MetricsStored, NotFound, StorageBusy, StorageFull, TelemetryStore

from .clients import eventually
from .hosts import ADAPTER, TOPIC, linked, stored, values

SHORT_S = 0.2


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(link, "RECONNECT_FIRST_S", 0.01)
    monkeypatch.setattr(intake, "RETRY_FIRST_S", 0.01)


def counts(host):
    return host.services[Links].find(ADAPTER).intake.counts


@pytest.mark.parametrize("error", [StorageBusy("full"), StorageFull()])
async def test_what_the_storage_does_not_take_is_tried_again_and_not_acknowledged(host, broker, monkeypatch, error):
    store = host.services[TelemetryStore]
    append, tries = store.append, []

    async def busy(points):
        tries.append(points)
        if len(tries) < 4:
            raise error
        await append(points)

    monkeypatch.setattr(store, "append", busy)
    packet_id = broker.send(TOPIC, b"1")
    await eventually(lambda: len(tries) == 2)
    assert broker.connection.acked == []
    assert await broker.acked(packet_id)
    assert await values(host) == [1]


async def test_while_the_storage_takes_nothing_the_socket_is_not_read(host, broker, monkeypatch):
    monkeypatch.setattr(link, "HIGH_MESSAGES", 10)
    monkeypatch.setattr(link, "LOW_MESSAGES", 5)
    store, open_again = host.services[TelemetryStore], asyncio.Event()
    append = store.append

    async def slow(points):
        await open_again.wait()
        await append(points)

    monkeypatch.setattr(store, "append", slow)
    for number in range(30):
        broker.send(TOPIC, str(number).encode())
        await asyncio.sleep(0)
    await eventually(lambda: broker.connection.paused)
    open_again.set()
    await stored(host, list(range(30)))
    await eventually(lambda: len(broker.connection.acked) == 30)
    assert not broker.connection.paused
    assert broker.connection.acked == sorted(broker.connection.acked)


async def test_a_burst_is_one_batch(host, broker):
    messages = [Message(TOPIC.encode(), str(number).encode(), QOS1, number + 1) for number in range(300)]
    broker.connection.received(messages)
    await stored(host, list(range(300)))
    assert len(host.events.of(MetricsStored)) == 1


async def test_one_that_is_refused_for_itself_does_not_hold_up_the_others(host, broker, monkeypatch):
    store, append = host.services[TelemetryStore], None
    append = store.append

    async def picky(points):
        if any(point.value == 7 for point in points):
            raise NotFound("DEVICE", "kitchen")
        await append(points)

    monkeypatch.setattr(store, "append", picky)
    messages = [Message(TOPIC.encode(), str(number).encode(), QOS1, number + 1) for number in range(20)]
    broker.connection.received(messages)
    await stored(host, [number for number in range(20) if number != 7])
    await eventually(lambda: broker.connection.acked == list(range(1, 21)))
    assert counts(host)["refused"] == 1


async def test_what_the_broker_sends_again_is_stored_once(host, broker):
    packet_id = broker.send(TOPIC, b"1")
    assert await broker.acked(packet_id)
    broker.cut()
    await broker.connected.wait()
    broker.send(TOPIC, b"1", packet_id=packet_id, dup=True)
    assert await broker.acked(packet_id)
    assert await values(host) == [1]
    assert counts(host)["duplicates"] == 1


@pytest.mark.parametrize(
    ("packet_id", "payload", "dup"), [(1, b"2", True), (1, b"1", False), (2, b"1", True)], ids=["other", "new", "id"]
)
async def test_what_only_looks_like_it_is_stored(host, broker, packet_id, payload, dup):
    assert await broker.acked(broker.send(TOPIC, b"1", packet_id=1))
    broker.connection.acked.clear()
    broker.send(TOPIC, payload, packet_id=packet_id, dup=dup)
    assert await broker.acked(packet_id)
    assert len(await values(host)) == 2


async def test_a_new_session_has_packet_ids_of_its_own(host, broker):
    assert await broker.acked(broker.send(TOPIC, b"1", packet_id=1))
    broker.keeps_sessions = False
    broker.cut()
    await broker.connected.wait()
    await linked(host, ADAPTER)
    broker.send(TOPIC, b"1", packet_id=1, dup=True)
    assert await broker.acked(1)
    assert await values(host) == [1, 1]


@pytest.mark.parametrize("committed", [True, False])
async def test_after_a_kill_the_storage_says_whether_it_was_stored(host, broker, tmp_path, committed):
    """As ``kill -9`` leaves it: begun, and neither marked as stored nor acknowledged."""
    message = Message(TOPIC.encode(), b"5", QOS1 | DUP, 9)
    seen = host.services[Links].find(ADAPTER)._parts.seen
    seen.begin(9, digest_of(message), 1_000_000)
    if committed:
        from neomind_sdk import Point

        await host.services[TelemetryStore].append([Point("device:kitchen:temperature", 1_000_000, 5)])
    broker.connection.received([message])
    assert await broker.acked(9)
    assert await values(host) == [5]


async def test_acknowledgements_of_a_connection_that_is_gone_are_not_sent_on_the_next(host, broker, monkeypatch):
    store, open_again = host.services[TelemetryStore], asyncio.Event()
    append = store.append

    async def slow(points):
        await open_again.wait()
        await append(points)

    monkeypatch.setattr(store, "append", slow)
    packet_id = broker.send(TOPIC, b"1")
    await asyncio.sleep(0.02)
    broker.cut()
    await broker.connected.wait()
    await linked(host, ADAPTER)
    open_again.set()
    await stored(host, [1])
    assert not await broker.acked(packet_id, SHORT_S)
    broker.send(TOPIC, b"1", packet_id=packet_id, dup=True)
    assert await broker.acked(packet_id)
    assert await values(host) == [1]


async def test_retained_messages_that_come_with_every_subscription_are_stored_once(host, broker):
    for _ in range(2):
        assert await broker.acked(broker.send(TOPIC, b"1", retain=True))
    assert await broker.acked(broker.send(TOPIC, b"2", retain=True))
    assert await values(host) == [1, 2]


async def test_unknown_devices_without_drafts_are_acknowledged_and_dropped(host, broker):
    assert await broker.acked(broker.send("device/x/new/uplink", b"1"))
    assert await host.services[TelemetryStore].series("device:new") == []


async def test_a_message_that_was_too_large_is_acknowledged(host, broker):
    broker.connection.received([Message(TOPIC.encode(), None, QOS1, 3)])
    assert await broker.acked(3)
    assert counts(host)["ignored"] == 1


async def test_an_empty_message_is_a_sign_of_life(host, broker):
    assert await broker.acked(broker.send(TOPIC, b""))
    assert await values(host) == []
    from neomind_sdk import DeviceDirectory

    assert host.services[DeviceDirectory].status("kitchen") == "online"


async def test_presence_of_a_broker_that_tells_it(host, broker):
    from neomind_sdk import DeviceTransportOffline, DeviceTransportOnline

    for client, word in (("kitchen", "connected"), ("neomind-x", "connected"), ("kitchen", "disconnected")):
        broker.send(f"$SYS/brokers/emqx@127.0.0.1/clients/{client}/{word}", json.dumps({"clientid": client}).encode())
    await eventually(lambda: host.events.of(DeviceTransportOffline))
    assert [event.device_id for event in host.events.of(DeviceTransportOnline)] == ["kitchen"]


def test_marks_outlive_the_process(tmp_path):
    first = Seen(tmp_path / "one.seen")
    first.begin(65_535, 7, 1_700_000_000_000)
    first.finish([65_535])
    first.begin(3, 8, 5)
    first.close()
    second = Seen(tmp_path / "one.seen")
    assert second.find(65_535, 7) == (1_700_000_000_000, True)
    assert second.find(3, 8) == (5, False)
    assert (second.find(3, 9), second.find(4, 8)) == (None, None)
    second.forget()
    assert second.find(65_535, 7) is None
    second.close()
