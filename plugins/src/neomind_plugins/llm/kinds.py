"""The types of backends that plugins contribute."""

from __future__ import annotations

from typing import Any

import attrs

from neomind_sdk import Capabilities, LLMBackendType, kinds, llm_names

from .errors import TypeNotFound, UnknownType
from .talents import sound

NEEDED = frozenset({"endpoint", "model"})


class Kinds(kinds.Kinds[LLMBackendType]):
    """The types of backends, whose configurations have ``endpoint`` and ``model``; ``get`` raises ``TypeNotFound``."""

    hook, word, event = "llm_backends", "backend type", "llm_type_unusable"

    def unknown(self, name: str) -> TypeNotFound:
        return TypeNotFound(name)

    def check(self, config: type[Any]) -> None:
        missing = NEEDED - {field.name for field in attrs.fields(config)}
        if missing:
            raise TypeError(f"the configuration has no field {' and '.join(sorted(missing))}")

    def wanted(self, name: str) -> tuple[str, LLMBackendType]:
        """``(plugin, type)`` of what a body asks for; raises ``UnknownType``."""
        found = self.find(name)
        if found is None:
            raise UnknownType(name, self.known())
        return found

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
