"""What components show: the spellings of data sources, read into one.

A data source is an object, or an array of them, as the web client writes it. Newer clients write the four members
``source``, ``id``, ``field`` and ``mode``; older ones a member for each type (``sourceId``, ``metricId``, …).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

import attrs

from neomind_sdk import fields, series

SERIES, INFO, SYSTEM, AGENT = "series", "info", "system", "agent"
COMMAND, EXTENSION_COMMAND = "command", "extension-command"
LATEST, TIMESERIES = "latest", "timeseries"
INFO_PROPERTIES = ("name", "status", "online", "last_seen", "device_type", "plugin_name", "adapter_id")
SYSTEM_METRICS = (
    "uptime",
    "cpu_count",
    "total_memory",
    "used_memory",
    "free_memory",
    "available_memory",
    "memory_percent",
    "platform",
    "arch",
    "version",
)
MODE_OF_TYPE = {
    "telemetry": TIMESERIES,
    "transform": TIMESERIES,
    "device-info": INFO,
    "command": "command",
    "extension-command": "command",
}
NESTED = ("dataSource", "dataSources", "data_source", "data_sources", "sources")
"""Members whose value is a data source, wherever in a component they stand."""
LIMIT_MAX = 5000
Json = Mapping[str, Any]
What = tuple[str, str, str]
"""Kind, owner and field."""


@attrs.frozen(kw_only=True)
class Source:
    """One thing that a component shows, or lets somebody do.

    ``kind``   ``series`` (of a device, an extension or a transform), ``info`` of a device, ``system``, ``agent``,
               ``command`` of a device, ``extension-command``
    ``owner``  ``device:<id>``, ``extension:<id>`` or ``transform:<id>`` of a series; else the bare id, empty for
               ``system``
    ``field``  the metric, property or command; empty for an agent
    """

    kind: str
    owner: str
    field: str
    mode: str = LATEST
    window: Json = attrs.field(factory=dict)
    hours: float | None = None
    aggregate: str | None = None
    limit: int | None = None
    params: Json = attrs.field(factory=dict)

    @property
    def id(self) -> str:
        """The id by which viewers ask for it; of a series its name."""
        if self.kind == SERIES:
            return f"{self.owner}:{self.field}"
        words = {INFO: "device-info"}
        return ":".join(part for part in (words.get(self.kind, self.kind), self.owner, self.field) if part)

    @property
    def has_history(self) -> bool:
        """Whether the component shows more of a series than its newest value."""
        window = text(self.window, "type")
        return self.kind == SERIES and (self.mode == TIMESERIES or window not in ("", "now") or self.hours is not None)

    @property
    def device_id(self) -> str | None:
        """The device that a series, a property or a command is of."""
        if self.kind in (INFO, COMMAND):
            return self.owner
        prefix, _, ident = self.owner.partition(":")
        return ident if self.kind == SERIES and prefix == series.DEVICE else None


def of_component(component: Json) -> list[Source]:
    """Everything that a component shows; what is written twice is there once."""
    found = [*walk(component.get("data_source"))]
    for name in ("display", "config"):
        found += inside(component.get(name))
    return list({repr(one): one for one in found}.values())


def walk(value: Any) -> Iterator[Source]:
    """The sources of the value of a ``data_source``."""
    if isinstance(value, list):
        for item in value:
            yield from walk(item)
    elif isinstance(value, dict):
        source = parse(value)
        if source is not None:
            yield source
        for name in NESTED:
            yield from walk(value.get(name))


def inside(value: Any) -> Iterator[Source]:
    """The sources of members that are called so, anywhere inside a value: layers of a map bring their own."""
    if isinstance(value, list):
        for item in value:
            yield from inside(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from (walk(item) if name in NESTED else inside(item))


def parse(value: Json) -> Source | None:
    """The source that an object names; ``None`` when it names none, or one that cannot be shown to others."""
    kind = text(value, "type")
    mode = text(value, "mode") or MODE_OF_TYPE.get(kind, LATEST)
    what = unified(value, mode) or older(value, kind)
    if what is None or not all(fields.clean(part) for part in what):
        return None
    return Source(
        kind=what[0],
        owner=what[1],
        field=what[2],
        mode=mode,
        window=mapping(value, "timeWindow"),
        hours=positive(value.get("timeRange")),
        aggregate=text(value, "aggregateExt") or text(value, "aggregate") or None,
        limit=count(value.get("limit")),
        params=mapping(value, "commandParams") or mapping(value, "params"),
    )


def unified(value: Json, mode: str) -> What | None:
    """What the four members name."""
    source, ident, field = text(value, "source"), text(value, "id"), text(value, "field")
    if mode == "list":
        return None
    if source == "system":
        return system(field)
    if not ident:
        return None
    if source == "ai":
        return AGENT, bare(ident, "agent"), ""
    if not field or source not in series.SOURCE_TYPES:
        return None
    return of_source(source, ident, field, mode)


def of_source(source: str, ident: str, field: str, mode: str) -> What | None:
    """Something of a device, an extension or a transform."""
    ident = bare(ident, source)
    if source == series.DEVICE and mode == INFO:
        return info(ident, field)
    if mode == "command":
        kinds = {series.DEVICE: COMMAND, series.EXTENSION: EXTENSION_COMMAND}
        return (kinds[source], ident, field) if source in kinds else None
    return SERIES, f"{source}:{ident}", field


def older(value: Json, kind: str) -> What | None:
    """What the members of older clients name."""
    if kind == "system":
        return system(text(value, "systemMetric"))
    if kind == "agent":
        agent = text(value, "agentId")
        return (AGENT, agent, "") if agent else None
    source, ids, names = OLDER.get(kind, ("", (), ()))
    ident = first(value, ids)
    field = first(value, names)
    if not source or not ident or not field:
        return None
    if source == series.DEVICE and kind in ("device", "metric", "telemetry"):
        source, ident = owner_of(ident)
    return of_source(source, ident, field, MODE_OF_TYPE.get(kind, LATEST))


DEVICE_IDS = ("sourceId", "deviceId", "id")
EXTENSION_IDS = ("extensionId", "sourceId", "id")
EXTENSION_METRICS = ("extensionMetric", "metricId", "field")
OLDER: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "device": (series.DEVICE, DEVICE_IDS, ("property", "metricId", "field")),
    "metric": (series.DEVICE, DEVICE_IDS, ("metricId", "property", "field")),
    "telemetry": (series.DEVICE, DEVICE_IDS, ("metricId", "property", "field")),
    "device-info": (series.DEVICE, DEVICE_IDS, ("infoProperty", "property", "field")),
    "command": (series.DEVICE, DEVICE_IDS, ("command", "field")),
    "extension": (series.EXTENSION, EXTENSION_IDS, EXTENSION_METRICS),
    "extension-metric": (series.EXTENSION, EXTENSION_IDS, EXTENSION_METRICS),
    "extension-command": (series.EXTENSION, EXTENSION_IDS, ("extensionCommand", "command", "field")),
    "transform": (series.TRANSFORM, ("transformId", "sourceId", "id"), ("metricId", "field")),
}
"""By type: whose it is, and where its id and its field may stand."""


def owner_of(ident: str) -> tuple[str, str]:
    """The kind and the id of a source that may be written ``transform:<id>``; a bare id is a device's."""
    kind, colon, rest = ident.partition(":")
    return (kind, rest) if colon and rest and kind in series.SOURCE_TYPES else (series.DEVICE, ident)


def bare(ident: str, kind: str) -> str:
    """An id without its kind before it."""
    rest = ident.removeprefix(f"{kind}:")
    return rest or ident


def info(device_id: str, name: str) -> What | None:
    return (INFO, device_id, name) if name in INFO_PROPERTIES else None


def system(name: str) -> What | None:
    return (SYSTEM, "", name) if name in SYSTEM_METRICS else None


# ---- members of JSON that may be anything ----


def first(value: Json, names: tuple[str, ...]) -> str:
    return next((found for name in names if (found := text(value, name))), "")


def text(value: Json, name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def mapping(value: Json, name: str) -> Json:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def positive(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and isfinite(value) and value > 0 else None


def count(value: Any) -> int | None:
    number = positive(value)
    return None if number is None else max(1, min(LIMIT_MAX, int(number)))
