"""Sections of settings: their values now, and where the values came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import attrs

from ..contracts import EventBus, ServiceMissing, SettingsChanged, SettingsSection, ValidationFailed
from .config import HostConfig, spread
from .http.structure import structure, unstructure

T = TypeVar("T")


class Settings:
    """The ``SettingsRegistry``: one instance per section, replaced as a whole.

    While plugins are loaded two of them may have a section of one name; the earlier holds it until one must give way.
    """

    def __init__(self, config: HostConfig, bus: EventBus) -> None:
        self._config = config
        self._bus = bus
        self._sections: dict[tuple[str, str], SettingsSection] = {}
        self._values: dict[type[Any], Any] = {}

    def add(self, plugin: str, section: SettingsSection) -> None:
        """Read a section from file and environment; raises ``ValidationFailed`` with the path at fault."""
        values, texts = self._config.section(plugin, section.name)
        known = [field.name for field in attrs.fields(section.cls)]
        given = {**values, **spread(section.cls, texts)}
        # A table that is no field is another section of the same plugin.
        unknown = [key for key, value in given.items() if key not in known and not isinstance(value, Mapping)]
        if unknown:
            raise ValidationFailed(
                *((key, f"there is no such setting; known are {', '.join(known)}") for key in unknown)
            )
        self._values[section.cls] = structure(section.cls, given, text=bool(texts))
        self._sections[plugin, section.name] = section

    def remove_owner(self, plugin: str) -> None:
        for key in [key for key in self._sections if key[0] == plugin]:
            del self._values[self._sections.pop(key).cls]

    def sections(self) -> tuple[SettingsSection, ...]:
        return tuple(sorted(self._sections.values(), key=lambda section: section.name))

    def current(self, name: str) -> Any:
        return self._values[self._section(name).cls]

    def merged(self, name: str, changes: dict[str, Any]) -> Any:
        section = self._section(name)
        known = {field.name for field in attrs.fields(section.cls)}
        unknown = [key for key in changes if key not in known]
        if unknown:
            raise ValidationFailed(*((key, "is not a setting of this section") for key in unknown))
        return structure(section.cls, {**unstructure(self.current(name)), **changes})

    def replace(self, name: str, value: Any) -> None:
        self._values[self._section(name).cls] = value
        self._bus.publish(SettingsChanged(section=name))

    def value(self, cls: type[T]) -> T:
        """The current instance; raises ``ServiceMissing`` when no plugin that runs has such a section."""
        if cls not in self._values:
            raise ServiceMissing(f"No plugin has the settings {cls.__name__} at the moment", retry_after=5)
        found: T = self._values[cls]
        return found

    def _section(self, name: str) -> SettingsSection:
        for (_, own), section in self._sections.items():
            if own == name:
                return section
        raise KeyError(name)


class SettingsOf:
    """The ``SettingsView`` of one plugin."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __getitem__(self, cls: type[T]) -> T:
        return self._settings.value(cls)
