"""What a restart, or a crash, leaves of drafts."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from neomind_plugins.drafts.approving import Approver
from neomind_plugins.drafts.inbox import Inbox
from neomind_plugins.drafts.service import Drafts
from neomind_plugins.drafts.shelf import Shelf
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk import Device, DeviceDirectory, DeviceType, MetricDef, StorageFailed, TelemetryStore
from neomind_sdk.testing import VirtualClock, make_host

from .conftest import PLUGINS, World


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """Start a platform on the same data as before."""
    clock = VirtualClock()

    @asynccontextmanager
    async def started() -> AsyncIterator[World]:
        async with make_host(storage_sqlite, *PLUGINS, data_dir=tmp_path, clock=clock) as host:
            yield World(host)

    return started


async def until_analyzed(world: World, device_id: str = "dev-1") -> Any:
    """The draft when all its samples were looked at: SQLite has threads of its own, so turns are not enough."""
    draft = world.host.services[Shelf].require(device_id)
    inbox = world.host.services[Inbox]
    inbox.news()
    await world.host.services[Approver].analyst.look(draft)
    return await world.data("GET", f"/{device_id}")


async def test_drafts_survive(start: Any) -> None:
    async with start() as world:
        for number in range(3):
            await world.offer("dev-1", {"temperature": number}, ts_ms=1_600_000_000_000 + number, quality=0.5)
        await world.mqtt("bin", b"\xff", original_topic="a/b", adapter_id="embedded")
        await world.data("PUT", "/dev-1", json={"name": "Kitchen", "description": "words"})
        await world.data("PUT", "/config", json={"max_samples": 7})
        before = await until_analyzed(world)
        other = await until_analyzed(world, "bin")
    async with start() as world:
        assert await until_analyzed(world) == before
        assert await until_analyzed(world, "bin") == other
        assert (before["sample_count"], before["max_samples"], before["user_name"]) == (3, 7, "Kitchen")
        await world.offer("dev-1", {"temperature": 3}, ts_ms=1_600_000_000_003)
        await world.data("POST", "/dev-1/approve")
        samples = (await world.history("dev-1"))["temperature"]
        assert [(at.ts_ms - 1_600_000_000_000, at.value, at.quality) for at in samples] == [
            (0, 0, 0.5),
            (1, 1, 0.5),
            (2, 2, 0.5),
            (3, 3, None),
        ]
    async with start() as world:
        assert [item["device_id"] for item in (await world.data("GET"))["items"]] == ["bin"]


class Slow:
    """A database whose writes are done, and not yet known to be."""

    def __init__(self, database: Any) -> None:
        self.database, self.written, self.known = database, asyncio.Event(), asyncio.Event()

    async def write(self, work: Any) -> Any:
        result = await self.database.write(work)
        self.written.set()
        await self.known.wait()
        return result


async def test_an_analysis_undoes_no_name_that_is_given_meanwhile(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with start() as world:
        await world.offer("dev-1", {"temperature": 1})
        await until_analyzed(world)
        await world.offer("dev-1", {"temperature": 2})
        drafts = world.host.services[Drafts]
        slow = Slow(drafts.database)
        monkeypatch.setattr(drafts, "database", slow)
        naming = asyncio.create_task(world.data("PUT", "/dev-1", json={"name": "Kitchen"}))
        await slow.written.wait()
        await drafts.analyst.look(drafts.require("dev-1"))
        drafts.analyze("dev-1")
        await drafts.analyst.look(drafts.require("dev-1"))
        slow.known.set()
        await naming
    async with start() as world:
        assert (await until_analyzed(world))["user_name"] == "Kitchen"


async def test_samples_that_nobody_looked_at_before_the_crash(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with start() as world:
        monkeypatch.setattr(Inbox, "_noted", lambda *_: None)
        await world.offer("dev-1", {"temperature": 1})
        assert (await world.data("GET", "/dev-1"))["status"] == "collecting"
    monkeypatch.undo()
    async with start() as world:
        assert (await until_analyzed(world))["status"] == "waiting_processing"


async def crash_while_approving(world: World, monkeypatch: pytest.MonkeyPatch, place: str, **wish: str) -> None:
    """Everything from one step on fails, as when the process dies there."""

    async def dead(*_args: Any) -> Any:
        raise StorageFailed("dead")

    await world.offer("dev-1", {"t": 1}, ts_ms=1_600_000_000_000)
    await world.offer("dev-1", {"t": 2}, ts_ms=1_600_000_000_000)
    with monkeypatch.context() as patched:
        if place == "register_type":
            patched.setattr(world.host.services[DeviceDirectory], "register_type", dead)
            patched.setattr(Approver, "_take_back", dead)
        if place == "register":
            patched.setattr(world.host.services[DeviceDirectory], "register", dead)
            patched.setattr(Approver, "_take_back", dead)
        if place == "history":
            patched.setattr(world.host.services[TelemetryStore], "append", dead)
        if place == "delete":
            patched.setattr("neomind_plugins.drafts.tables.delete", lambda key: 1 / 0)
        assert (await world.call("POST", "/dev-1/approve", json=wish)).status_code in (500, 503)


@pytest.mark.parametrize("place", ["register_type", "register"])
async def test_a_crash_before_the_device_is_registered_leaves_a_draft(
    start: Any, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    async with start() as world:
        await crash_while_approving(world, monkeypatch, place)
    async with start() as world:
        assert (await until_analyzed(world))["status"] == "waiting_processing"
        assert world.host.services[DeviceDirectory].get("dev-1") is None
        await world.data("POST", "/dev-1/approve")
        assert [sample.value for sample in (await world.history("dev-1"))["t"]] == [1, 2]


@pytest.mark.parametrize("place", ["history", "delete"])
@pytest.mark.parametrize("again", [False, True])
async def test_a_crash_after_that_leaves_a_device_and_its_history_comes(
    start: Any, monkeypatch: pytest.MonkeyPatch, place: str, again: bool
) -> None:
    async with start() as world:
        await crash_while_approving(world, monkeypatch, place)
        assert (await world.data("GET", "/dev-1"))["status"] == "registering"
        if again:
            await world.data("POST", "/dev-1/approve")
    async with start() as world:
        await world.host.services[Drafts].resume()  # as the start does in the background
        device = world.host.services[DeviceDirectory].get("dev-1")
        assert isinstance(device, Device)
        assert (await world.data("GET"))["count"] == 0
        assert [sample.value for sample in (await world.history("dev-1"))["t"]] == [1, 2]


@pytest.mark.parametrize("place", ["history", "delete"])
async def test_a_crash_where_the_type_keeps_no_whole_messages(
    start: Any, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """A message of which the type takes nothing leaves no trace in the history: the others tell."""
    async with start() as world:
        kind = DeviceType(device_type="bare", name="Bare", metrics=(MetricDef(name="t"),), store_raw=False)
        await world.host.services[DeviceDirectory].register_type(kind)
        await world.offer("dev-1", {"other": 1, "more": 2})
        await world.host.clock.advance(1)
        await crash_while_approving(world, monkeypatch, place, existing_type="bare")
    async with start() as world:
        assert (await world.call("POST", "/dev-1/approve")).status_code in (200, 404)
        history = await world.history("dev-1")
        assert {name: [sample.value for sample in found] for name, found in history.items()} == {"t": [1, 2]}


async def test_a_device_was_registered_and_the_decision_was_forgotten(start: Any, monkeypatch: Any) -> None:
    """A write whose outcome is not known may have happened."""
    async with start() as world:
        await world.offer("dev-1", {"t": 1})
        monkeypatch.setattr("neomind_plugins.drafts.tables.delete", lambda key: 1 / 0)
        await world.call("POST", "/dev-1/approve")
        monkeypatch.undo()
        await world.host.services[TelemetryStore].delete_source("device:dev-1")
    async with start() as world:
        for _ in range(2):
            await world.call("POST", "/dev-1/approve")
        assert [sample.value for sample in (await world.history("dev-1"))["t"]] == [1]


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from neomind_plugins.devices import plugin as devices
from neomind_plugins.drafts import plugin as drafts
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk import DiscoveryInbox, UnknownSample
from neomind_sdk.testing import make_host

async def main():
    async with make_host(storage_sqlite, devices, drafts, data_dir=Path(sys.argv[1])) as host:
        async def send(device):
            for number in range(10):
                sample = UnknownSample(
                    device_id=f"d{device}", source="mqtt", payload={"n": number}, received_ms=host.clock.now_ms()
                )
                if await host.services[DiscoveryInbox].offer(sample):
                    os.write(1, f"d{device} {number}\\n".encode())
                if device == 7 and number == 5:
                    os.kill(os.getpid(), signal.SIGKILL)
        await asyncio.gather(*[send(device) for device in range(8)])

asyncio.run(main())
"""


KILLED_APPROVING = """
import asyncio, os, signal, sys
from pathlib import Path
from neomind_plugins.devices import plugin as devices
from neomind_plugins.drafts import plugin as drafts
from neomind_plugins.drafts.models import Wish
from neomind_plugins.drafts.service import Drafts
from neomind_plugins.drafts.shelf import Shelf
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_plugins.telemetry import plugin as telemetry
from neomind_sdk import DeviceDirectory, Ingest, TelemetryStore, Uplink
from neomind_sdk.testing import make_host

def die(*args):
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    plugins = (storage_sqlite, devices, telemetry, drafts)
    async with make_host(*plugins, data_dir=Path(sys.argv[1])) as host:
        now_ms = host.clock.now_ms()
        for number in (1, 2):
            uplink = Uplink(device_id="dev-1", payload={"t": number}, received_ms=now_ms, transport="mqtt")
            assert (await host.services[Ingest].submit([uplink]))[0].draft
        places = {
            "begin": (DeviceDirectory, "register_type", False),
            "type": (DeviceDirectory, "register_type", True),
            "device": (DeviceDirectory, "register", True),
            "history": (TelemetryStore, "append", True),
            "end": (Shelf, "remove", False),
        }
        key, name, after = places[sys.argv[2]]
        found = host.services[key]
        real = getattr(found, name)
        async def patched(*args):
            await real(*args)
            die()
        setattr(found, name, patched if after else die)
        await host.services[Drafts].approve("dev-1", Wish())

asyncio.run(main())
"""


def killed_run(script: str, *arguments: str) -> str:
    """What a process that killed itself had told before."""
    command = [sys.executable, "-c", script, *arguments]
    killed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert killed.returncode == -9, killed.stderr
    return killed.stdout


@pytest.mark.parametrize("place", ["begin", "type", "device", "history", "end"])
async def test_kill_9_between_the_steps_of_an_approval(start: Any, tmp_path: Path, place: str) -> None:
    killed_run(KILLED_APPROVING, str(tmp_path), place)
    async with start() as world:
        directory = world.host.services[DeviceDirectory]
        assert (directory.get("dev-1") is None) is (place in ("begin", "type"))
        if directory.get("dev-1") is None:
            assert (await until_analyzed(world))["sample_count"] == 2
            await world.data("POST", "/dev-1/approve")
        await world.host.services[Drafts].resume()
        assert [sample.value for sample in (await world.history("dev-1"))["t"]] == [1, 2]
        assert (await world.data("GET"))["count"] == 0


async def test_what_was_acknowledged_survives_kill_9(start: Any, tmp_path: Path) -> None:
    told = [line.split() for line in killed_run(KILLED, str(tmp_path)).splitlines()]
    assert len(told) > 30
    async with start() as world:
        for device_id in {device_id for device_id, _ in told}:
            await world.data("POST", f"/{device_id}/approve")
            kept = [sample.value for sample in (await world.history(device_id))["n"]]
            acknowledged = [int(number) for name, number in told if name == device_id]
            assert kept[: len(acknowledged)] == acknowledged
            assert len(kept) <= len(acknowledged) + 1
