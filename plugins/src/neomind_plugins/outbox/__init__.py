"""Everything that leaves the house: durable deliveries, one lane per target."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="outbox",
    summary="Keeps what is to be sent until it is delivered, one lane per target, across restarts.",
    requires=("storage",),
)
