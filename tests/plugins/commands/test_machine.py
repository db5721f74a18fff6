"""Whatever happens in whatever order: every command ends once, by a way there is, and is sent at most once."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neomind_plugins.commands import courier, tables
from neomind_plugins.commands.kept import ENDS, FROM
from neomind_sdk import ReceiveOnly

from .conftest import Plant, Wire, plant_with

ERRORS: list[BaseException | None] = [
    None,
    ConnectionError("away"),
    TimeoutError("no answer"),
    ReceiveOnly("no"),
    OSError("broken"),
]
STEPS = st.one_of(
    st.tuples(st.just("give"), st.sampled_from(("p1", "p2"))),
    st.tuples(st.just("error"), st.sampled_from(range(len(ERRORS)))),
    st.tuples(st.just("hang"), st.booleans()),
    st.tuples(st.just("ack"), st.tuples(st.integers(1, 8), st.booleans())),
    st.tuples(st.just("pass"), st.sampled_from((0.5, 9.0, 31.0, 301.0))),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, max_size=14), st.booleans())
def test_every_command_ends_once_and_is_sent_at_most_once(steps: list[Any], require_ack: bool) -> None:
    asyncio.run(play(steps, require_ack))


def test_a_command_that_is_sent_twice_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were an answer that never came taken for a refusal, the command would be tried again."""
    monkeypatch.setattr(courier, "Unsure", courier.Unreachable)
    with pytest.raises(AssertionError, match="sent twice"):
        asyncio.run(play([("error", 2), ("give", "p1"), ("error", 0)], False))


async def play(steps: list[Any], require_ack: bool) -> None:
    moves: dict[int, list[str]] = defaultdict(lambda: ["queued"])
    real_move = tables.move

    def recorded(number: int, sources: Any, state: str, changes: Any) -> bool:
        moved = real_move(number, sources, state, changes)
        if moved:
            moves[number].append(state)
        return moved

    wire = Wire()
    tables.move = recorded  # type: ignore[assignment]
    try:
        async with plant_with(wire, settings={"commands": {"require_ack": require_ack}}) as plant:
            await plant.furnish("p1", "p2")
            giving = [one for what, argument in steps if (one := await step(plant, what, argument))]
            wire.error, wire.hangs = None, False
            await plant.pass_s(1000)
            await asyncio.gather(*giving)
            rows = [*await plant.history("p1"), *await plant.history("p2")]
            check(plant, rows, moves)
    finally:
        tables.move = real_move


async def step(plant: Plant, what: str, argument: Any) -> Any:
    if what == "give":
        task = asyncio.create_task(plant.control(device=argument))
        await plant.host.settle()
        return task
    if what == "error":
        plant.wire.error = ERRORS[argument]
    elif what == "hang":
        plant.wire.hangs = argument
    elif what == "ack":
        number, good = argument
        for device in ("p1", "p2"):
            await plant.acks.acknowledge(device, f"cmd_{number}", good)
    else:
        await plant.pass_s(argument)
    return None


def check(plant: Plant, rows: list[Any], moves: dict[int, list[str]]) -> None:
    for way in moves.values():
        assert all(before in FROM[after] for before, after in itertools.pairwise(way)), way
    assert all(row["state"] in ENDS for row in rows)
    ended = sorted(event.command_id for event in plant.finished)
    assert ended == sorted(row["command_id"] for row in rows)
    good = {event.command_id: event.success for event in plant.finished}
    assert all(good[row["command_id"]] == (row["status"] == "success") for row in rows)
    reached = [downlink.command_id for downlink in plant.wire.reached]
    assert len(set(reached)) == len(reached), "sent twice"
    for device in ("p1", "p2"):
        numbers = [int(one.command_id[4:]) for one in plant.wire.reached if one.device.device_id == device]
        assert numbers == sorted(numbers)
