"""What a plugin provides for others to ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from .context import PluginContext


@attrs.frozen(kw_only=True)
class Service:
    """An object under a key that others ask for.

    ``key``      a Protocol of the contracts, or a class of the plugin's own for its own use
    ``build``    called once when the plugin starts (after what it requires): ``build(ctx) -> object``; no I/O
    ``private``  only the plugin itself finds it: several plugins may each have one under the same key
    """

    key: type[Any]
    build: Callable[[PluginContext], Any]
    private: bool = False

    @property
    def name(self) -> str:
        return f"{self.key.__module__}.{self.key.__qualname__}"
