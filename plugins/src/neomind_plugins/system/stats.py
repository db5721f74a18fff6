"""The numbers of the platform and of its machine, looked at every five seconds at most."""

from __future__ import annotations

import asyncio
import os
import platform as python
import sys
from collections.abc import Callable
from typing import Any

import attrs

from neomind_sdk import SEVERITIES, Clock, DeviceDirectory, Platform, Status

from .machine import Reading, Ticks, read, ticks
from .models import AlertNumbers, AllStats, DeviceNumbers, MachineStats, RuleNumbers, StatsAnswer
from .uptime import Uptime

KEPT_S = 5.0
Look = Callable[[], Reading]


class Stats:
    """``look`` reads the machine, in a thread; ``find_devices`` returns the directory of devices, if any."""

    def __init__(
        self,
        platform: Platform,
        clock: Clock,
        uptime: Uptime,
        find_devices: Callable[[], DeviceDirectory | None],
        look: Look = read,
    ) -> None:
        self._platform = platform
        self._clock = clock
        self._uptime = uptime
        self._find_devices = find_devices
        self._look = look
        self._turn = asyncio.Lock()
        self._ticks = Ticks()
        self._kept: tuple[float, StatsAnswer] | None = None

    async def start(self) -> None:
        """Take the first look at the processor, so that the first answer has something to compare with."""
        self._ticks = await asyncio.to_thread(ticks)

    async def show(self) -> StatsAnswer:
        """The numbers, at most ``KEPT_S`` seconds old."""
        async with self._turn:
            now = self._clock.monotonic()
            if self._kept is None or now - self._kept[0] >= KEPT_S:
                self._kept = (now, self._answer(await asyncio.to_thread(self._look)))
            return self._kept[1]

    def _answer(self, reading: Reading) -> StatsAnswer:
        machine = self._machine(reading)
        directory = self._find_devices()
        stats = AllStats(
            devices=device_numbers(directory) if directory else DeviceNumbers(),
            rules=rule_numbers(self._running("rules")),
            alerts=alert_numbers(self._running("messages")),
            system=machine,
        )
        return StatsAnswer(**attrs.asdict(machine, recurse=False), stats=stats)

    def _machine(self, reading: Reading) -> MachineStats:
        before, self._ticks = self._ticks, reading.ticks
        return MachineStats(
            version=self._platform.version,
            uptime=self._uptime.seconds(),
            platform=sys.platform,
            arch=python.machine(),
            cpu_count=os.cpu_count() or 1,
            total_memory=reading.memory.total,
            used_memory=reading.memory.used,
            free_memory=reading.memory.free,
            available_memory=reading.memory.available,
            cpu_usage=reading.ticks.usage_since(before),
            gpus=reading.gpus,
            disks=reading.disks,
            networks=reading.networks,
        )

    def _running(self, plugin: str) -> bool:
        return any(info.name == plugin and info.status is Status.ENABLED for info in self._platform.plugins())


def device_numbers(directory: DeviceDirectory) -> DeviceNumbers:
    found = directory.devices()
    online = sum(directory.status(device.device_id) == "online" for device in found)
    types = (directory.type_of(device.device_id) for device in found)
    return DeviceNumbers(
        total_devices=len(found),
        online_devices=online,
        offline_devices=len(found) - online,
        devices_with_metrics=sum(bool(kind and kind.metrics) for kind in types),
    )


def rule_numbers(running: bool) -> RuleNumbers:
    number = unknown_or_zero(running)
    return RuleNumbers(total_rules=number, enabled_rules=number, disabled_rules=number, triggered_today=number)


def alert_numbers(running: bool) -> AlertNumbers:
    number = unknown_or_zero(running)
    severities: Any = dict.fromkeys(SEVERITIES, number)
    return AlertNumbers(active_alerts=number, by_severity=severities, alerts_today=number)


def unknown_or_zero(running: bool) -> int | None:
    return None if running else 0
