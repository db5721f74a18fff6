"""What happens, as it happens: events over WebSockets and server-sent events."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(
    name="realtime",
    summary="Streams events to browsers and programs as they happen, over WebSockets and server-sent events.",
)
