"""Devices and what they are: types, devices, their status and current values."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="devices",
    summary="Keeps device types and devices, knows which are online, and shows their current values.",
    requires=("storage",),
)
