"""The directory of devices on a storage in memory, with a clock that the test turns and a bus that remembers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest

from neomind_core.host.tables import migrate
from neomind_plugins.devices.current import Current
from neomind_plugins.devices.migrations import STEPS
from neomind_plugins.devices.models import DeviceSettings
from neomind_plugins.devices.service import Directory
from neomind_plugins.devices.tables import MODELS
from neomind_sdk import Device, DeviceType, Event, MetricDef, Tables
from neomind_sdk.testing.memory import MemoryStorage

NOW_MS = 1_700_000_000_000
TABLES = Tables(name="devices", models=MODELS, steps=STEPS)


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.ms = NOW_MS

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000

    async def sleep(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)


class Bus:
    """Remembers what was published."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def publish(self, event: Event) -> int:
        self.events.append(event)
        return len(self.events)


class Log:
    """Remembers the names of what was logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def warning(self, event: str, **fields: Any) -> None:
        self.lines.append(event)


@attrs.define
class World:
    """One platform's devices; ``restart`` gives another one on the same storage."""

    storage: MemoryStorage = attrs.field(factory=MemoryStorage)
    clock: Clock = attrs.field(factory=Clock)
    bus: Bus = attrs.field(factory=Bus)
    log: Log = attrs.field(factory=Log)
    settings: DeviceSettings = attrs.field(factory=DeviceSettings)
    directory: Any = None

    async def start(self) -> Directory:
        await migrate(self.storage, TABLES, self.clock.ms)
        parts: Any = (self.storage.database, self.bus, self.clock, self.log, lambda: self.settings)
        self.directory = Directory(*parts)
        await self.directory.load()
        return self.directory

    restart = start

    @property
    def current(self) -> Current:
        return Current(self.directory, self.storage.telemetry)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.start()
    yield world
    await world.storage.close()


@pytest.fixture
async def directory(world: World) -> Directory:
    """A directory with the type ``thermometer``."""
    await world.directory.register_type(thermometer())
    world.bus.events.clear()
    return world.directory


def thermometer(**more: Any) -> DeviceType:
    metrics = (MetricDef(name="temperature", data_type="float", unit="°C"),)
    return DeviceType(**{"device_type": "thermometer", "name": "Thermometer", "metrics": metrics, **more})


def device(device_id: str = "t1", **more: Any) -> Device:
    return Device(**{"device_id": device_id, "name": device_id, "device_type": "thermometer", **more})
