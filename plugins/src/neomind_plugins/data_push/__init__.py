"""Pushing data on: samples to webhooks and MQTT brokers."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="data_push",
    summary="Pushes samples on to webhooks and MQTT brokers, as they come or at intervals.",
    requires=("storage", "outbox"),
    after=("settings", "scheduler", "devices", "telemetry", "mqtt_broker"),
)
