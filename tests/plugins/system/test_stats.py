"""The numbers of the platform and of its machine."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from neomind_plugins.devices import plugin as devices
from neomind_plugins.system import machine
from neomind_plugins.system import plugin as system
from neomind_plugins.system.machine import Memory, Reading, Ticks
from neomind_plugins.system.models import Disk, Network
from neomind_plugins.system.stats import Stats
from neomind_sdk import Platform
from neomind_sdk.testing import make_host

from .conftest import data, part

STATS = "/api/stats/system"
STAT = "cpu  100 10 40 800 50 5 5 2 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"
MEMINFO = "MemTotal:       1000 kB\nMemFree:         200 kB\nMemAvailable:    600 kB\nHugePages_Total:   0\n"
NET = (
    "Inter-|   Receive   |  Transmit\n face |bytes packets |bytes\n"
    "    lo: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n"
    "  eth0: 1000 3 0 0 0 0 0 0 2000 4 0 0 0 0 0 0\n"
    "  tun0: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
)
ADDRESSES = {"lo": "127.0.0.1", "eth0": "192.0.2.7"}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A ``/proc`` and a ``/sys`` of a machine that is not this one."""
    proc, sysfs = tmp_path / "proc", tmp_path / "sys"
    (proc / "net").mkdir(parents=True)
    (tmp_path / "a disk").mkdir()
    blank = str(tmp_path / "a disk").replace(" ", "\\040")
    mounts = [
        "proc /proc proc rw 0 0",
        f"/dev/sda1 {tmp_path} ext4 rw 0 0",
        f"/dev/sda1 {tmp_path}/bind ext4 rw 0 0",
        f"/dev/sdb1 {blank} ext4 rw 0 0",
        f"/dev/sdc1 {tmp_path}/gone ext4 rw 0 0",
        f"/dev/loop0 {tmp_path} squashfs ro 0 0",
        "server:/export /mnt/nfs nfs rw 0 0",
        "overlay / overlay rw 0 0",
        "malformed",
    ]
    (proc / "stat").write_text(STAT)
    (proc / "meminfo").write_text(MEMINFO)
    (proc / "mounts").write_text("\n".join(mounts))
    (proc / "net" / "dev").write_text(NET)
    for name, mac in (("eth0", "02:00:00:00:00:01\n"), ("tun0", "\n")):
        (sysfs / "class" / "net" / name).mkdir(parents=True)
        (sysfs / "class" / "net" / name / "address").write_text(mac)
    for card, vendor in (("card0", "0x8086"), ("card1", "0x1234")):
        (sysfs / "class" / "drm" / card / "device").mkdir(parents=True)
        (sysfs / "class" / "drm" / card / "device" / "vendor").write_text(f"{vendor}\n")
        (sysfs / "class" / "drm" / card / "device" / "device").write_text("0x46a6\n")
    monkeypatch.setattr(machine, "ipv4", ADDRESSES.get)
    return proc, sysfs


def test_a_look_at_a_machine(tree: tuple[Path, Path], tmp_path: Path) -> None:
    reading = machine.read(*tree)
    assert reading.ticks == Ticks(busy=162, total=1012)
    assert reading.memory == Memory(total=1_024_000, free=204_800, available=614_400)
    assert reading.memory.used == 409_600
    assert reading.networks == [
        Network(name="eth0", ip="192.0.2.7", mac="02:00:00:00:00:01", rx_bytes=1000, tx_bytes=2000)
    ]
    assert [(disk.name, disk.mount) for disk in reading.disks] == [
        ("/dev/sda1", str(tmp_path)),
        ("/dev/sdb1", str(tmp_path / "a disk")),
        ("overlay", "/"),
    ]
    for disk in reading.disks:
        assert 0 <= disk.used <= disk.total
        assert 0 <= disk.available <= disk.total
    assert [(gpu.name, gpu.vendor) for gpu in reading.gpus] == [("intel 0x46a6", "intel"), ("other 0x46a6", "other")]


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    assert machine.read(tmp_path, tmp_path) == Reading(ticks=Ticks(), memory=Memory(), disks=[], networks=[], gpus=[])


@pytest.mark.parametrize("stat", ["", "cpu", "cpu a b c d e f g h", "intr 1 2 3"])
def test_an_odd_stat(tmp_path: Path, stat: str) -> None:
    (tmp_path / "stat").write_text(stat)
    assert machine.ticks(tmp_path).total in (0, 6)


@pytest.mark.parametrize(
    ("before", "after", "usage"),
    [
        (Ticks(0, 0), Ticks(50, 200), 25.0),
        (Ticks(50, 200), Ticks(50, 200), 0.0),
        (Ticks(50, 200), Ticks(150, 300), 100.0),
        (Ticks(50, 200), Ticks(10, 100), 0.0),
        (Ticks(50, 200), Ticks(40, 300), 0.0),
    ],
)
def test_usage(before: Ticks, after: Ticks, usage: float) -> None:
    assert after.usage_since(before) == usage


@pytest.mark.skipif(sys.platform != "linux", reason="needs the loopback interface of Linux")
def test_addresses_of_interfaces() -> None:
    assert machine.ipv4("lo") in ("127.0.0.1", None)
    assert machine.ipv4("nothing-such") is None


# ---- over HTTP ----


async def test_the_shape_of_the_contract(host: Any) -> None:
    answer = data(await host.client("viewer").get(STATS))
    stats = answer.pop("stats")
    assert stats["system"] == answer
    assert set(answer) == {
        "version",
        "uptime",
        "platform",
        "arch",
        "cpu_count",
        "total_memory",
        "used_memory",
        "free_memory",
        "available_memory",
        "cpu_usage",
        "gpus",
        "disks",
        "networks",
    }
    assert answer["version"] == host.services[Platform].version
    assert answer["cpu_count"] == os.cpu_count()
    assert 0 <= answer["cpu_usage"] <= 100
    assert answer["used_memory"] <= answer["total_memory"]
    assert stats["devices"] == {
        "total_devices": 0,
        "online_devices": 0,
        "offline_devices": 0,
        "devices_with_metrics": 0,
    }
    assert stats["rules"] == {"total_rules": 0, "enabled_rules": 0, "disabled_rules": 0, "triggered_today": 0}
    assert stats["alerts"] == {
        "active_alerts": 0,
        "by_severity": {"info": 0, "warning": 0, "critical": 0, "emergency": 0},
        "alerts_today": 0,
    }


async def test_devices_are_counted() -> None:
    async with make_host(system, devices) as host:
        client = host.client()
        kind: dict[str, Any] = {
            "device_type": "meter",
            "name": "Meter",
            "metrics": [{"name": "power", "data_type": "float"}],
        }
        bare: dict[str, Any] = {"device_type": "bare", "name": "Bare"}
        for each in (kind, bare):
            assert (await client.post("/api/devices/types", json=each)).status_code == 200
        for name, device_type in (("a", "meter"), ("b", "meter"), ("c", "bare")):
            body: dict[str, Any] = {
                "name": name,
                "device_id": name,
                "device_type": device_type,
                "connection_config": {},
            }
            assert (await client.post("/api/devices", json=body)).status_code == 200
        found = data(await client.get(STATS))["stats"]["devices"]
    assert found == {"total_devices": 3, "online_devices": 0, "offline_devices": 3, "devices_with_metrics": 2}


async def test_what_runs_and_is_not_counted_here_is_not_zero() -> None:
    async with make_host(system, part("rules"), part("messages"), storage=False) as host:
        stats = data(await host.client().get(STATS))["stats"]
    assert stats["rules"]["total_rules"] is None
    assert stats["alerts"]["active_alerts"] is None
    assert set(stats["alerts"]["by_severity"].values()) == {None}


class Looks:
    """Counts looks at the machine, and where they were taken."""

    def __init__(self) -> None:
        self.threads: list[str] = []

    def __call__(self) -> Reading:
        self.threads.append(threading.current_thread().name)
        busy = 10 * len(self.threads)
        disk = Disk(name="/dev/sda1", mount="/", total=3, used=1, available=2)
        ticks = Ticks(busy=busy, total=100 * len(self.threads))
        return Reading(ticks=ticks, memory=Memory(total=9, available=4), disks=[disk], networks=[], gpus=[])


async def test_looks_are_taken_in_a_thread_and_kept_for_five_seconds(host: Any) -> None:
    looks = Looks()
    stats = host.services[Stats]
    stats._look, stats._ticks = looks, Ticks()
    client = host.client()
    first = data(await client.get(STATS))
    await host.clock.advance(4.9)
    assert data(await client.get(STATS)) == first
    assert len(looks.threads) == 1
    await host.clock.advance(0.2)
    second = data(await client.get(STATS))
    assert len(looks.threads) == 2
    assert threading.main_thread().name not in looks.threads
    assert (first["uptime"], second["uptime"]) == (0, 5)
    assert (first["cpu_usage"], second["cpu_usage"]) == (10.0, 10.0)
    assert (second["used_memory"], second["available_memory"]) == (5, 4)
    assert second["disks"] == [{"name": "/dev/sda1", "mount": "/", "total": 3, "used": 1, "available": 2}]
