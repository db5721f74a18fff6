"""A channel that sends messages to a DingTalk group robot: metadata only, the channel is in ``hooks.py``."""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(name="channel_dingtalk", summary="A channel that sends messages to a DingTalk group robot")
