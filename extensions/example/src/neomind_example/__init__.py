"""The tutorial extension: one small example each of a channel, a component, a command and a rule action.

This file is what the platform reads first, so it has metadata only. What the plugin adds is in ``hooks.py``.
"""

from __future__ import annotations

from neomind_sdk import Plugin

plugin = Plugin(name="example", summary="A pager channel, a big number, dice, and announcements by rules")
