"""A pause ends when somebody enables the rule again, and what was answered is kept."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from neomind_plugins.rules import tables
from neomind_plugins.rules.kept import RuleState
from neomind_plugins.rules.recorder import Recorder
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk import StorageFull
from neomind_sdk.testing import VirtualClock

from .conftest import Blink, House, Late, data, house_with


async def paused(house: House) -> str:
    """A rule that fired once, and was paused then; its id."""
    rule_id = await house.add(cooldown=0)
    await house.store(90)
    await house.store(90, hops=8)
    assert (await house.show(rule_id))["state"] == "paused"
    return rule_id


async def enable(house: House, rule_id: str, way: str = "enable") -> Any:
    url, body = f"/api/rules/{rule_id}", {"enabled": True}
    return await (house.api.put(url, json=body) if way == "put" else house.api.post(f"{url}/enable", json=body))


async def kept(house: House, rule_id: str) -> RuleState:
    """The state that a restart would find."""
    found = await house.rules.parts.database.read(tables.all_rules)
    return next(state for rule, state in found if rule.id == rule_id)


async def never(*_: object) -> None:
    raise StorageFull


def full(_rule: object) -> None:
    raise StorageFull


@pytest.mark.parametrize("way", ["enable", "put"])
async def test_a_rule_that_was_enabled_is_so_after_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    clock = VirtualClock()
    async with house_with(Blink(), storage_sqlite, data_dir=tmp_path, clock=clock) as house:
        await house.furnish()
        rule_id = await paused(house)
        await house.rules.parts.recorder.flush()
        monkeypatch.setattr(Recorder, "_write", never)  # nothing is written any more after the answer
        data(await enable(house, rule_id, way))
    monkeypatch.undo()
    async with house_with(Blink(), storage_sqlite, data_dir=tmp_path, clock=clock) as house:
        rule = await house.show(rule_id)
        assert (rule["state"], rule["trigger_count"]) == ("active", 1)


@pytest.mark.parametrize("change", [{"for_duration": 90_000}, {"enabled": False}])
async def test_how_long_a_condition_held_does_not_outlive_its_definition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    async with house_with(Blink(), storage_sqlite, data_dir=tmp_path, clock=VirtualClock()) as house:
        await house.furnish()
        rule_id = await house.add(for_duration=60_000)
        await house.store(90)
        await house.rules.parts.recorder.flush()
        assert (await kept(house, rule_id)).since_ms is not None
        monkeypatch.setattr(Recorder, "_write", never)  # nothing is written any more after the answer
        data(await house.api.put(f"/api/rules/{rule_id}", json=change))
        assert (await kept(house, rule_id)).since_ms is None


async def test_a_state_that_is_due_while_a_rule_is_enabled_does_not_pause_it_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule_id = await paused(house)
    assert (await kept(house, rule_id)).paused is not None
    recorder = house.rules.parts.recorder
    recorder.database = late = Late(recorder.database)
    enabling = asyncio.create_task(enable(house, rule_id))
    await late.done.wait()
    recorder.note(house.rules.get(rule_id))  # as when a firing of before the pause comes to its end
    await house.host.settle()
    monkeypatch.setattr(Recorder, "_write", never)
    late.go.set()
    data(await enabling)
    assert await kept(house, rule_id) == RuleState(
        trigger_count=1, last_ms=house.clock.now_ms(), cooling_ms=house.clock.now_ms()
    )


async def test_a_pause_whose_end_was_not_kept_goes_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    rule_id = await paused(house)
    with monkeypatch.context() as patched:
        patched.setattr(tables, "put_rule", full)
        assert (await enable(house, rule_id)).status_code == 507
    assert (await house.show(rule_id))["state"] == "paused"
    await house.store(90)
    assert house.blinks == 1
    data(await enable(house, rule_id))
    await house.store(90)
    assert house.blinks == 2


async def test_a_rule_that_is_disabled_stays_paused(house: House) -> None:
    """Negative control."""
    rule_id = await paused(house)
    data(await house.api.post(f"/api/rules/{rule_id}/enable", json={"enabled": False}))
    assert (await kept(house, rule_id)).paused is not None
