"""How alike types are: by the pairs of meaning and data type of their metrics, and by the metrics' paths."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import attrs

from neomind_sdk import DeviceDirectory, DeviceType

from .findings import Analysis
from .semantics import category_of, semantic_of

ALIKE = 0.7
Pairs = frozenset[tuple[str, str]]


@attrs.frozen
class Signature:
    """``hash`` is of the sorted pairs and the category: types of the same hash measure the same."""

    pairs: Pairs
    category: str
    paths: frozenset[str]

    @property
    def hash(self) -> str:
        text = repr((sorted(self.pairs), self.category))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def similarity(self, other: Signature) -> float:
        """Jaccard's: what both have, of what either has."""
        either = self.pairs | other.pairs
        return len(self.pairs & other.pairs) / len(either) if either else 0.0

    def covers(self, other: Signature) -> float:
        """Which share of the other's values a type with this signature takes out of a message."""
        return len(self.paths & other.paths) / len(other.paths) if other.paths else 0.0


@attrs.frozen
class Likeness:
    """A type beside a draft; ``score`` 0..100. ``exact``: the same signature, and no value is left out."""

    device_type: DeviceType
    score: int
    exact: bool


class Signatures:
    """The signatures of all registered types; each is made once per definition."""

    def __init__(self, directory: DeviceDirectory) -> None:
        self._directory = directory
        self._made: dict[str, tuple[DeviceType, Signature]] = {}

    def all(self) -> Mapping[str, str]:
        """Types by hash; of several types with one hash the first by id."""
        known = self._known()
        return {made.hash: device_type.device_type for device_type, made in reversed(known)}

    def match(self, analysis: Analysis) -> DeviceType | None:
        """The registered type that the device is of: the same signature, else one of the same category that is alike.

        Either way it must have every metric that the device sends: a type that reads something else is no match,
        however alike it looks.
        """
        wanted = signature_of(analysis)
        fitting = [(kind, made) for kind, made in self._known() if wanted.paths and wanted.paths <= made.paths]
        exact = next((kind for kind, made in fitting if made.hash == wanted.hash), None)
        alike = [(made.similarity(wanted), kind) for kind, made in fitting if made.category == wanted.category]
        best = max(alike, key=lambda item: item[0], default=None)
        return exact or (best[1] if best is not None and best[0] >= ALIKE else None)

    def suggest(self, analysis: Analysis) -> Sequence[Likeness]:
        """All types that have anything in common with the draft, the most alike first."""
        wanted = signature_of(analysis)
        found = [likeness(kind, made, wanted) for kind, made in self._known()]
        return sorted((item for item in found if item.score), key=lambda item: (-item.score, not item.exact))

    def _known(self) -> list[tuple[DeviceType, Signature]]:
        types = [item for item in self._directory.types() if item.metrics]
        kept = {item.device_type: self._made.get(item.device_type) for item in types}
        self._made = {
            item.device_type: known if known and known[0] is item else (item, signature_of_type(item))
            for item, known in zip(types, kept.values(), strict=True)
        }
        return list(self._made.values())


def likeness(device_type: DeviceType, made: Signature, wanted: Signature) -> Likeness:
    covers = made.covers(wanted)
    score = round(100 * (covers + made.similarity(wanted)) / 2)
    return Likeness(device_type, score, exact=covers == 1.0 and made.hash == wanted.hash)


def signature_of(analysis: Analysis) -> Signature:
    pairs = frozenset((metric.semantic, metric.data_type) for metric in analysis.metrics)
    return Signature(pairs, analysis.category, frozenset(metric.path for metric in analysis.metrics))


def signature_of_type(device_type: DeviceType) -> Signature:
    """As if the type's metrics had been found in samples."""
    metrics = device_type.metrics
    found = [(semantic_of(metric.name, metric.data_type).name, metric.data_type) for metric in metrics]
    return Signature(frozenset(found), category_of(named(found)), frozenset(metric.name for metric in metrics))


def named(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [semantic for semantic, _ in pairs]
