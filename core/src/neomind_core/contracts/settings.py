"""Sections of settings: from file and environment, and, when editable, from the API."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar, runtime_checkable

import attrs

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class SettingsSection:
    """An attrs class with defaults for every field.

    The section of the configuration file is ``[plugin.<plugin name>]``, or ``[plugin.<plugin name>.<name>]`` when
    ``name`` differs from the plugin's; environment ``NEOMIND_<PLUGIN>__<FIELD>`` (``…__<NAME>__<FIELD>``). A section
    that does not fit stops this plugin only (``config_error``).

    ``editable``  shown and changed at ``/api/settings/<name>``; the stored value wins over file and environment
    """

    name: str
    cls: type[Any]
    editable: bool = False
    summary: str = ""


class SettingsView(Protocol):
    """The current values: ``ctx.settings[RetentionSettings]`` is an instance of the class."""

    def __getitem__(self, cls: type[T]) -> T: ...


@runtime_checkable
class SettingsRegistry(Protocol):
    """The core's service behind every view; the plugin ``settings`` persists what it is told to change."""

    def sections(self) -> tuple[SettingsSection, ...]:
        """All sections of enabled plugins, sorted by name."""
        ...

    def current(self, name: str) -> Any:
        """The instance that holds now; ``KeyError`` for an unknown section."""
        ...

    def merged(self, name: str, changes: dict[str, Any]) -> Any:
        """A new instance: the current one with ``changes``; raises ``ValidationFailed`` naming the field."""
        ...

    def replace(self, name: str, value: Any) -> None:
        """Make ``value`` the current instance and publish ``SettingsChanged``."""
        ...
