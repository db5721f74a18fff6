"""One record per plugin: what it is, how far it came, and what it added."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from ..contracts import Clock, Plugin, PluginInfo, Status

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class PluginFailed(Exception):
    """In strict mode a plugin that fails ends the start; carries the name, status and reason."""

    def __init__(self, name: str, status: Status, reason: str) -> None:
        super().__init__(f"{name}: {status.value}: {reason}")
        self.status = status
        self.reason = reason


@attrs.define(kw_only=True, eq=False)
class Record:
    """The host's own view of a plugin; ``info()`` is what others see."""

    name: str
    distribution: str
    version: str
    first_party: bool
    location: str | None
    status: Status = Status.FOUND
    reason: str = "not loaded yet"
    since_ms: int = 0
    plugin: Plugin | None = None
    hooks: Any = None
    context: Any = None
    contributions: dict[str, list[Any]] = attrs.field(factory=dict)
    undo: list[Callable[[], None]] = attrs.field(factory=list)
    drop: Callable[[], None] = lambda: None

    @property
    def failed(self) -> bool:
        return self.status not in (Status.FOUND, Status.ENABLED)

    def info(self) -> PluginInfo:
        plugin = self.plugin
        return PluginInfo(
            name=self.name,
            status=self.status,
            reason=self.reason,
            distribution=self.distribution,
            version=(plugin and plugin.version) or self.version,
            first_party=self.first_party,
            summary=plugin.summary if plugin else "",
            author=plugin.author if plugin else None,
            requires=plugin.requires if plugin else (),
            after=plugin.after if plugin else (),
            location=self.location,
            since_ms=self.since_ms,
            contributions=contributed_names(self.contributions),
        )


def contribution_name(item: Any) -> str:
    """What must be unique among all contributions of a kind."""
    return str(getattr(item, "name_key", None) or getattr(item, "name", type(item).__name__))


def contributed_names(contributions: Mapping[str, list[Any]]) -> dict[str, tuple[str, ...]]:
    return {kind: tuple(contribution_name(item) for item in items) for kind, items in contributions.items() if items}


class Board:
    """All records, by a key that stays unique when two distributions claim one name."""

    def __init__(self, clock: Clock, *, strict: bool) -> None:
        self._clock = clock
        self._strict = strict
        self._records: dict[str, Record] = {}

    def __iter__(self) -> Iterator[Record]:
        return iter(sorted(self._records.values(), key=lambda record: (record.name, record.distribution)))

    def add(self, record: Record) -> None:
        self._records[f"{record.name}@{record.distribution}"] = record

    def knows(self, name: str, distribution: str) -> bool:
        return f"{name}@{distribution}" in self._records

    def named(self, name: str) -> list[Record]:
        return [record for record in self if record.name == name]

    def get(self, name: str) -> Record | None:
        """The record that goes by a name: the one that runs, else the first."""
        found = self.named(name)
        return next((record for record in found if not record.failed), found[0] if found else None)

    def forget(self, statuses: frozenset[Status]) -> None:
        """Drop the records in these statuses, so that another look may find them mended (or gone)."""
        self._records = {key: record for key, record in self._records.items() if record.status not in statuses}

    def enabled(self) -> list[Record]:
        return [record for record in self if record.status is Status.ENABLED]

    def move(self, record: Record, status: Status, reason: str) -> None:
        record.status, record.reason, record.since_ms = status, reason, self._clock.now_ms()

    def fail(self, record: Record, status: Status, reason: str, error: BaseException | None = None) -> None:
        """Note a failure; in strict mode raise it."""
        self.move(record, status, reason)
        if self._strict:
            raise PluginFailed(record.name, status, reason) from error
