"""What an analysis finds in the samples of a draft."""

from __future__ import annotations

from typing import Any

import attrs

UNKNOWN = "unknown"


@attrs.frozen(kw_only=True)
class FoundMetric:
    """A value that the device sends; ``path`` is its place in the message, and the name of the metric."""

    path: str
    semantic: str = UNKNOWN
    data_type: str = "string"
    unit: str = ""
    element_type: str | None = None


@attrs.frozen(kw_only=True)
class Analysis:
    """``fields`` counts everything that was there, also what cannot be a metric; ``binary``: nothing was JSON."""

    samples: int
    fields: int = 0
    category: str = UNKNOWN
    binary: bool = False
    metrics: tuple[FoundMetric, ...] = ()
    insights: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    recommendations: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether a type can be made of it."""
        return self.binary or bool(self.metrics)


def read_analysis(values: dict[str, Any]) -> Analysis:
    """The inverse of ``attrs.asdict``, from JSON."""
    texts = {name: tuple(values[name]) for name in ("insights", "warnings", "recommendations")}
    metrics = tuple(FoundMetric(**metric) for metric in values["metrics"])
    return Analysis(**{**values, **texts, "metrics": metrics})
