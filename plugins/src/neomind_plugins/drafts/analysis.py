"""From all the samples of a draft to the metrics of its type: what is sent, of which type, and what it may mean.

Pure functions, run beside the event loop when the samples are large.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from .findings import UNKNOWN, Analysis, FoundMetric
from .leaves import leaves
from .records import KeptSample
from .semantics import category_of, is_measured, semantic_of

METRICS_MAX = 256
ELEMENTS_MAX = 100
LISTED_MAX = 5
NUMBERS = ("integer", "float")


@attrs.define
class Field:
    """What was seen at one path: data types of the values, and of the elements where these are arrays."""

    types: set[str] = attrs.field(factory=set)
    elements: set[str | None] = attrs.field(factory=set)


@attrs.define
class Seen:
    """What was seen in all samples."""

    fields: dict[str, Field] = attrs.field(factory=dict)
    objects: set[str] = attrs.field(factory=set)
    lost: dict[str, None] = attrs.field(factory=dict)
    cut: bool = False

    def take(self, payload: Any) -> None:
        found = leaves(payload)
        self.lost |= dict.fromkeys(found.lost)
        self.objects |= found.objects
        self.cut |= found.cut
        for path, value in found.found.items():
            field = self.fields.setdefault(path, Field())
            if value is not None:
                field.types.add(data_type_of(value))
            if isinstance(value, list):
                field.elements |= {element_type_of(item) for item in value[:ELEMENTS_MAX]}

    def named(self) -> list[tuple[str, Field]]:
        """Everything that had a value. What is an object in some messages has no one type."""
        for path in self.objects & self.fields.keys():
            self.fields[path].types.add("object")
        return [(path, field) for path, field in self.fields.items() if field.types - {"object"}]


def analyze(samples: Sequence[KeptSample]) -> Analysis:
    """What the samples say; a message that is not JSON says nothing."""
    seen = Seen()
    for sample in samples:
        if not sample.binary:
            seen.take(sample.payload)
    named = seen.named()
    kept = tuple(metric_of(path, field) for path, field in named[:METRICS_MAX])
    binary = all(sample.binary for sample in samples)
    return Analysis(
        samples=len(samples),
        fields=len(seen.fields) + len(seen.lost),
        category=category_of(metric.semantic for metric in kept),
        binary=binary,
        metrics=kept,
        insights=tuple(insights(kept, binary)),
        warnings=tuple(warnings(seen, len(named) - len(kept))),
        recommendations=tuple(recommendations(kept, len(samples))),
    )


def metric_of(path: str, field: Field) -> FoundMetric:
    data_type = widened(field.types)
    semantic = semantic_of(path, data_type)
    if semantic.measured and data_type == "integer":
        data_type = "float"
    element_type = next(iter(field.elements)) if data_type == "array" and len(field.elements) == 1 else None
    return FoundMetric(
        path=path, semantic=semantic.name, data_type=data_type, unit=semantic.unit, element_type=element_type
    )


def data_type_of(value: Any) -> str:
    kinds = ((bool, "boolean"), (int, "integer"), (float, "float"), (list, "array"))
    return next((word for kind, word in kinds if isinstance(value, kind)), "string")


def element_type_of(value: Any) -> str | None:
    return None if value is None or isinstance(value, dict) else data_type_of(value)


def widened(types: Iterable[str]) -> str:
    """The narrowest type that takes all: integers and floats are floats, any other mixture is a string."""
    words = set(types)
    if len(words) == 1:
        return words.pop()
    return "float" if words <= {"integer", "float"} else "string"


def insights(metrics: Sequence[FoundMetric], binary: bool) -> list[str]:
    if binary:
        return ["The messages are not JSON; they are kept as base64 text"]
    measured = sum(is_measured(metric.semantic) for metric in metrics)
    unknown = sum(metric.semantic == UNKNOWN for metric in metrics)
    texts = [(measured, "measured quantities"), (unknown, "values whose meaning their names do not tell")]
    return [f"{count} of {len(metrics)} are {what}" for count, what in texts if count]


def warnings(seen: Seen, dropped: int) -> list[str]:
    mixed = [path for path, field in seen.fields.items() if len(field.types) > 1 and widened(field.types) == "string"]
    empty = [path for path, field in seen.fields.items() if not field.types]
    texts = [f"Values of several types, taken for text: {listed(mixed)}"] if mixed else []
    texts += [f"Only null so far, no metric: {listed(empty)}"] if empty else []
    texts += [f"No metric can be named so, in _raw only: {listed(list(seen.lost))}"] if seen.lost else []
    texts += [f"{dropped} more values than the {METRICS_MAX} metrics of a type"] if dropped else []
    return texts + (["A message is too large to be looked at as a whole"] if seen.cut else [])


def recommendations(metrics: Sequence[FoundMetric], samples: int) -> list[str]:
    texts = ["Wait for more samples: types of values may widen"] if samples == 1 else []
    unitless = [metric.path for metric in metrics if metric.semantic == UNKNOWN and metric.data_type in NUMBERS]
    return texts + ([f"Set the unit of {listed(unitless)}"] if unitless else [])


def listed(paths: Sequence[str]) -> str:
    """The first few, and how many more."""
    more = len(paths) - LISTED_MAX
    return ", ".join(path[:60] for path in paths[:LISTED_MAX]) + (f" and {more} more" if more > 0 else "")
