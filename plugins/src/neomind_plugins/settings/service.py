"""The settings that people changed: kept in the database, put into force when the platform starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from neomind_sdk import Database, Logger, SettingsRegistry, SettingsSection, ValidationFailed, fields
from neomind_sdk.turns import Turns

from . import tables
from .errors import SectionNotFound

MASK = "***"


class KeptSettings:
    """Shows and changes the editable sections of all plugins."""

    def __init__(self, registry: SettingsRegistry, db: Database, log: Logger) -> None:
        self._registry = registry
        self._db = db
        self._log = log
        self._turns = Turns()
        self._stored: dict[str, dict[str, Any]] = {}
        self._applied: dict[str, SettingsSection] = {}

    async def load(self) -> None:
        """Read what is stored and put it into force."""
        for name, text in (await self._db.read(tables.load)).items():
            self._stored[name] = self._read(name, text)
        self.apply()

    async def close(self) -> None:
        """Wait for the changes that were begun."""
        await self._turns.close()

    def apply(self) -> None:
        """Put stored values into force in the sections that came since the last call."""
        for name, section in self._editable().items():
            if self._applied.get(name) is not section:
                self._applied[name] = section
                self._restore(name, self._stored.get(name, {}))

    def all(self) -> dict[str, dict[str, Any]]:
        """The values of all editable sections by name, secrets masked."""
        return {name: self.values(name) for name in self._editable()}

    def values(self, name: str) -> dict[str, Any]:
        """The values of one section, secrets masked; raises ``SectionNotFound``."""
        self._require(name)
        return attrs.asdict(self._registry.current(name), value_serializer=_masked)

    async def change(self, name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change some fields for good and return all of them, as ``values`` does.

        A secret that is the mask stays as it is. Raises ``SectionNotFound``, ``ValidationFailed`` and the storage's
        errors; then nothing has changed.
        """
        await self._turns.run(lambda: self._change(name, changes))
        return self.values(name)

    async def _change(self, name: str, changes: Mapping[str, Any]) -> None:
        secrets = _secrets(self._require(name).cls)
        wanted = {key: value for key, value in changes.items() if not (key in secrets and value == MASK)}
        value = self._registry.merged(name, wanted)
        kept = {**self._stored.get(name, {}), **wanted}
        text = json.dumps(kept)
        await self._db.write(lambda: tables.save(name, text))
        self._stored[name] = kept
        self._registry.replace(name, value)

    def _editable(self) -> dict[str, SettingsSection]:
        return {section.name: section for section in self._registry.sections() if section.editable}

    def _require(self, name: str) -> SettingsSection:
        section = self._editable().get(name)
        if section is None:
            raise SectionNotFound(name)
        return section

    def _read(self, name: str, text: str) -> dict[str, Any]:
        """A row that cannot be read costs its own section, not all of them."""
        try:
            return dict(json.loads(text))
        except (ValueError, TypeError):
            self._log.warning("stored_settings_unreadable", section=name)
            return {}

    def _restore(self, name: str, stored: dict[str, Any]) -> None:
        """A newer version may refuse what an older one stored: then what still fits holds, the rest is left out."""
        if stored and self._hold(name, stored):
            for key, value in stored.items():
                problem = self._hold(name, {key: value})
                if problem:
                    self._log.warning("stored_setting_refused", section=name, reason=problem)

    def _hold(self, name: str, changes: dict[str, Any]) -> str | None:
        """Make ``changes`` hold, without storing them; returns why they cannot."""
        try:
            self._registry.replace(name, self._registry.merged(name, changes))
        except ValidationFailed as error:
            return error.message
        return None


def _secrets(cls: type[Any]) -> set[str]:
    return {field.name for field in attrs.fields(cls) if _is_secret(field)}


def _is_secret(field: attrs.Attribute[Any]) -> bool:
    return bool(field.metadata.get(fields.META, {}).get("secret"))


def _masked(_owner: Any, field: attrs.Attribute[Any] | None, value: Any) -> Any:
    return MASK if field is not None and value and _is_secret(field) else value
