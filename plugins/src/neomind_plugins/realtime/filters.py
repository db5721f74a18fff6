"""What one stream wants to see, and may."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from neomind_sdk import Principal

from .entries import Entry
from .events import SCOPES
from .kinds import CATEGORIES


@attrs.frozen
class Filter:
    """Compiled once per stream; streams with equal filters share their frames. ``None`` lets everything through."""

    scopes: frozenset[str]
    categories: frozenset[str] | None = None
    types: frozenset[str] | None = None

    def wants(self, entry: Entry) -> bool:
        kind = entry.kind
        return (
            kind.scope in self.scopes
            and (self.categories is None or not self.categories.isdisjoint(kind.categories))
            and (self.types is None or not self.types.isdisjoint(entry.names))
        )


def compile_filter(principal: Principal, categories: Iterable[str], types: Iterable[str]) -> Filter:
    """The filter of a caller. Values may be lists with commas; no known category at all means all of them."""
    wanted = _words(categories)
    known = None if "all" in wanted else (wanted & CATEGORIES or None)
    scopes = frozenset(scope for scope in SCOPES if principal.may(scope))
    return Filter(scopes, known, _words(types) or None)


def _words(values: Iterable[str]) -> frozenset[str]:
    words = (word.strip() for value in values for word in value.split(","))
    return frozenset(word for word in words if word)
