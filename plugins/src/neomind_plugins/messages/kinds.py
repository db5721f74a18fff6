"""The types of channels that plugins contribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from neomind_sdk import ChannelType, Logger, Platform, Status
from neomind_sdk.schema import json_schema

from .errors import ChannelTypeNotFound
from .records import Channel

Schema = Mapping[str, Any]


class Unusable(LookupError):
    """The channel cannot send at the moment; says why in one sentence."""


class Kinds:
    """Types come and go with the plugins that contribute them, so they are asked for each time.

    One whose configuration is no attrs class, or has fields of types that nobody knows, counts as not there.
    """

    def __init__(self, platform: Platform, log: Logger) -> None:
        self._platform = platform
        self._log = log
        self._schemas: dict[type[Any], Schema | None] = {}

    def all(self) -> Sequence[tuple[str, ChannelType]]:
        """``(plugin, type)``, by the type's name."""
        found = self._platform.contributions("channels")
        return sorted((item for item in found if self.schema(item[1]) is not None), key=lambda item: item[1].name)

    def find(self, name: str) -> tuple[str, ChannelType] | None:
        return next((item for item in self.all() if item[1].name == name), None)

    def get(self, name: str) -> tuple[str, ChannelType]:
        """Raises ``ChannelTypeNotFound``."""
        found = self.find(name)
        if found is None:
            raise ChannelTypeNotFound(name)
        return found

    def of_channel(self, channel: Channel) -> ChannelType:
        """The type of a channel; raises ``Unusable`` saying what became of it."""
        found = self.find(channel.channel_type)
        if found is None:
            raise Unusable(self._missing(channel))
        return found[1]

    def schema(self, kind: ChannelType) -> Schema | None:
        """The JSON Schema of a type's configuration; ``None`` when there can be none."""
        cls = kind.config
        if cls not in self._schemas:
            self._schemas[cls] = self._made(kind)
        return self._schemas[cls]

    def _made(self, kind: ChannelType) -> Schema | None:
        try:
            if not attrs.has(kind.config):
                raise TypeError("the configuration is no attrs class")
            return json_schema(kind.config)
        except Exception as error:  # the class is somebody else's
            self._log.error("channel_type_unusable", channel_type=kind.name, reason=f"{type(error).__name__}: {error}")
            return None

    def _missing(self, channel: Channel) -> str:
        kind, plugin = channel.channel_type, channel.plugin
        info = next((info for info in self._platform.plugins() if info.name == plugin), None)
        if info is None:
            return f"the channel type '{kind}' is not installed; the plugin '{plugin}' provided it"
        if info.status is Status.ENABLED:
            return f"the plugin '{plugin}' does not provide a usable channel type '{kind}' any more"
        return f"the plugin '{plugin}' with the channel type '{kind}' is {info.status.value}: {info.reason}"
