"""How much unknown devices may send. Counted in memory, for so many of them at most; a restart forgives."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TypeVar

import attrs

from neomind_sdk import MIB, Clock

DRAFTS_MAX = 50
SAMPLE_MAX = 2 * MIB
TOTAL_MAX = 64 * MIB
"""Of all samples of all drafts."""
MINUTE_S = 60.0
DEVICE_PER_MINUTE = 10
DEVICE_TOTAL = 20
BLOCK_S = 3600.0
ADDRESS_PER_MINUTE = 30
KNOWN_MAX = 1024

T = TypeVar("T")


@attrs.define
class Window:
    """When messages came within the last minute."""

    times: deque[float] = attrs.field(factory=deque)

    def full(self, now: float, limit: int) -> bool:
        while self.times and self.times[0] <= now - MINUTE_S:
            self.times.popleft()
        return len(self.times) >= limit


@attrs.define
class DeviceCount:
    """The messages of one device id, and until when it is blocked."""

    window: Window = attrs.field(factory=Window)
    total: int = 0
    blocked_until: float | None = None


class Limits:
    """30 messages per minute and address; 10 per minute and device, and after 20 the device is blocked for an hour."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._devices: OrderedDict[str, DeviceCount] = OrderedDict()
        self._addresses: OrderedDict[str, Window] = OrderedDict()

    def admit(self, device_id: str, address: str) -> bool:
        """Whether the message may be looked at; if so, it is counted. Without an address only the device counts."""
        now = self._clock.monotonic()
        window = recent(self._addresses, address, Window()) if address else Window()
        device = recent(self._devices, device_id, DeviceCount())
        if window.full(now, ADDRESS_PER_MINUTE) or not free(device, now):
            return False
        window.times.append(now)
        device.window.times.append(now)
        device.total += 1
        if device.total >= DEVICE_TOTAL:
            device.blocked_until = now + BLOCK_S
        return True


def free(device: DeviceCount, now: float) -> bool:
    """Whether a device may send; after its block it begins anew."""
    if device.blocked_until is not None:
        if now < device.blocked_until:
            return False
        device.total, device.blocked_until = 0, None
    return not device.window.full(now, DEVICE_PER_MINUTE)


def recent(known: OrderedDict[str, T], name: str, fresh: T) -> T:
    """What is known under a name; of too many names the one that was asked for least recently is forgotten."""
    found = known.setdefault(name, fresh)
    known.move_to_end(name)
    if len(known) > KNOWN_MAX:
        known.popitem(last=False)
    return found
