"""Status, subscriptions, and what the rest of the platform is told."""

from __future__ import annotations

import asyncio

import pytest

from neomind_plugins.mqtt_broker import plugin as mqtt_broker
from neomind_plugins.system import plugin as system
from neomind_plugins.transport_mqtt.acks import Ack, read_ack
from neomind_sdk import Device, DeviceDirectory, EmbeddedBroker

from .clients import device, eventually
from .hosts import TOPIC, linked, platform, stored, values


async def data(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def status(host):
    return (await data(await host.client().get("/api/mqtt/status")))["status"]


async def test_the_state_of_the_embedded_broker():
    async with platform(mqtt_broker, system) as host:
        await linked(host)
        port = host.services[EmbeddedBroker].state().port
        with device(port):
            found = await status(host)
        assert found["connected"]
        assert (found["listen_address"], found["listen_port"]) == (f"127.0.0.1:{port}", port)
        assert (found["clients_count"], found["devices_count"], found["subscriptions_count"]) == (1, 1, 1)
        assert found["last_error"] is None
        info = (await data(await host.client().get("/api/system/info")))["mqtt"]
        assert (info["connected"], info["port"], info["anonymous"]) == (True, port, True)
        warnings = (await data(await host.client().get("/api/system/info")))["warnings"]
        assert any("MQTT devices need no credential" in warning for warning in warnings)


async def test_without_any_broker():
    async with platform() as host:
        found = await status(host)
        assert (found["connected"], found["listen_port"], found["clients_count"]) == (False, None, None)


async def test_external_brokers_are_told_of(mosquitto):
    async with platform(port=mosquitto.port) as host:
        found = await status(host)
        assert found["connected"]
        (one,) = found["external_brokers"]
        assert (one["id"], one["connected"], one["last_error"]) == ("site", True, None)


async def test_devices_with_topics_of_their_own_are_subscribed_to(mosquitto):
    async with platform(port=mosquitto.port) as host:
        directory = host.services[DeviceDirectory]
        config = {"telemetry_topic": "plant/boiler"}
        await directory.register(
            Device(device_id="boiler", name="Boiler", device_type="room", connection_config=config)
        )
        found = await eventually_subscribed(host, "plant/boiler")
        assert found["device_id"] == "boiler"
        with device(mosquitto.port) as one:
            await asyncio.to_thread(one.publish, "plant/boiler", "60")
        await stored(host, [60], "device:boiler:temperature")
        await directory.remove("boiler")
        await eventually_subscribed(host, "plant/boiler", there=False)


async def subscriptions(host):
    return {
        one["topic"]: one for one in (await data(await host.client().get("/api/mqtt/subscriptions")))["subscriptions"]
    }


async def eventually_subscribed(host, topic, *, there=True):
    for _ in range(500):
        found = await subscriptions(host)
        if (topic in found) is there:
            return found.get(topic)
        await asyncio.sleep(0.01)
    raise AssertionError(f"{topic}: {found}")


async def test_subscribing_and_unsubscribing(mosquitto):
    async with platform(port=mosquitto.port) as host:
        client = host.client()
        answer = await data(await client.post("/api/mqtt/subscribe", json={"topic": "plant/+", "qos": 2}))
        assert (answer["success"], answer["topic"], answer["qos"]) == (True, "plant/+", 1)
        assert "plant/+" in await subscriptions(host)
        answer = await data(await client.post("/api/mqtt/unsubscribe", json={"topic": "plant/+"}))
        assert answer["success"]
        assert "plant/+" not in await subscriptions(host)
        answer = await data(await client.post("/api/mqtt/unsubscribe", json={"topic": "plant/+"}))
        assert not answer["success"]


@pytest.mark.parametrize(("topic", "status"), [("a/#/b", 200), ("", 422), ("x" * 201, 422)])
async def test_topics_that_cannot_be(topic, status):
    async with platform() as host:
        answer = await host.client().post("/api/mqtt/subscribe", json={"topic": topic})
        assert answer.status_code == status
        assert status != 200 or not answer.json()["data"]["success"]


async def test_a_device_that_is_muted_is_not_taken(mosquitto):
    async with platform(port=mosquitto.port) as host:
        client = host.client()
        await data(await client.post("/api/mqtt/unsubscribe/kitchen"))
        with device(mosquitto.port) as kitchen:
            await asyncio.to_thread(kitchen.publish, TOPIC, "1")
            counts = (await linked(host, "external-site")).intake.counts
            await eventually(lambda: counts["ignored"] == 1)
            await data(await client.post("/api/mqtt/subscribe/kitchen"))
            await asyncio.to_thread(kitchen.publish, TOPIC, "2")
            await stored(host, [2])
        assert await values(host) == [2]


async def test_devices_that_cannot_be_subscribed_to():
    async with platform() as host:
        directory = host.services[DeviceDirectory]
        await directory.register(Device(device_id="poster", name="Poster", device_type="room", adapter_type="webhook"))
        client = host.client()
        assert (await client.post("/api/mqtt/subscribe/nobody")).status_code == 404
        assert (await client.post("/api/mqtt/subscribe/poster")).status_code == 400


async def test_who_may_read_and_who_may_change():
    async with platform() as host:
        viewer = host.client("viewer")
        assert (await viewer.get("/api/mqtt/status")).status_code == 200
        assert (await viewer.post("/api/mqtt/subscribe", json={"topic": "a"})).status_code == 403
        assert (await host.client(None).get("/api/mqtt/status")).status_code == 401


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, Ack()),
        ({"command_id": "c1", "success": True, "result": {"t": 1}}, Ack(command_id="c1", result={"t": 1})),
        ({"request_id": "r1", "success": False, "error": "stuck"}, Ack(command_id="r1", success=False, error="stuck")),
        ({"status": "FAILED"}, Ack(success=False)),
        ({"status": "ok"}, Ack()),
        ({"error": "x"}, Ack(success=False, error="x")),
        ({"command_id": 7}, Ack(command_id="7")),
        ("done", Ack(result="done")),
        (b"", Ack()),
    ],
)
def test_what_devices_say_of_commands(said, expected):
    assert read_ack(said) == expected
