"""Which device a topic is of."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.transport_mqtt.routing import IGNORED, MAX_ID, Route, Router, command_topic, discovered_id
from neomind_sdk import Device

KITCHEN = Device(device_id="kitchen", name="Kitchen", device_type="room")
CUSTOM = Device(
    device_id="boiler", name="Boiler", device_type="heater", connection_config={"telemetry_topic": "plant/boiler/now"}
)
BOUND = Device(device_id="far", name="Far", device_type="room", adapter_id="external-site")
POSTING = Device(device_id="poster", name="Poster", device_type="room", adapter_type="webhook")


def router(adapter_id="internal-mqtt", muted=frozenset()):
    devices = {one.device_id: one for one in (KITCHEN, CUSTOM, BOUND, POSTING)}
    directory = SimpleNamespace(devices=lambda: list(devices.values()), get=devices.get)
    return Router(directory, adapter_id, lambda: frozenset(muted))


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("device/room/kitchen/uplink", Route("device", "kitchen")),
        ("plant/boiler/now", Route("device", "boiler")),
        ("device/heater/boiler/uplink", IGNORED),  # its own topic replaces the standard one
        ("device/other/kitchen/uplink", IGNORED),  # another type
        ("device/room/far/uplink", IGNORED),  # bound to another adapter
        ("device/room/poster/uplink", IGNORED),  # it posts
        ("device/room/kitchen/ack", Route("ack", "kitchen")),
        ("device/room/kitchen/downlink", IGNORED),
        ("device/room/new/uplink", Route("unknown", "new")),
        ("device/room/new/downlink", IGNORED),
        ("new/command/blink", IGNORED),
        ("tele/sonoff/SENSOR", Route("unknown", "sonoff")),
        ("tele/sonoff/LWT", IGNORED),
        ("tele/status/x", IGNORED),
        ("tele/kitchen/SENSOR", IGNORED),
        ("sensor/x/online", IGNORED),
        ("$SYS/broker/uptime", IGNORED),
        ("$SYS/brokers/emqx@1/clients/kitchen/connected", Route("presence", "kitchen", True)),
        ("$SYS/brokers/emqx@1/clients/kitchen/disconnected", Route("presence", "kitchen", False)),
    ],
)
def test_routes(topic, expected):
    one = router()
    assert one.find(topic.encode()) == expected
    assert one.find(topic.encode()) == expected


def test_a_device_that_is_bound_is_served_by_its_adapter():
    assert router("external-site").find(b"device/room/far/uplink") == Route("device", "far")


def test_muted_devices_are_ignored():
    assert router(muted={"kitchen"}).find(b"device/room/kitchen/uplink") == IGNORED


def test_what_we_published_is_no_news():
    one = router()
    assert one.find(b"lamp/new/set").kind == "unknown"
    one.published("lamp/new/set")
    assert one.find(b"lamp/new/set") == IGNORED


def test_topics_that_are_no_utf8_are_no_problem():
    assert router().find(b"a/\xff/b").kind == "unknown"


@given(st.text(min_size=1))
def test_proposed_ids_can_be_ids(topic):
    found = discovered_id(topic)
    assert 1 <= len(found) <= MAX_ID
    assert found.strip(".")
    assert all(char.isalnum() or char in "_.-" for char in found)
    assert found.isascii()


@pytest.mark.parametrize(
    ("topic", "expected"),
    [("device/t/a:b c/uplink", "abc"), ("sensor/x/temp", "x"), ("device/x", "x"), ("x/../y", None), ("alone", None)],
)
def test_proposed_ids(topic, expected):
    found = discovered_id(topic)
    assert found == expected or (expected is None and found.startswith("mqtt_"))


def test_where_commands_go():
    own = Device(device_id="x", name="X", device_type="t", connection_config={"command_topic": "lamp/x/set"})
    assert command_topic(own, "on") == "lamp/x/set"
    assert command_topic(KITCHEN, "on") == "device/room/kitchen/downlink"
    assert command_topic(KITCHEN, "on", type_known=False) == "kitchen/command/on"
