"""Types of things that plugins contribute and people configure: of channels, of push targets, of model backends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import attrs

from neomind_core.contracts import Logger, Platform, Status

from .schema import json_schema

Schema = Mapping[str, Any]


class Unusable(LookupError):
    """What somebody configured cannot be used at the moment; says why in one sentence."""


class Kind(Protocol):
    """What all types have. ``config`` is the attrs class of a configuration."""

    @property
    def name(self) -> str: ...
    @property
    def config(self) -> type[Any]: ...


K = TypeVar("K", bound=Kind)


@attrs.frozen(kw_only=True)
class Accepted:
    """A configuration as it is kept; ``plugin`` contributed its type."""

    plugin: str
    config: Mapping[str, Any]
    sealed: Mapping[str, str]


@attrs.frozen
class Ready(Generic[K]):
    """What something that was configured is used with. Nothing it says may show one of ``secrets``."""

    kind: K
    config: Any
    secrets: tuple[str, ...] = attrs.field(repr=False)


class Kinds(Generic[K]):
    """Types come and go with the plugins that contribute them, so they are asked for each time.

    One whose configuration is no attrs class, fails ``check``, or has fields of types that nobody knows, counts as
    not there. A plugin makes a subclass, which also is its key among the services::

        class Kinds(kinds.Kinds[ChannelType]):
            hook, word, event = "channels", "channel type", "channel_type_unusable"

            def unknown(self, name: str) -> Exception:
                return ChannelTypeNotFound(name)
    """

    hook: ClassVar[str]
    """The kind of contributions, as ``Platform.contributions`` calls it."""
    word: ClassVar[str]
    """What texts call a type, e.g. ``channel type``; the log has its name as ``channel_type``."""
    event: ClassVar[str]
    """What is logged of a type that counts as not there."""

    def __init__(self, platform: Platform, log: Logger) -> None:
        self._platform = platform
        self._log = log
        self._schemas: dict[type[Any], Schema | None] = {}

    # ---- what a subclass says ----

    def unknown(self, name: str) -> Exception:
        """The error of asking for a type that nobody contributes."""
        raise NotImplementedError

    def check(self, config: type[Any]) -> None:
        """Raises ``TypeError`` for a configuration, an attrs class, that lacks what the subclass needs of it."""

    # ---- looking ----

    def all(self) -> Sequence[tuple[str, K]]:
        """``(plugin, type)``, by the type's name."""
        found = self._platform.contributions(self.hook)
        return sorted((item for item in found if self.schema(item[1]) is not None), key=lambda item: item[1].name)

    def known(self) -> str:
        """The names of all types for people: ``email, webhook``, or ``none``."""
        return ", ".join(kind.name for _, kind in self.all()) or "none"

    def find(self, name: str) -> tuple[str, K] | None:
        return next((item for item in self.all() if item[1].name == name), None)

    def get(self, name: str) -> tuple[str, K]:
        """``(plugin, type)``; raises ``unknown(name)``."""
        found = self.find(name)
        if found is None:
            raise self.unknown(name)
        return found

    def of(self, name: str, plugin: str) -> K:
        """The type that ``plugin`` contributed once; raises ``Unusable`` saying what became of it."""
        found = self.find(name)
        if found is None:
            raise Unusable(self._missing(name, plugin))
        return found[1]

    def schema(self, kind: K) -> Schema | None:
        """The JSON Schema of a type's configuration; ``None`` when there can be none."""
        cls = kind.config
        if cls not in self._schemas:
            self._schemas[cls] = self._made(kind)
        return self._schemas[cls]

    def _made(self, kind: K) -> Schema | None:
        try:
            if not attrs.has(kind.config):
                raise TypeError("the configuration is no attrs class")
            self.check(kind.config)
            return json_schema(kind.config)
        except Exception as error:  # the class is somebody else's
            reason = f"{type(error).__name__}: {error}"
            self._log.error(self.event, **{self.word.replace(" ", "_"): kind.name, "reason": reason})
            return None

    def _missing(self, name: str, plugin: str) -> str:
        info = next((info for info in self._platform.plugins() if info.name == plugin), None)
        if info is None:
            return f"the {self.word} '{name}' is not installed; the plugin '{plugin}' provided it"
        if info.status is Status.ENABLED:
            return f"the plugin '{plugin}' does not provide a usable {self.word} '{name}' any more"
        return f"the plugin '{plugin}' with the {self.word} '{name}' is {info.status.value}: {info.reason}"
