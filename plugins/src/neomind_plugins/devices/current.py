"""The newest values of devices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from neomind_sdk import DeviceDirectory, DeviceType, MetricDef, Sample, TelemetryStore, series
from neomind_sdk.units import seconds

from .models import CurrentMetric, CurrentValues

Newest = Mapping[str, Sample]


@attrs.frozen
class Current:
    """Joins what types declare with what is stored."""

    directory: DeviceDirectory
    store: TelemetryStore

    async def metrics(self, device_id: str) -> dict[str, CurrentMetric]:
        """The metrics of the type, then all others that are stored, without ``_raw``."""
        return joined(self.directory.type_of(device_id), await self._newest(device_id))

    async def values(self, device_ids: Iterable[str]) -> dict[str, CurrentValues]:
        """The stored values of each device; whoever is not registered has none."""
        return {ident: CurrentValues(device_id=ident, current_values=await self._values(ident)) for ident in device_ids}

    async def _values(self, device_id: str) -> dict[str, Any]:
        if self.directory.get(device_id) is None:
            return {}
        return {name: sample.value for name, sample in (await self._newest(device_id)).items()}

    async def _newest(self, device_id: str) -> Newest:
        stored = await self.store.latest_of(f"{series.DEVICE}:{device_id}")
        return {name: stored[name] for name in sorted(stored) if name != series.RAW}


def joined(device_type: DeviceType | None, newest: Newest) -> dict[str, CurrentMetric]:
    """What the type declares, in its order, then what is only stored."""
    declared = {metric.name: metric for metric in device_type.metrics} if device_type else {}
    only_stored = {name: undeclared(name) for name in newest if name not in declared}
    return {name: current(metric, newest.get(name)) for name, metric in (declared | only_stored).items()}


def undeclared(name: str) -> MetricDef:
    """A metric that no type describes."""
    return MetricDef(name=name, unit="-", data_type="float" if series.is_virtual(name) else "string")


def current(metric: MetricDef, sample: Sample | None) -> CurrentMetric:
    return CurrentMetric(
        name=metric.name,
        display_name=metric.display_name or metric.name,
        unit=metric.unit,
        data_type=metric.data_type,
        value=sample.value if sample else None,
        timestamp=seconds(sample.ts_ms) if sample else None,
        is_virtual=series.is_virtual(metric.name),
    )
