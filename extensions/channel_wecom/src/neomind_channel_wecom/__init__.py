"""A channel that sends messages to a WeCom group robot: metadata only, the channel is in ``hooks.py``."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(name="channel_wecom", summary="A channel that sends messages to a WeCom group robot")
