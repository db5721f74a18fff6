"""Firings that wait in the table: each runs once, whatever happens while they are read."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from neomind_plugins.rules import runner, tables
from neomind_plugins.rules.kept import Raised
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk import Database
from neomind_sdk.testing import VirtualClock

from .conftest import BLINK, Blink, House, Late, house_with

RULES = 20


async def test_a_firing_that_ends_while_a_page_is_read_does_not_run_again(house: House) -> None:
    house.blink.gate = gate = asyncio.Event()
    rule_id = await house.add(cooldown=0)
    await house.store(90)
    assert house.blinks == 1
    running = house.rules.runner
    running.database = page = Late(running.database)
    running._more.set()  # as after a start, or a storm
    await page.done.wait()  # the firing is pending on it
    gate.set()
    await house.host.settle()
    assert running.waiting == 0  # and its end is durable
    page.go.set()
    await house.settle()
    assert house.blinks == 1
    await house.store(91)  # negative control: others run
    assert house.blinks == 2
    assert len(await house.history(rule_id)) == 2


async def test_a_firing_that_is_on_a_page_before_its_writer_hears_of_it_runs_once(house: House) -> None:
    house.blink.gate = gate = asyncio.Event()
    await house.add(cooldown=0)
    recorder, running = house.rules.parts.recorder, house.rules.runner
    await house.host.settle()
    recorder.database = written = Late(recorder.database)
    await house.store(90)
    await written.done.wait()
    running._more.set()
    await house.host.settle()
    assert house.blinks == 1  # it came from the table
    written.go.set()
    await house.host.settle()
    gate.set()
    await house.settle()
    assert house.blinks == 1
    await house.store(91)
    assert house.blinks == 2


async def left_behind(house: House, count: int) -> None:
    """So many firings of some rules, as a storm or a crash leaves them."""
    await house.furnish()
    ids = [await house.add(name=f"r{number}", cooldown=0) for number in range(RULES)]
    first = house.rules.parts.recorder.number()
    firings = [
        Raised(
            number=first + n, rule_id=ids[n % RULES], rule_name="r", kind="data_change", fired_ms=n, actions=(BLINK,)
        )
        for n in range(count)
    ]
    await house.host.services[Database].write(lambda: tables.put_firings(firings))


@pytest.mark.parametrize(
    ("count", "memory"), [(3000, 200), pytest.param(8000, runner.WAITING_MAX, marks=pytest.mark.slow)]
)
async def test_each_of_thousands_runs_once_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, memory: int
) -> None:
    """The less memory takes, the more often the table is read while actions run."""
    monkeypatch.setattr(runner, "WAITING_MAX", memory)
    monkeypatch.setattr(runner, "PAGE", memory // 10)
    clock = VirtualClock()
    async with house_with(Blink(), storage_sqlite, data_dir=tmp_path, clock=clock) as house:
        await left_behind(house, count)
    await clock.advance(60)
    async with house_with(Blink(), storage_sqlite, data_dir=tmp_path, clock=clock) as house:
        running = house.rules.runner
        for turn in range(4000):
            await house.host.settle()
            await asyncio.sleep(0.005)
            if turn < 20:
                await house.store(90 + turn % 2)  # values go on coming
            elif not running.waiting and not running._more.is_set():
                break
        counts = Counter(firing.fired_ms for firing in house.blink.firings)
        assert [n for n in range(count) if counts[n] != 1] == []
