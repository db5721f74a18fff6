"""What an event is on the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import attrs

CATEGORIES = frozenset({"device", "rule", "agent", "llm", "alert", "extension", "tool"})
SYSTEM = "system"


@attrs.frozen(kw_only=True)
class Kind:
    """A type of events on the wire.

    ``scope``       what a caller must be allowed to see it
    ``categories``  the category filters that let it through, besides none
    ``stamped``     its data repeat the time of the event
    ``deep``        the data inside its data do (our own custom events)
    ``typed``       its data repeat the type and the time of the event
    ``urgent``      it goes out at once and by itself, not in a batch
    """

    type: str
    scope: str
    categories: frozenset[str] = frozenset()
    stamped: bool = False
    deep: bool = False
    typed: bool = False
    urgent: bool = False


class Fact(NamedTuple):
    """One event on the wire, not encoded yet.

    ``ts_ms`` is its time when that is not the time of publishing; ``series`` is set where a newer value makes this one
    worthless to a client that lags; ``name`` is what the event calls itself, where its kind is shared by many.
    """

    kind: Kind
    data: dict[str, Any]
    source: str = SYSTEM
    ts_ms: int | None = None
    series: str | None = None
    name: str | None = None


Tell = Callable[[Any], Iterable[Fact]]
"""What an event of the bus is on the wire: nothing, one event or many."""


def copying(kind: Kind, *names: str) -> Tell:
    """One event whose data are these fields."""

    def tell(event: Any) -> Iterable[Fact]:
        return (Fact(kind, {name: getattr(event, name) for name in names}),)

    return tell


def custom_fact(kind: Kind, name: str, data: Any, source: str = SYSTEM) -> Fact:
    """An event of a name of its own. Some clients read the name as ``custom_type``, others as ``event_type``."""
    return Fact(kind, {"custom_type": name, "event_type": name, "data": data}, source=source, name=name)


def as_custom(kind: Kind, name: str, *names: str) -> Tell:
    """One custom event whose inner data are these fields."""

    def tell(event: Any) -> Iterable[Fact]:
        return (custom_fact(kind, name, {field: getattr(event, field) for field in names}),)

    return tell


def lookup(table: Mapping[type[Any], Tell]) -> Callable[[type[Any]], Tell | None]:
    """What finds the entry of a class in a table: its own, else that of its nearest base."""
    known: dict[type[Any], Tell | None] = {}

    def find(cls: type[Any]) -> Tell | None:
        if cls not in known:
            known[cls] = next((table[base] for base in cls.__mro__ if base in table), None)
        return known[cls]

    return find
