"""Messages for people, and the channels that carry them out of the house."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="messages",
    summary="Keeps messages for people, and delivers them through channels.",
    requires=("storage", "outbox"),
)
