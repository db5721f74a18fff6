"""What can be asked for: the metrics of devices, and all data sources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import attrs

from neomind_sdk import (
    Device,
    DeviceDirectory,
    DeviceType,
    MetricDef,
    OutputMetric,
    Platform,
    Sample,
    TelemetryStore,
    ValidationFailed,
    series,
)
from neomind_sdk.units import seconds

from .models import DataSource, SourcesQuery

LIMIT_WITH_VALUES = 100


@attrs.frozen
class Catalog:
    """Knows what is stored and what is declared."""

    store: TelemetryStore
    directory: DeviceDirectory
    platform: Platform

    async def metrics_of(self, device_id: str) -> list[str]:
        """The metrics of a device: those of its type, then others that are stored; without ``_raw``."""
        prefix = f"{series.DEVICE}:{device_id}:"
        stored = [name.removeprefix(prefix) for name in await self.store.series(prefix)]
        return merged(self.directory.type_of(device_id), stored)

    async def sources(self, query: SourcesQuery) -> dict[str, Any]:
        """The data of ``SourcesAnswer``; raises ``ValidationFailed`` for a page that is too long."""
        if query.limit > LIMIT_WITH_VALUES and not query.skip_telemetry:
            raise ValidationFailed(("limit", f"must be at most {LIMIT_WITH_VALUES} unless skip_telemetry is set"))
        every = [item for item in await self._every() if query.source_type in (None, item.source_type)]
        options = sorted({(item.source_display_name, item.source_name) for item in every})
        found = [item for item in every if matches(item, query)]
        page = found[query.offset : query.offset + query.limit]
        newest = {} if query.skip_telemetry else await self.store.latest([item.id for item in page])
        return {
            "data": [with_value(item, newest.get(item.id)) for item in page],
            "total": len(found),
            "source_options": [[name, display] for display, name in options],
        }

    async def _every(self) -> list[DataSource]:
        stored: defaultdict[str, list[str]] = defaultdict(list)
        for name in map(series.split, await self.store.series()):
            stored[name.source].append(name.metric)
        found: list[DataSource] = []
        for device in self.directory.devices():
            found += self._device_sources(device, stored[f"{series.DEVICE}:{device.device_id}"])
        return [*found, *self._others(stored)]

    def _device_sources(self, device: Device, stored: list[str]) -> Iterator[DataSource]:
        device_type = self.directory.type_of(device.device_id)
        for metric in merged(device_type, stored):
            about = declared(metric, device_type)
            yield DataSource(
                id=series.of_device(device.device_id, metric),
                source_type=series.DEVICE,
                source_name=device.device_id,
                source_display_name=device.name,
                field=metric,
                field_display_name=about.display_name or metric,
                data_type=about.data_type,
                unit=about.unit,
            )

    def _others(self, stored: dict[str, list[str]]) -> list[DataSource]:
        """Sources that are no devices: what they have stored, and what commands of extensions declare."""
        others = {source: metrics for source, metrics in stored.items() if not source.startswith(f"{series.DEVICE}:")}
        found = [other_source(source, metric) for source, metrics in others.items() for metric in metrics]
        found += [
            declared_source(plugin, output.name, output)
            for plugin, command in self.platform.contributions("commands")
            for output in command.outputs
        ]
        by_id = {item.id: item for item in found}
        return [by_id[name] for name in sorted(by_id)]


def merged(device_type: DeviceType | None, stored: list[str]) -> list[str]:
    """The metrics of a type, then the stored ones that it does not name."""
    names = [metric.name for metric in device_type.metrics] if device_type else []
    return names + sorted(set(stored) - {*names, series.RAW})


def declared(metric: str, device_type: DeviceType | None) -> MetricDef:
    """A metric as its type describes it, or as one that no type describes."""
    metrics = device_type.metrics if device_type else ()
    return next((known for known in metrics if known.name == metric), None) or series.undeclared(metric)


def other_source(source: str, metric: str) -> DataSource:
    """A metric of an extension or a transform."""
    kind, _, name = source.partition(":")
    return DataSource(
        id=f"{source}:{metric}",
        source_type=kind,
        source_name=name,
        source_display_name=name,
        field=metric,
        field_display_name=metric,
        data_type="float",
    )


def declared_source(plugin: str, metric: str, output: OutputMetric) -> DataSource:
    """What a command of an extension declares to give."""
    plain = other_source(f"{series.EXTENSION}:{plugin}", metric)
    name = output.display_name or metric
    return attrs.evolve(plain, field_display_name=name, data_type=output.data_type, unit=output.unit or None)


def matches(item: DataSource, query: SourcesQuery) -> bool:
    """Whether the query's source and search text fit."""
    if query.source not in (None, item.source_name, f"{item.source_type}:{item.source_name}"):
        return False
    text = f"{item.id}\n{item.source_display_name}\n{item.field_display_name}".casefold()
    return not query.search or query.search.strip().casefold() in text


def with_value(item: DataSource, sample: Sample | None) -> DataSource:
    """The data source with its newest value."""
    if sample is None:
        return item
    return attrs.evolve(item, current_value=sample.value, last_update=seconds(sample.ts_ms), quality=sample.quality)
