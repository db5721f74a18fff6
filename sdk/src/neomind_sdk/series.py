"""Data source ids, which are the names of series: ``<type>:<id>:<metric>``, e.g. ``device:boiler:temperature``."""

from __future__ import annotations

from typing import NamedTuple

from neomind_core.contracts import MetricDef

DEVICE = "device"
EXTENSION = "extension"
TRANSFORM = "transform"
SOURCE_TYPES = (DEVICE, EXTENSION, TRANSFORM)
RAW = "_raw"
"""The metric that keeps a device's whole message as JSON text."""
VIRTUAL_PREFIXES = ("transform.", "virtual.", "computed.", "derived.", "aggregated.")
"""How metrics begin that were calculated, not measured."""


class SeriesName(NamedTuple):
    """A data source id taken apart; ``metric`` may hold colons."""

    source_type: str
    source_id: str
    metric: str

    @property
    def source(self) -> str:
        """``device:boiler``."""
        return f"{self.source_type}:{self.source_id}"

    @property
    def virtual(self) -> bool:
        """Whether the value was calculated; it says nothing about whether the device is alive."""
        return self.source_type == TRANSFORM or is_virtual(self.metric)


def split(series: str) -> SeriesName:
    """Take a data source id apart at its first two colons; raises ``ValueError`` when it has no three parts."""
    parts = series.split(":", 2)
    if len(parts) != 3 or not all(parts):
        raise ValueError(f"'{series}' is no data source id: it must be <type>:<id>:<metric>")
    return SeriesName(*parts)


def of_device(device_id: str, metric: str) -> str:
    """The series of a device's metric."""
    return f"{DEVICE}:{device_id}:{metric}"


def undeclared(metric: str) -> MetricDef:
    """A metric that is stored and that no type describes: without a unit, and any text unless it was calculated."""
    return MetricDef(name=metric, unit="-", data_type="float" if is_virtual(metric) else "string")


def is_virtual(metric: str) -> bool:
    """Whether a metric's name says that it was calculated."""
    return metric.startswith(VIRTUAL_PREFIXES)
