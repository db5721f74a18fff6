"""Who provides what, and what each plugin may ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from ..contracts import ServiceMissing

T = TypeVar("T")
HOST = ""


@attrs.frozen
class Provided:
    """A service and the plugin that owns it (``HOST`` for the platform's own)."""

    owner: str
    value: Any


class ServiceRegistry:
    """All services by key, and those that a plugin keeps to itself."""

    def __init__(self) -> None:
        self._provided: dict[type[Any], Provided] = {}
        self._private: dict[tuple[str, type[Any]], Provided] = {}

    def add(self, key: type[Any], value: Any, owner: str = HOST, *, private: bool = False) -> None:
        if private:
            self._private[owner, key] = Provided(owner, value)
        else:
            self._provided[key] = Provided(owner, value)

    def remove(self, key: type[Any]) -> None:
        self._provided.pop(key, None)

    def remove_owner(self, owner: str) -> None:
        self._provided = {key: item for key, item in self._provided.items() if item.owner != owner}
        self._private = {place: item for place, item in self._private.items() if item.owner != owner}

    def get(self, key: type[Any], plugin: str = HOST) -> Provided | None:
        """The plugin's own, if it has one; else the one for everybody."""
        return self._private.get((plugin, key)) or self._provided.get(key)


class ServicesOf:
    """The registry as one plugin sees it; ``may_use(owner)`` knows what the plugin declared."""

    def __init__(self, registry: ServiceRegistry, plugin: str, may_use: Callable[[str], bool]) -> None:
        self._registry = registry
        self._plugin = plugin
        self._may_use = may_use

    def find(self, key: type[T]) -> T | None:
        found = self._registry.get(key, self._plugin)
        if found is None:
            return None
        if found.owner not in (HOST, self._plugin) and not self._may_use(found.owner):
            text = f"'{self._plugin}' uses {key.__name__} of '{found.owner}' without naming it in requires or after"
            raise LookupError(text)
        value: T = found.value
        return value

    def __getitem__(self, key: type[T]) -> T:
        value = self.find(key)
        if value is None:
            raise ServiceMissing(f"No plugin provides {key.__name__} at the moment", retry_after=5)
        return value
