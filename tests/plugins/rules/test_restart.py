"""What a restart, or a crash, leaves of rules."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk import RuleExecuted
from neomind_sdk.testing import VirtualClock

from .conftest import BLINK, Blink, House, data, house_with, leaf, logic


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """Start a platform on the same data as before."""
    clock = VirtualClock()

    @asynccontextmanager
    async def started(*more: Any) -> AsyncIterator[House]:
        async with house_with(Blink(), storage_sqlite, *more, data_dir=tmp_path, clock=clock) as house:
            if not house.rules.all():
                await house.furnish()
            yield house

    return started


async def until_blinks(house: House, count: int) -> None:
    """SQLite has threads of its own, so turns of the loop are not enough."""
    for _ in range(400):
        await house.host.settle()
        if house.blinks >= count:
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"{house.blinks} of {count} firings ran")


async def written(house: House) -> None:
    for _ in range(400):
        await house.settle()
        if not house.rules.parts.recorder._gathered and not house.rules.parts.recorder._writing.locked():
            return
        await asyncio.sleep(0.005)


async def test_rules_survive(start: Any) -> None:
    condition = logic("and", leaf(), {"condition_type": "range", "source": "device:boiler:h", "min": 1, "max": 2.5})
    async with start() as house:
        members = {"tags": ["a"], "for_duration": 500, "source": {"ui": [1, None]}, "description": "d", "cooldown": 1}
        rule_id = await house.add(condition=condition, **members)
        before = await house.show(rule_id)
    async with start() as house:
        assert await house.show(rule_id) == before


async def test_half_a_duration_is_not_forgotten(start: Any) -> None:
    async with start() as house:
        await house.add(for_duration=100_000)
        await house.store(81)
        await house.pass_s(50)
        await written(house)
    async with start() as house:
        await house.pass_s(49)
        assert house.blinks == 0
        await house.pass_s(2)
        await until_blinks(house, 1)
        # The clock of the test may go on while SQLite looks up the value.
        assert 100_000 <= house.blink.firings[0].fired_ms - 1_700_000_000_000 <= 101_000


async def test_a_duration_that_ended_meanwhile_fires_at_once(start: Any) -> None:
    async with start() as house:
        await house.add(for_duration=100_000)
        await house.store(81)
        await house.pass_s(50)
        await written(house)
        clock = house.clock
    await clock.advance(1000)
    async with start() as house:
        await house.pass_s(0.01)
        await until_blinks(house, 1)


async def test_a_condition_that_does_not_hold_any_more_does_not_fire(start: Any) -> None:
    async with start() as house:
        await house.add(for_duration=100_000)
        await house.store(81)
        await written(house)
        # Stored, and the platform dies before rules hear of it.
        from neomind_sdk import Point, TelemetryStore

        await house.clock.advance(1)
        await house.host.services[TelemetryStore].append([Point("device:boiler:t", house.clock.now_ms(), 20)])
    async with start() as house:
        for _ in range(5):
            await house.pass_s(50)
        assert house.blinks == 0


async def test_a_cooldown_survives(start: Any) -> None:
    async with start() as house:
        await house.add(cooldown=100_000)
        await house.store(81)
        await until_blinks(house, 1)
        await house.pass_s(50)
        await written(house)
    async with start() as house:
        await house.pass_s(40)
        await house.store(82)
        await house.pass_s(0.1)
        assert house.blinks == 0
        await house.pass_s(11)
        await house.store(83)
        await until_blinks(house, 1)
        [rule] = data(await house.api.get("/api/rules"))["rules"]
        assert rule["trigger_count"] == 2


async def test_a_pause_survives(start: Any) -> None:
    async with start() as house:
        rule_id = await house.add(cooldown=0)
        await house.store(90, hops=8)
        await written(house)
    async with start() as house:
        assert (await house.show(rule_id))["state"] == "paused"
        await house.store(90)
        assert house.blinks == 0


async def test_schedules_survive(start: Any) -> None:
    async with start() as house:
        await house.add(trigger={"trigger_type": "schedule", "interval": 10}, condition=None, cooldown=0)
    async with start() as house:
        for count in (1, 2, 3):
            await house.pass_s(10.5)
            await until_blinks(house, count)


async def test_what_was_raised_and_not_run_runs_after_the_start(start: Any) -> None:
    async with start() as house:
        rule_id = await house.add(cooldown=0, actions=[BLINK, {"type": "blink", "message": "two"}])
        house.blink.gate = asyncio.Event()
        await house.store(90)
        await until_blinks(house, 1)
        await house.store(91)
        await house.store(92)
        await written(house)
    async with start() as house:
        # The action that was under way runs again, nothing else does, and nothing is left out.
        await until_blinks(house, 6)
        await written(house)
        assert house.blink.messages == ["hot", "two"] * 3
        assert [execution["values"]["device:boiler:t"] for execution in await house.history(rule_id)] == [92, 91, 90]
        assert len(house.host.events.of(RuleExecuted)) == 3
    async with start() as house:
        await house.pass_s(20)
        assert house.blinks == 0


async def test_actions_that_were_done_are_not_done_again(start: Any) -> None:
    async with start() as house:
        await house.add(cooldown=0, actions=[BLINK, {"type": "blink", "message": "two"}])
        first = True

        async def second_hangs(_firing: Any) -> None:
            nonlocal first
            if not first:
                await asyncio.Event().wait()
            first = False

        house.blink.then = second_hangs
        house.blink.gate = asyncio.Event()
        house.blink.gate.set()
        await house.store(90)
        await until_blinks(house, 2)
    async with start() as house:
        await until_blinks(house, 1)
        await written(house)
        assert house.blink.messages == ["two"]


async def test_what_was_left_of_a_rule_that_is_disabled_or_deleted_is_called_off(start: Any) -> None:
    async with start() as house:
        kept, gone = await house.add(cooldown=0), await house.add(cooldown=0)
        house.blink.gate = asyncio.Event()
        await house.store(90)
        await until_blinks(house, 2)
        await house.store(91)
        await written(house)
        data(await house.api.post(f"/api/rules/{kept}/enable", json={"enabled": False}))
        data(await house.api.delete(f"/api/rules/{gone}"))
        house.blink.gate.set()
        await written(house)
        assert house.blinks == 2
        [newest, oldest] = await house.history(kept)
        assert (newest["state"], newest["error"]) == ("cancelled", "the rule was disabled")
        assert oldest["success"] is True


async def test_a_plugin_that_starts_later_brings_its_action(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with house_with(Blink(), storage_sqlite, data_dir=tmp_path, clock=clock) as house:
        await house.furnish()
        await house.add(cooldown=0)
        house.blink.gate = asyncio.Event()
        await house.store(90)
        await until_blinks(house, 1)
    async with house_with(Blink(), storage_sqlite, data_dir=tmp_path, clock=clock) as house:
        kept, platform = house.rules.parts.types._platform.contributions, house.rules.parts.types._platform
        platform.contributions = lambda kind: []  # type: ignore[method-assign]
        try:
            for _ in range(4):
                await house.host.settle()
                await asyncio.sleep(0.01)
            await house.clock.advance(2)
            assert house.blinks == 0
        finally:
            platform.contributions = kept  # type: ignore[method-assign]
        for _ in range(20):
            await house.clock.advance(1)
            await asyncio.sleep(0.005)
        await until_blinks(house, 1)


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.plugins.rules.conftest import Blink, house_with
from neomind_plugins.storage_sqlite import plugin as storage_sqlite

async def main():
    blink = Blink()
    async def then(firing):
        os.write(1, f"{firing.rule_name}\\n".encode())
        if len(blink.firings) >= 30:
            os.kill(os.getpid(), signal.SIGKILL)
    blink.then = then
    async with house_with(blink, storage_sqlite, data_dir=Path(sys.argv[1])) as house:
        await house.furnish()
        blink.gate = asyncio.Event()
        for number in range(100):
            await house.add(name=f"r{number}")
        await house.store(90)
        while house.rules.runner.waiting < 100:
            await asyncio.sleep(0.005)
        blink.gate.set()
        await asyncio.sleep(30)

asyncio.run(main())
"""


async def test_kill_9_loses_nothing_and_repeats_only_what_was_under_way(start: Any, tmp_path: Path) -> None:
    root = str(Path(__file__).parents[3])
    command = [sys.executable, "-c", KILLED, str(tmp_path), root]
    killed = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
    assert killed.returncode == -9, killed.stderr
    before = re.findall(r"^r\d+$", killed.stdout, re.MULTILINE)  # the log goes there too
    assert len(before) >= 22
    async with start() as house:
        await until_blinks(house, 100 - len(before))
        await written(house)
        after = [firing.rule_name for firing in house.blink.firings]
        assert set(before) | set(after) == {f"r{number}" for number in range(100)}
        assert len(after) == len(set(after))
        # Of each worker the action that ran, and ends that were not yet on the disk: no more than a batch.
        repeated = set(before) & set(after)
        assert len(repeated) <= 30
