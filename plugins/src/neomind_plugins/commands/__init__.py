"""What devices are told to do: checked, kept, handed over in order, and followed to its end."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="commands",
    summary="Checks and keeps commands for devices, hands them to transports, and follows what becomes of them.",
    requires=("storage", "devices"),
    after=("telemetry", "extension_admin"),
)
