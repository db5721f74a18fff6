"""Sections of settings: their values now, and where the values came from."""

from __future__ import annotations

from typing import Any, TypeVar

import attrs

from ..contracts import EventBus, SettingsChanged, SettingsSection, ValidationFailed
from .config import HostConfig
from .http.structure import structure, unstructure

T = TypeVar("T")


class Settings:
    """The ``SettingsRegistry``: one instance per section, replaced as a whole."""

    def __init__(self, config: HostConfig, bus: EventBus) -> None:
        self._config = config
        self._bus = bus
        self._sections: dict[str, SettingsSection] = {}
        self._owners: dict[str, str] = {}
        self._values: dict[type[Any], Any] = {}

    def add(self, plugin: str, section: SettingsSection) -> None:
        """Read a section from file and environment; raises ``ValidationFailed`` with the path at fault."""
        values, texts = self._config.section(plugin, section.name)
        value = structure(section.cls, {**values, **texts}, text=bool(texts))
        self._sections[section.name] = section
        self._owners[section.name] = plugin
        self._values[section.cls] = value

    def remove_owner(self, plugin: str) -> None:
        for name in [name for name, owner in self._owners.items() if owner == plugin]:
            del self._owners[name]
            del self._values[self._sections.pop(name).cls]

    def sections(self) -> tuple[SettingsSection, ...]:
        return tuple(self._sections[name] for name in sorted(self._sections))

    def current(self, name: str) -> Any:
        return self._values[self._sections[name].cls]

    def merged(self, name: str, changes: dict[str, Any]) -> Any:
        section = self._sections[name]
        known = {field.name for field in attrs.fields(section.cls)}
        unknown = [key for key in changes if key not in known]
        if unknown:
            raise ValidationFailed(*((key, "is not a setting of this section") for key in unknown))
        return structure(section.cls, {**unstructure(self.current(name)), **changes})

    def replace(self, name: str, value: Any) -> None:
        self._values[self._sections[name].cls] = value
        self._bus.publish(SettingsChanged(section=name))

    def value(self, cls: type[T]) -> T:
        found: T = self._values[cls]
        return found


class SettingsOf:
    """The ``SettingsView`` of one plugin."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __getitem__(self, cls: type[T]) -> T:
        return self._settings.value(cls)
