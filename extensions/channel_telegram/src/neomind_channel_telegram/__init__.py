"""A channel that sends messages through a Telegram bot: metadata only, the channel is in ``hooks.py``."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(name="channel_telegram", summary="A channel that sends messages through a Telegram bot")
