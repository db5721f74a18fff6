"""A channel that posts messages as JSON to any URL: metadata only, the channel is in ``hooks.py``."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(name="channel_webhook", summary="A channel that posts messages as JSON to any URL")
