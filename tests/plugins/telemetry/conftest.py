"""The parts of telemetry on a storage in memory, with a directory and a bus that only remember."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from neomind_plugins.telemetry.catalog import Catalog
from neomind_plugins.telemetry.history import History
from neomind_plugins.telemetry.images import Images
from neomind_plugins.telemetry.models import RetentionSettings
from neomind_plugins.telemetry.retention import Retention
from neomind_plugins.telemetry.service import IngestService
from neomind_sdk import Device, DeviceType, Event, MetricDef, UnknownSample, Uplink
from neomind_sdk.testing.memory import MemoryStorage

NOW_MS = 1_700_000_000_000


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.ms = NOW_MS

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


class Directory:
    """Devices and types in dictionaries; remembers who was seen."""

    def __init__(self) -> None:
        self.by_id: dict[str, Device] = {}
        self.by_type: dict[str, DeviceType] = {}
        self.heard: list[tuple[str, int]] = []

    def add(self, device_id: str, *metrics: str | MetricDef, **more: Any) -> Device:
        """A device with a type of its own."""
        defs = tuple(MetricDef(name=metric) if isinstance(metric, str) else metric for metric in metrics)
        kind = f"type_of_{device_id}"
        self.by_type[kind] = DeviceType(device_type=kind, name=kind, metrics=defs, **more)
        self.by_id[device_id] = Device(device_id=device_id, name=device_id.title(), device_type=kind)
        return self.by_id[device_id]

    def get(self, device_id: str) -> Device | None:
        return self.by_id.get(device_id)

    def type_of(self, device_id: str) -> DeviceType | None:
        device = self.by_id.get(device_id)
        return self.by_type.get(device.device_type) if device else None

    def devices(self) -> list[Device]:
        return sorted(self.by_id.values(), key=lambda device: device.name)

    def seen(self, device_id: str, at_ms: int) -> None:
        self.heard.append((device_id, at_ms))


class Bus:
    """Remembers what was published."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def publish(self, event: Event) -> int:
        self.events.append(event)
        return len(self.events)


class Inbox:
    """Takes samples of unknown devices, unless told not to."""

    def __init__(self) -> None:
        self.samples: list[UnknownSample] = []
        self.open = True

    async def offer(self, sample: UnknownSample) -> bool:
        if self.open:
            self.samples.append(sample)
        return self.open


class Platform:
    """Knows the commands of extensions."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, Any]] = []

    def contributions(self, kind: str) -> list[tuple[str, Any]]:
        return self.commands if kind == "commands" else []


class Log:
    """Remembers the names of what was logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, event: str, **fields: Any) -> None:
        self.lines.append(event)

    exception = debug = warning = error = info


@attrs.define
class World:
    """Everything together."""

    folder: Path
    clock: Clock = attrs.field(factory=Clock)
    directory: Directory = attrs.field(factory=Directory)
    bus: Bus = attrs.field(factory=Bus)
    platform: Platform = attrs.field(factory=Platform)
    log: Log = attrs.field(factory=Log)
    storage: MemoryStorage = attrs.field(factory=MemoryStorage)
    settings: RetentionSettings = attrs.field(factory=RetentionSettings)
    inbox: Inbox | None = None

    @property
    def store(self) -> Any:
        return self.storage.telemetry

    @property
    def images(self) -> Images:
        return Images(self.folder)

    @property
    def ingest(self) -> IngestService:
        parts: Any = (self.store, self.directory, self.bus, self.clock, self.images, lambda: self.inbox)
        return IngestService(*parts)

    @property
    def catalog(self) -> Catalog:
        parts: Any = (self.store, self.directory, self.platform)
        return Catalog(*parts)

    @property
    def history(self) -> History:
        parts: Any = (self.store, self.directory, self.catalog, self.clock)
        return History(*parts)

    @property
    def retention(self) -> Retention:
        parts: Any = (self.store, self.images, self.clock, self.log, lambda: self.settings)
        return Retention(*parts)

    def uplink(self, payload: Any, device_id: str = "boiler", **more: Any) -> Uplink:
        given = {"received_ms": self.clock.ms, "transport": "test", **more}
        return Uplink(device_id=device_id, payload=payload, **given)

    async def stored(self, device_id: str = "boiler") -> dict[str, list[Any]]:
        """All values of a device by metric, oldest first."""
        prefix = f"device:{device_id}:"
        names = await self.store.series(prefix)
        found = {}
        for name in names:
            samples = await self.store.range(name, 0, 10**15, limit=10**6, newest_first=False)
            found[name.removeprefix(prefix)] = [sample.value for sample in samples]
        return found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "images")
    yield world
    world.storage._database.close()


@pytest.fixture
def world_inbox(world: World) -> Inbox:
    """Somebody who keeps drafts."""
    world.inbox = Inbox()
    return world.inbox
