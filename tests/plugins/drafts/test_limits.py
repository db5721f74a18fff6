"""What unknown devices may send: how often, how much, how many of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from neomind_plugins.drafts.limits import BLOCK_S, DRAFTS_MAX, KNOWN_MAX, Limits
from neomind_sdk.testing import VirtualClock, make_host

from .conftest import PLUGINS, World


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def limits(clock: VirtualClock) -> Limits:
    return Limits(clock)


async def test_ten_a_minute_of_a_device(clock: VirtualClock, limits: Limits) -> None:
    for _ in range(10):
        assert limits.admit("a", "")
        await clock.advance(1)
    assert not limits.admit("a", "")
    assert limits.admit("b", "")
    await clock.advance(49.5)
    assert not limits.admit("a", "")
    await clock.advance(0.5)
    assert limits.admit("a", "")
    assert not limits.admit("a", "")


async def test_twenty_of_a_device_and_an_hour_of_rest(clock: VirtualClock, limits: Limits) -> None:
    for _ in range(20):
        assert limits.admit("a", "")
        await clock.advance(7)
    assert not limits.admit("a", "")
    await clock.advance(BLOCK_S - 7.1)
    assert not limits.admit("a", "")
    await clock.advance(0.2)
    assert limits.admit("a", "")


async def test_thirty_a_minute_of_an_address(clock: VirtualClock, limits: Limits) -> None:
    assert [limits.admit(f"d{n}", "10.0.0.1") for n in range(32)] == [True] * 30 + [False] * 2
    assert limits.admit("d99", "10.0.0.2")
    clock.jump_ms(3_600_000)  # setting the clock is no waiting
    assert not limits.admit("d99", "10.0.0.1")
    await clock.advance(60)
    assert limits.admit("d99", "10.0.0.1")


def test_counting_needs_bounded_memory(limits: Limits) -> None:
    for number in range(KNOWN_MAX + 100):
        limits.admit(f"d{number}", f"10.0.{number // 256}.{number % 256}")
    assert len(limits._devices) == len(limits._addresses) == KNOWN_MAX


async def test_a_webhook_that_sends_too_much(world: Any) -> None:
    codes = [(await world.post("boiler", {"t": number})).status_code for number in range(12)]
    assert codes == [200] * 10 + [404] * 2
    assert (await world.data("GET", "/boiler"))["sample_count"] == 10


async def test_many_devices_behind_one_address(world: Any) -> None:
    codes = [(await world.post(f"d{number}", {"t": 1})).status_code for number in range(31)]
    assert codes == [200] * 30 + [404]
    other = world.host.client(role=None, address="192.0.2.7")
    assert (await other.post("/api/devices/d99/webhook", json={"t": 1})).status_code == 200


async def test_fifty_drafts(world: Any) -> None:
    kept = [(await world.mqtt(f"d{number}", {"t": 1}))[0] for number in range(DRAFTS_MAX)]
    assert all(kept)
    assert await world.offer("one-more") is False
    assert await world.offer("d0") is True
    await world.data("POST", "/d1/reject")
    assert await world.offer("one-more") is True


async def test_all_samples_together(world: Any) -> None:
    for number in range(32):
        assert await world.offer(f"d{number}", bytes(1536 * 1024))  # 2 MiB as text
    assert await world.offer("d99", {"t": 1}) is False
    await world.data("POST", "/d0/reject")
    assert await world.offer("d99", {"t": 1}) is True


@pytest.fixture
async def small() -> AsyncIterator[World]:
    async with make_host(*PLUGINS, settings={"drafts": {"max_samples": 3}}) as host:
        yield World(host)


async def test_a_draft_collects_until_it_is_full(small: Any) -> None:
    for number, kept in enumerate((True, True, True, False)):
        assert await small.offer("boiler", {f"t{number}": 1}) is kept
        draft = await small.analyzed("boiler")
        assert draft["status"] == "waiting_processing"
        assert draft["generated_type"]["summary"]["samples_analyzed"] == draft["sample_count"] == min(number + 1, 3)
    assert [metric["path"] for metric in draft["generated_type"]["metrics"]] == ["t0", "t1", "t2"]
    assert draft["max_samples"] == 3
    assert (await small.post("boiler", {"t": 1})).status_code == 404
    await small.data("POST", "/boiler/approve")
    assert (await small.post("boiler", {"t0": 5})).json()["data"]["metrics_received"] == 2
