"""Devices that post their readings over HTTP."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="transport_webhook",
    summary="Takes readings that devices post over HTTP: JSON, text, forms and images.",
    requires=("devices", "telemetry"),
)
