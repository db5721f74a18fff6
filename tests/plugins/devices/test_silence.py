"""Devices that fall silent: told once, at the right time, and never while they are only not talking."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.devices import plugin as devices
from neomind_plugins.devices.presence import RESTART_GRACE_S
from neomind_plugins.devices.silence import Silence
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk import (
    Device,
    DeviceDirectory,
    DeviceOffline,
    DeviceOnline,
    DeviceTransportOffline,
    DeviceTransportOnline,
    DeviceType,
    Event,
    SettingsRegistry,
)
from neomind_sdk.testing import VirtualClock, make_host

OFFLINE = DeviceOffline(device_id="t1", reason="no data for 300 s")


class Home:
    """A host with the device ``t1``."""

    def __init__(self, host: Any) -> None:
        self.host = host
        self.directory = host.services[DeviceDirectory]
        self.clock = host.clock

    async def furnish(self, *, count: int = 1) -> None:
        await self.directory.register_type(DeviceType(device_type="thermometer", name="Thermometer"))
        for number in range(1, count + 1):
            device = Device(device_id=f"t{number}", name=f"t{number}", device_type="thermometer")
            await self.directory.register(device)
        await self.host.settle()
        self.host.events.clear()

    def speak(self, device_id: str = "t1") -> None:
        self.directory.seen(device_id, self.clock.now_ms())

    async def publish(self, event: Event) -> None:
        self.host.bus.publish(event)
        await self.host.settle()

    async def show(self, device_id: str = "t1") -> Any:
        answer = await self.host.client().get(f"/api/devices/{device_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    @property
    def told(self) -> list[Event]:
        return [event for event in self.host.events if isinstance(event, DeviceOnline | DeviceOffline)]

    @property
    def offline(self) -> list[DeviceOffline]:
        return list(self.host.events.of(DeviceOffline))


@pytest.fixture
async def home() -> AsyncIterator[Home]:
    async with make_host(devices) as host:
        home = Home(host)
        await home.furnish()
        yield home


async def test_silence_is_told_once_when_the_time_out_is_over(home: Home) -> None:
    home.speak()
    await home.clock.advance(299.999)
    assert home.offline == []
    await home.clock.advance(0.001)
    assert home.offline == [OFFLINE]
    await home.clock.advance(3600)
    assert home.offline == [OFFLINE]


async def test_online_and_offline_take_turns(home: Home) -> None:
    for _ in range(2):
        home.speak()
        home.speak()
        await home.clock.advance(100)
        home.speak()
        await home.clock.advance(400)
    online = DeviceOnline(device_id="t1", device_type="thermometer")
    assert home.told == [online, OFFLINE, online, OFFLINE]


async def test_a_sample_moves_the_time(home: Home) -> None:
    home.speak()
    await home.clock.advance(299)
    home.speak()
    await home.clock.advance(299)
    assert home.offline == []
    await home.clock.advance(1)
    assert home.offline == [OFFLINE]


async def test_the_view_says_since_when_and_why(home: Home) -> None:
    start = home.clock.now_ms() // 1000
    shown = await home.show()
    assert (shown["status"], shown["status_since"], shown["status_reason"]) == (
        "disconnected",
        None,
        "never heard from",
    )
    home.speak()
    await home.clock.advance(10)
    shown = await home.show()
    assert (shown["status"], shown["status_since"], shown["status_reason"]) == ("online", start, None)
    await home.clock.advance(1000)
    shown = await home.show()
    assert (shown["status"], shown["status_since"]) == ("offline", start + 300)
    assert shown["status_reason"] == "no data for 300 s"


# ---- connections ----


def up(client: str = "c1") -> DeviceTransportOnline:
    return DeviceTransportOnline(device_id="t1", client_id=client)


def down(client: str = "c1") -> DeviceTransportOffline:
    return DeviceTransportOffline(device_id="t1", client_id=client)


async def test_nobody_is_told_while_the_connection_is_up(home: Home) -> None:
    await home.publish(up())
    home.speak()
    await home.clock.advance(1000)
    shown = await home.show()
    assert (shown["status"], shown["online"], shown["transport_connected"]) == ("offline", False, True)
    assert shown["status_reason"] == "no data for 300 s"
    assert home.offline == []
    await home.publish(down())
    assert home.offline == [OFFLINE]
    assert (await home.show())["transport_connected"] is False


async def test_a_device_that_speaks_again_on_the_same_connection_was_never_away(home: Home) -> None:
    await home.publish(up())
    home.speak()
    await home.clock.advance(1000)
    home.speak()
    assert (await home.show())["status"] == "online"
    assert len(home.told) == 1
    await home.publish(down())
    assert len(home.told) == 1
    await home.clock.advance(300)
    assert home.offline == [OFFLINE]


async def test_a_lost_connection_alone_takes_nobody_offline(home: Home) -> None:
    await home.publish(up())
    home.speak()
    await home.publish(down())
    assert (await home.show())["status"] == "online"
    assert home.offline == []


async def test_a_new_connection_takes_over_before_the_old_one_is_gone(home: Home) -> None:
    await home.publish(up("old"))
    changed = (await home.show())["transport_changed_at"]
    await home.clock.advance(10)
    await home.publish(up("new"))
    await home.publish(down("old"))
    shown = await home.show()
    assert (shown["transport_connected"], shown["transport_changed_at"]) == (True, changed)
    await home.publish(down("new"))
    shown = await home.show()
    assert (shown["transport_connected"], shown["transport_changed_at"]) == (False, changed + 10)


async def test_a_connection_is_older_than_the_registration(home: Home) -> None:
    await home.publish(DeviceTransportOnline(device_id="t2", client_id="c"))
    await home.directory.register(Device(device_id="t2", name="t2", device_type="thermometer"))
    assert (await home.show("t2"))["transport_connected"] is True


async def test_a_connection_that_was_never_up_does_not_go_down(home: Home) -> None:
    await home.publish(down())
    shown = await home.show()
    assert (shown["transport_connected"], shown["transport_changed_at"]) == (False, None)


# ---- time-outs that change ----


async def test_a_shorter_time_out_holds_at_once(home: Home) -> None:
    home.speak()
    await home.clock.advance(100)
    await home.host.client().put("/api/devices/t1", json={"offline_timeout_secs": 150})
    await home.clock.advance(49)
    assert home.offline == []
    await home.clock.advance(1)
    assert home.offline == [DeviceOffline(device_id="t1", reason="no data for 150 s")]


async def test_a_time_out_that_is_over_already(home: Home) -> None:
    home.speak()
    await home.clock.advance(100)
    shorter = DeviceType(device_type="thermometer", name="Thermometer", default_offline_timeout_secs=50)
    await home.directory.register_type(shorter)
    await home.host.settle()
    assert home.offline == [DeviceOffline(device_id="t1", reason="no data for 50 s")]


async def test_a_longer_time_out_brings_a_device_back(home: Home) -> None:
    home.speak()
    await home.clock.advance(400)
    registry = home.host.services[SettingsRegistry]
    registry.replace("device", registry.merged("device", {"default_offline_timeout_secs": 500}))
    await home.host.settle()
    assert (await home.show())["status"] == "online"
    assert [type(event) for event in home.told] == [DeviceOnline, DeviceOffline, DeviceOnline]
    await home.clock.advance(100)
    assert home.offline[1:] == [DeviceOffline(device_id="t1", reason="no data for 500 s")]


async def test_a_removed_device_is_not_told_of(home: Home) -> None:
    home.speak()
    await home.directory.remove("t1")
    await home.clock.advance(1000)
    assert home.offline == []


async def test_setting_the_clock_of_the_machine_takes_nobody_offline(home: Home) -> None:
    home.speak()
    home.clock.jump_ms(3_600_000)
    await home.clock.advance(1)
    assert (await home.show())["status"] == "online"
    home.clock.jump_ms(-7_200_000)
    await home.clock.advance(298)
    assert home.offline == []
    await home.clock.advance(1)
    assert home.offline == [OFFLINE]


# ---- restarts ----


async def test_who_falls_silent_while_the_platform_is_down_is_offline_soon_after_the_start(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with make_host(devices, storage_sqlite, data_dir=tmp_path, clock=clock) as host:
        home = Home(host)
        await home.furnish(count=2)
        home.speak("t1")
        await clock.advance(250)
        home.speak("t2")
    await clock.advance(100)
    async with make_host(devices, storage_sqlite, data_dir=tmp_path, clock=clock) as host:
        home = Home(host)
        assert [home.directory.status(ident) for ident in ("t1", "t2")] == ["offline", "online"]
        await clock.advance(RESTART_GRACE_S - 1)
        assert home.told == []
        await clock.advance(1)
        assert home.told == [OFFLINE]
        await clock.advance(300)
        assert [event.device_id for event in home.told] == ["t1", "t2"]
    async with make_host(devices, storage_sqlite, data_dir=tmp_path, clock=clock) as host:
        home = Home(host)
        await clock.advance(1000)
        assert home.told == []
        assert (await home.show("t1"))["status_reason"] == "no data for 300 s"


async def test_who_comes_back_right_after_the_start_was_not_away(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with make_host(devices, storage_sqlite, data_dir=tmp_path, clock=clock) as host:
        home = Home(host)
        await home.furnish()
        home.speak()
    await clock.advance(3600)
    async with make_host(devices, storage_sqlite, data_dir=tmp_path, clock=clock) as host:
        home = Home(host)
        await clock.advance(10)
        home.speak()
        await clock.advance(299)
        assert home.told == []


# ---- many devices ----


async def test_a_sample_costs_as_much_among_ten_thousand_devices_as_among_ten() -> None:
    """Both measured here and now, in turns, the best of several runs of each."""
    few, many = await crowd(10), await crowd(10_000)
    samples = 20_000
    best = {10: 9e9, 10_000: 9e9}
    for _ in range(5):
        for size, presence in ((10, few), (10_000, many)):
            names = [f"t{number % size}" for number in range(samples)]
            start = time.perf_counter()
            for name in names:
                presence.hear(name, presence.clock.now_ms())
            best[size] = min(best[size], time.perf_counter() - start)
    assert best[10_000] < 5 * best[10]


async def crowd(size: int) -> Any:
    """The presence of so many devices that are online."""
    from neomind_plugins.devices.presence import Presence

    nothing: Any = None
    presence = Presence(nothing, VirtualClock(), nothing, lambda _: 300, lambda *_: None)
    for number in range(size):
        presence.hear(f"t{number}", presence.clock.now_ms())
    return presence


async def test_an_hour_of_ten_thousand_devices_asks_each_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    presence = await crowd(10_000)
    asked = 0
    again = Silence._ask_again

    def counted(self: Silence, key: str, now: float) -> None:
        nonlocal asked
        asked += 1
        again(self, key, now)

    monkeypatch.setattr(Silence, "_ask_again", counted)
    for _ in range(360):
        await presence.clock.advance(10)
        for number in range(0, 10_000, 10):  # a tenth of them talks every ten seconds
            presence.hear(f"t{number}", presence.clock.now_ms())
        while presence.silence.expire() == 0.0:
            pass
    assert asked <= 10_000 + 1000 * 13


# ---- any order of things ----


@given(st.lists(st.tuples(st.sampled_from("wfs"), st.integers(0, 4), st.integers(0, 20)), max_size=60))
def test_every_key_expires_when_it_is_due_and_not_before(steps: list[tuple[str, int, int]]) -> None:
    """Against the simplest thing that can be right: looking at everybody after every step."""
    now, due, watched, expired = [0.0], dict[str, float](), set[str](), list[str]()

    class Clock:
        def monotonic(self) -> float:
            return now[0]

    clock: Any = Clock()
    silence = Silence(clock, due.__getitem__, expired.append)
    for what, number, length in steps:
        key = f"k{number}"
        if what == "w":
            due[key] = now[0] + length
            watched.add(key)
            silence.watch(key)
        elif what == "f":
            watched.discard(key)
            silence.forget(key)
        else:
            now[0] += length
            over = {key for key in watched if due[key] <= now[0]}
            expired.clear()
            rest = silence.expire()
            assert sorted(expired) == sorted(over)
            watched -= over
            assert rest is None or rest >= 0
            assert (rest is None) == (not watched)
            assert {key for key in due if key in silence} == watched
