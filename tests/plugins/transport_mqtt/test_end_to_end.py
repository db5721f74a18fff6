"""From a device's publish to its history, through real brokers."""

from __future__ import annotations

import asyncio
import json

import pytest

from neomind_plugins.commands import plugin as commands
from neomind_plugins.mqtt_broker import authority, certificates
from neomind_plugins.mqtt_broker import plugin as mqtt_broker
from neomind_plugins.storage_sqlite import plugin as sqlite
from neomind_plugins.transport_mqtt.service import Links
from neomind_sdk import (
    CommandDef,
    Device,
    DeviceCommands,
    DeviceDirectory,
    DeviceType,
    Downlink,
    EmbeddedBroker,
    MetricsStored,
)

from .clients import device, eventually
from .hosts import TOPIC, add_broker, linked, platform, stored


async def test_the_embedded_broker(tmp_path):
    async with platform(mqtt_broker, data_dir=tmp_path) as host:
        await linked(host)
        port = host.services[EmbeddedBroker].state().port
        with device(port, "kitchen-client") as kitchen:
            for number in range(3):
                await asyncio.to_thread(kitchen.publish, TOPIC, f'{{"temperature": {number}}}')
            await stored(host, [0, 1, 2])
        assert {event.source for event in host.events.of(MetricsStored)} == {"adapter:mqtt:kitchen"}


async def test_another_broker(mosquitto):
    async with platform(port=mosquitto.port) as host:
        with device(mosquitto.port) as kitchen:
            await asyncio.to_thread(kitchen.publish, TOPIC, '{"data": {"temperature": 21.5}}')
            await stored(host, [21.5])


async def test_what_came_while_the_platform_was_away_is_stored_when_it_is_back(mosquitto, tmp_path):
    async with platform(sqlite, port=mosquitto.port, data_dir=tmp_path) as host:
        with device(mosquitto.port) as kitchen:
            await asyncio.to_thread(kitchen.publish, TOPIC, "1")
            await stored(host, [1])
    with device(mosquitto.port) as kitchen:
        await asyncio.to_thread(kitchen.publish, TOPIC, "2")
    async with platform(sqlite, data_dir=tmp_path) as host:
        await stored(host, [1, 2])


async def test_the_session_of_a_broker_that_is_removed_is_ended(mosquitto):
    async with platform(port=mosquitto.port) as host:
        assert (await host.client().delete("/api/brokers/site")).status_code == 200
        with device(mosquitto.port) as kitchen:
            await asyncio.to_thread(kitchen.publish, TOPIC, "1")
        answer = await add_broker(host, mosquitto.port)
        assert answer.status_code == 200
        await linked(host, "external-site")
        with device(mosquitto.port) as kitchen:
            await asyncio.to_thread(kitchen.publish, TOPIC, "2")
        await stored(host, [2])


async def test_a_retained_message_is_stored_and_is_no_sign_of_life(mosquitto):
    with device(mosquitto.port) as kitchen:
        await asyncio.to_thread(kitchen.publish, TOPIC, "1", retain=True)
    async with platform(port=mosquitto.port) as host:
        await stored(host, [1])
        assert host.services[DeviceDirectory].status("kitchen") == "disconnected"


async def test_text_and_bytes_that_are_no_json_are_values_too(mosquitto):
    async with platform(port=mosquitto.port) as host:
        with device(mosquitto.port) as kitchen:
            for payload in (b"ON", b"21.5", b"{broken", b"\xff\x00"):
                await asyncio.to_thread(kitchen.publish, TOPIC, payload)
        await stored(host, ["ON", 21.5, "{broken", "/wA="])


async def test_commands_go_to_the_topic_of_the_device(mosquitto):
    async with platform(port=mosquitto.port) as host:
        (_, transport), *_ = host.host.contributions("transports")
        with device(mosquitto.port) as kitchen:
            await asyncio.to_thread(kitchen.listen, "#")
            one = host.services[DeviceDirectory].get("kitchen")
            await transport.send(Downlink(device=one, command_id="c1", command="blink", payload=b'{"times": 2}'))
            await eventually(lambda: kitchen.received == [("device/room/kitchen/downlink", b'{"times": 2}')])


async def test_a_command_without_a_broker_says_why():
    async with platform() as host:
        (_, transport), *_ = host.host.contributions("transports")
        one = host.services[DeviceDirectory].get("kitchen")
        with pytest.raises(ConnectionError, match="no MQTT broker serves device 'kitchen'"):
            await transport.send(Downlink(device=one, command_id="c1", command="blink", payload=b""))


async def test_a_device_says_what_became_of_a_command(mosquitto):
    async with platform(commands, port=mosquitto.port) as host:
        directory, given = host.services[DeviceDirectory], host.services[DeviceCommands]
        blink = CommandDef(name="blink", payload_template='{"id": "${request_id}"}')
        await directory.register_type(DeviceType(device_type="lamp", name="Lamp", commands=(blink,)))
        config = {"require_ack": True}
        await directory.register(Device(device_id="lamp1", name="Lamp", device_type="lamp", connection_config=config))
        with device(mosquitto.port) as lamp:
            await asyncio.to_thread(lamp.listen, "device/lamp/lamp1/downlink")
            record = await given.send("lamp1", "blink", {})
            (_, payload) = await eventually(lambda: lamp.received and lamp.received[0])
            said = {"request_id": json.loads(payload)["id"], "success": True, "result": 3}
            await asyncio.to_thread(lamp.publish, "device/lamp/lamp1/ack", json.dumps(said))
            for _ in range(500):
                (record,) = await given.history("lamp1")
                if record.state == "succeeded":
                    break
                await asyncio.sleep(0.01)
        assert (record.state, record.result) == ("succeeded", 3)


class TestTls:
    """A broker whose certificate is by a CA of its own."""

    @pytest.fixture
    def mosquitto_settings(self, tmp_path):
        self.files = certificates.Files(tmp_path / "tls")
        certificates.write(self.files, authority.generate())
        files = (f"cafile {self.files.ca}", f"certfile {self.files.cert}", f"keyfile {self.files.key}")
        return (*files, "allow_anonymous true")

    async def test_it_is_checked(self, mosquitto):
        async with platform() as host:
            answer = await add_broker(host, mosquitto.port, tls=True, broker="localhost")
            assert "security_warnings" in answer.json()["data"]
            link = host.services[Links].find("external-site")
            await eventually(lambda: "certificate" in link.last_error.lower())
            body = {"name": "Site", "broker": "localhost", "port": mosquitto.port, "tls": True}
            own = self.files.ca.read_text()
            answer = await host.client().put("/api/brokers/site", json={**body, "ca_cert": own})
            assert answer.status_code == 200
            await linked(host, "external-site")
