"""The types of backends that plugins contribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from neomind_sdk import Capabilities, LLMBackendType, Logger, Platform, Status, llm_names
from neomind_sdk.schema import json_schema

from .errors import TypeNotFound, UnknownType, Unusable
from .records import Backend
from .talents import sound

Schema = Mapping[str, Any]
NEEDED = frozenset({"endpoint", "model"})


class Kinds:
    """Types come and go with the plugins that contribute them, so they are asked for each time.

    One whose configuration is no attrs class, lacks ``endpoint`` or ``model``, or has fields of types that nobody
    knows, counts as not there.
    """

    def __init__(self, platform: Platform, log: Logger) -> None:
        self._platform = platform
        self._log = log
        self._schemas: dict[type[Any], Schema | None] = {}

    def all(self) -> Sequence[tuple[str, LLMBackendType]]:
        """``(plugin, type)``, by the type's name."""
        found = self._platform.contributions("llm_backends")
        return sorted((item for item in found if self.schema(item[1]) is not None), key=lambda item: item[1].name)

    def find(self, name: str) -> tuple[str, LLMBackendType] | None:
        return next((item for item in self.all() if item[1].name == name), None)

    def get(self, name: str) -> LLMBackendType:
        """Raises ``TypeNotFound``."""
        found = self.find(name)
        if found is None:
            raise TypeNotFound(name)
        return found[1]

    def wanted(self, name: str) -> tuple[str, LLMBackendType]:
        """``(plugin, type)``; raises ``UnknownType``."""
        found = self.find(name)
        if found is None:
            raise UnknownType(name, ", ".join(kind.name for _, kind in self.all()))
        return found

    def of_backend(self, backend: Backend) -> LLMBackendType:
        """The type of a backend; raises ``Unusable`` saying what became of it."""
        found = self.find(backend.backend_type)
        if found is None:
            raise Unusable(self._missing(backend))
        return found[1]

    def guess(self, backend_type: str, model: str) -> Capabilities:
        """What is to be supposed of a model by its name: the type knows best, if it has an opinion."""
        found = self.find(backend_type)
        own = getattr(found[1], "guess", None) if found else None
        try:
            guessed = sound(own(model)) if own is not None else llm_names.capabilities(model)
        except Exception as error:  # it is somebody else's code
            self._log.warning("llm_type_cannot_guess", backend_type=backend_type, reason=type(error).__name__)
            guessed = llm_names.capabilities(model)
        return llm_names.capabilities(model) if guessed.source == "default" else guessed

    def schema(self, kind: LLMBackendType) -> Schema | None:
        """The JSON Schema of a type's configuration; ``None`` when there can be none."""
        cls = kind.config
        if cls not in self._schemas:
            self._schemas[cls] = self._made(kind)
        return self._schemas[cls]

    def _made(self, kind: LLMBackendType) -> Schema | None:
        try:
            if not attrs.has(kind.config):
                raise TypeError("the configuration is no attrs class")
            missing = NEEDED - {field.name for field in attrs.fields(kind.config)}
            if missing:
                raise TypeError(f"the configuration has no field {' and '.join(sorted(missing))}")
            return json_schema(kind.config)
        except Exception as error:  # the class is somebody else's
            self._log.error("llm_type_unusable", backend_type=kind.name, reason=f"{type(error).__name__}: {error}")
            return None

    def _missing(self, backend: Backend) -> str:
        kind, plugin = backend.backend_type, backend.plugin
        info = next((info for info in self._platform.plugins() if info.name == plugin), None)
        if info is None:
            return f"the backend type '{kind}' is not installed; the plugin '{plugin}' provided it"
        if info.status is Status.ENABLED:
            return f"the plugin '{plugin}' does not provide a usable backend type '{kind}' any more"
        return f"the plugin '{plugin}' with the backend type '{kind}' is {info.status.value}: {info.reason}"
