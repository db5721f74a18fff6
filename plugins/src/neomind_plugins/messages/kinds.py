"""The types of channels that plugins contribute."""

from __future__ import annotations

from neomind_sdk import ChannelType, kinds

from .errors import ChannelTypeNotFound


class Kinds(kinds.Kinds[ChannelType]):
    """The types of channels; ``get`` raises ``ChannelTypeNotFound``."""

    hook, word, event = "channels", "channel type", "channel_type_unusable"

    def unknown(self, name: str) -> ChannelTypeNotFound:
        return ChannelTypeNotFound(name)
