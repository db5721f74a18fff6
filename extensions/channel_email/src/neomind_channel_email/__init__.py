"""A channel that sends messages by email (SMTP): metadata only, the channel is in ``hooks.py``."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(name="channel_email", summary="A channel that sends messages by email (SMTP)")
