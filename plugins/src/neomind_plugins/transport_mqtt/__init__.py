"""Devices that speak MQTT, through the broker that comes along and through others."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="transport_mqtt",
    summary="Takes readings from MQTT brokers and sends commands through them.",
    requires=("storage", "devices", "telemetry"),
    after=("mqtt_broker", "drafts", "commands"),
)
