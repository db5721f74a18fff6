"""The MQTT broker that comes with the platform, as a supervised process of its own."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="mqtt_broker",
    summary="Runs an MQTT broker that devices connect to, and keeps its credentials and certificates.",
    requires=("storage",),
)
