"""Devices that nobody registered: what they send is kept, a type is derived from it, and somebody approves them."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="drafts",
    summary="Keeps what unknown devices send, derives a type from it, and registers them when somebody approves.",
    requires=("storage", "devices"),
)
