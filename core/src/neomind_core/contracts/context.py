"""What every hook is called with."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .clock import Clock
from .egress import Egress
from .plugin import PluginInfo

if TYPE_CHECKING:
    from .events import EventBus
    from .services import Services
    from .settings import SettingsView


class Logger(Protocol):
    """Structured logging: ``ctx.log.info("device_created", device_id=…)``. Secrets are redacted by field name."""

    def debug(self, event: str, **fields: Any) -> Any: ...
    def info(self, event: str, **fields: Any) -> Any: ...
    def warning(self, event: str, **fields: Any) -> Any: ...
    def error(self, event: str, **fields: Any) -> Any: ...
    def exception(self, event: str, **fields: Any) -> Any: ...


class PluginContext(Protocol):
    """One per plugin, the same object in every hook of that plugin.

    ``settings``  ``ctx.settings[MySettings]``: the section's current value; always ask again, never keep it
    ``services``  ``ctx.services[DeviceDirectory]``: usable from the plugin's own start on, not while assembling
    ``data_dir``  the platform's data directory; a plugin keeps its files in ``data_dir / plugin.name``
    ``version``   of the platform
    """

    @property
    def plugin(self) -> PluginInfo: ...

    @property
    def settings(self) -> SettingsView: ...

    @property
    def services(self) -> Services: ...

    @property
    def bus(self) -> EventBus: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def log(self) -> Logger: ...

    @property
    def egress(self) -> Egress: ...

    @property
    def data_dir(self) -> Path: ...

    @property
    def version(self) -> str: ...

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Run ``work`` in the background until the plugin stops; if it raises, the plugin is ``failed_at_run``."""
        ...
