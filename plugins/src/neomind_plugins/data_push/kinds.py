"""The types of targets that plugins contribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from neomind_sdk import BadRequest, Logger, Platform, PushTargetType, Status
from neomind_sdk.schema import json_schema

from .records import Target

Schema = Mapping[str, Any]


class Unusable(LookupError):
    """The target cannot be served at the moment; says why in one sentence."""


class Kinds:
    """Types come and go with the plugins that contribute them, so they are asked for each time.

    One whose configuration is no attrs class, or has fields of types that nobody knows, counts as not there.
    """

    def __init__(self, platform: Platform, log: Logger) -> None:
        self._platform = platform
        self._log = log
        self._schemas: dict[type[Any], Schema | None] = {}

    def all(self) -> Sequence[tuple[str, PushTargetType]]:
        """``(plugin, type)``, by the type's name."""
        found = self._platform.contributions("push_targets")
        return sorted((item for item in found if self.schema(item[1]) is not None), key=lambda item: item[1].name)

    def find(self, name: str) -> tuple[str, PushTargetType] | None:
        return next((item for item in self.all() if item[1].name == name), None)

    def get(self, name: str) -> tuple[str, PushTargetType]:
        """Raises ``BadRequest`` for a type that nobody provides."""
        found = self.find(name)
        if found is None:
            known = ", ".join(kind.name for _, kind in self.all()) or "none"
            raise BadRequest(f"target_type: there is no type '{name[:100]}'; installed are: {known}")
        return found

    def of_target(self, target: Target) -> PushTargetType:
        """The type of a target; raises ``Unusable`` saying what became of it."""
        found = self.find(target.target_type)
        if found is None:
            raise Unusable(self._missing(target))
        return found[1]

    def schema(self, kind: PushTargetType) -> Schema | None:
        """The JSON Schema of a type's configuration; ``None`` when there can be none."""
        cls = kind.config
        if cls not in self._schemas:
            self._schemas[cls] = self._made(kind)
        return self._schemas[cls]

    def _made(self, kind: PushTargetType) -> Schema | None:
        try:
            if not attrs.has(kind.config):
                raise TypeError("the configuration is no attrs class")
            return json_schema(kind.config)
        except Exception as error:  # the class is somebody else's
            self._log.error("push_target_type_unusable", target_type=kind.name, reason=f"{type(error).__name__}")
            return None

    def _missing(self, target: Target) -> str:
        kind, plugin = target.target_type, target.plugin
        info = next((info for info in self._platform.plugins() if info.name == plugin), None)
        if info is None:
            return f"the target type '{kind}' is not installed; the plugin '{plugin}' provided it"
        if info.status is Status.ENABLED:
            return f"the plugin '{plugin}' does not provide a usable target type '{kind}' any more"
        return f"the plugin '{plugin}' with the target type '{kind}' is {info.status.value}: {info.reason}"
