"""How the machine fares, from ``/proc`` and ``/sys``. Everything here blocks: call it in a thread.

What cannot be read is zero, or not listed.
"""

from __future__ import annotations

import fcntl
import os
import re
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import attrs

from .models import Disk, Gpu, Network

PROC, SYS = Path("/proc"), Path("/sys")
VENDORS = {"0x10de": "nvidia", "0x1002": "amd", "0x8086": "intel", "0x106b": "apple"}
SIOCGIFADDR = 0x8915
"""The ioctl for an interface's IPv4 address (netdevice(7))."""


@attrs.frozen
class Ticks:
    """What all cores have done since boot, in clock ticks."""

    busy: int = 0
    total: int = 0

    def usage_since(self, before: Ticks) -> float:
        """Percent of the time between the two looks; 0 when none has passed."""
        passed = self.total - before.total
        return round(min(100.0, max(0.0, 100 * (self.busy - before.busy) / passed)), 1) if passed > 0 else 0.0


@attrs.frozen(kw_only=True)
class Memory:
    """Bytes."""

    total: int = 0
    free: int = 0
    available: int = 0

    @property
    def used(self) -> int:
        return self.total - self.available


@attrs.frozen(kw_only=True)
class Reading:
    """One look at the machine."""

    ticks: Ticks
    memory: Memory
    disks: list[Disk]
    networks: list[Network]
    gpus: list[Gpu]


def read(proc: Path = PROC, sys: Path = SYS) -> Reading:
    """Look at everything."""
    return Reading(
        ticks=ticks(proc),
        memory=memory(proc),
        disks=list(disks(proc)),
        networks=list(networks(proc, sys)),
        gpus=list(gpus(sys)),
    )


def ticks(proc: Path = PROC) -> Ticks:
    """The line ``cpu`` of ``/proc/stat``: user, nice, system, idle, iowait, irq, softirq, steal (proc_stat(5))."""
    first = text(proc / "stat").partition("\n")[0].split()
    try:
        numbers = [int(word) for word in first[1:9]]
    except ValueError:
        return Ticks()
    return Ticks(sum(numbers) - sum(numbers[3:5]), sum(numbers))


def memory(proc: Path = PROC) -> Memory:
    found = {name: int(kib) * 1024 for name, kib in re.findall(r"^(\w+):\s+(\d+) kB$", text(proc / "meminfo"), re.M)}
    free = found.get("MemFree", 0)
    return Memory(total=found.get("MemTotal", 0), free=free, available=found.get("MemAvailable", free))


def disks(proc: Path = PROC) -> Iterator[Disk]:
    """Local file systems, each device once. Others are left alone: asking one that is gone can take for ever."""
    seen: set[str] = set()
    for line in text(proc / "mounts").splitlines():
        device, mount, kind = (unescaped(word) for word in (*line.split(), "", "", "")[:3])
        local = device.startswith("/dev/") and not device.startswith("/dev/loop") and kind != "squashfs"
        if device in seen or not (local or mount == "/"):
            continue
        seen.add(device)
        disk = measured(device, mount)
        if disk:
            yield disk


def unescaped(word: str) -> str:
    """A word of ``/proc/mounts``, where blanks are written in octal."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), word)


def measured(device: str, mount: str) -> Disk | None:
    try:
        about = os.statvfs(mount)
    except OSError:
        return None
    total, size = about.f_blocks * about.f_frsize, about.f_frsize
    if not total:
        return None
    used = total - about.f_bfree * size
    return Disk(name=device, mount=mount, total=total, used=used, available=about.f_bavail * size)


def networks(proc: Path = PROC, sys: Path = SYS) -> Iterator[Network]:
    """Interfaces with an IPv4 address, the loopback one excepted."""
    for line in text(proc / "net" / "dev").splitlines()[2:]:
        name, _, numbers = line.partition(":")
        name, words = name.strip(), numbers.split()
        ip = ipv4(name)
        if ip and not ip.startswith("127.") and len(words) >= 9:
            mac = text(sys / "class" / "net" / name / "address").strip()
            yield Network(name=name, ip=ip, mac=mac, rx_bytes=int(words[0]), tx_bytes=int(words[8]))


def ipv4(interface: str) -> str | None:
    """The first IPv4 address of an interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            answer = fcntl.ioctl(probe, SIOCGIFADDR, struct.pack("256s", interface.encode()[:15]))
        except OSError:
            return None
    return socket.inet_ntoa(answer[20:24])


def gpus(sys: Path = SYS) -> Iterator[Gpu]:
    """Graphics cards by their PCI ids."""
    for file in sorted(sys.glob("class/drm/card[0-9]/device/vendor")):
        vendor = VENDORS.get(text(file).strip(), "other")
        device = text(file.with_name("device")).strip()
        yield Gpu(name=f"{vendor} {device}".strip(), vendor=vendor)


def text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
