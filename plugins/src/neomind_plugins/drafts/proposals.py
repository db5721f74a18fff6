"""The device type of a draft: one that is registered and fits, or a new one made of what was found."""

from __future__ import annotations

import re

import attrs

from neomind_sdk import DeviceDirectory, DeviceType, MetricDef

from .findings import Analysis, FoundMetric
from .records import Draft
from .semantics import LABELS
from .signatures import Signatures

TYPE_ID_MAX = 100
NAME_MAX = 200
_UNFIT = re.compile(r"[^A-Za-z0-9_]")


@attrs.frozen
class Typist:
    """Proposes types."""

    directory: DeviceDirectory
    signatures: Signatures

    def proposal(self, draft: Draft, analysis: Analysis) -> DeviceType:
        """The registered type that fits, else a new one under an id that is free."""
        return self.signatures.match(analysis) or self._generated(draft, analysis)

    def _generated(self, draft: Draft, analysis: Analysis) -> DeviceType:
        made = generated_type(draft, analysis)
        ident, number = made.device_type, 1
        while (known := self.directory.get_type(made.device_type)) is not None and known.metrics != made.metrics:
            number += 1
            made = attrs.evolve(made, device_type=f"{ident[: TYPE_ID_MAX - 4]}_{number}")
        return known or made


def generated_type(draft: Draft, analysis: Analysis) -> DeviceType:
    """The type ``auto_<device id>`` with a metric for every value."""
    return DeviceType(
        device_type=f"auto_{_UNFIT.sub('_', draft.device_id)}"[:TYPE_ID_MAX],
        name=f"{LABELS[analysis.category]} {draft.device_id}"[:NAME_MAX],
        description=draft.description or "",
        categories=(analysis.category,),
        metrics=tuple(metric_def(metric) for metric in analysis.metrics),
    )


def metric_def(metric: FoundMetric) -> MetricDef:
    """Without a range: what a few samples had is none."""
    return MetricDef(
        name=metric.path,
        display_name=title(metric.path),
        data_type=metric.data_type,
        unit=metric.unit,
        element_type=metric.element_type,
    )


def title(path: str) -> str:
    """``values.battery_level`` -> ``Battery level``."""
    words = path.rpartition(".")[2].replace("_", " ").strip()
    return words[:1].upper() + words[1:]
