"""How one plugin answers another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from .errors import Unavailable
from .plugin import PluginInfo

T = TypeVar("T")


class ServiceMissing(Unavailable):
    """Nobody (any more) provides the service: 503 in a request."""


class Services(Protocol):
    """The registry as one plugin sees it: what it requires, what it names in ``after``, the core's, and its own."""

    def __getitem__(self, key: type[T]) -> T:
        """The service; raises ``ServiceMissing`` when nobody provides it."""
        ...

    def find(self, key: type[T]) -> T | None:
        """The service, or ``None`` when nobody provides it."""
        ...


@runtime_checkable
class Platform(Protocol):
    """The host as a service, for plugins that show or steer it (``extension_admin``, ``system``)."""

    version: str
    started_ms: int
    safe_mode: str | None
    """Why only first-party plugins were started, or ``None``."""

    def plugins(self) -> Sequence[PluginInfo]:
        """Every known plugin with its status and reason, sorted by name."""
        ...

    def contributions(self, kind: str) -> Sequence[tuple[str, Any]]:
        """``(plugin name, object)`` of every enabled contribution of a kind: ``channels``, ``commands`` …"""
        ...

    async def discover(self) -> Sequence[PluginInfo]:
        """Rescan entry points and the extensions directory, start what is new; returns the records that are new."""
        ...

    def extensions_dir(self) -> str:
        """The directory of single-file plugins in the data directory."""
        ...

    def server_address(self) -> tuple[str, int]:
        """The host and port that the server is bound to."""
        ...

    def listener_stats(self) -> Mapping[str, Mapping[str, int]]:
        """Per listener: ``queued``, ``handled``, ``dropped``, ``errors``."""
        ...
