"""So many calls at a time: the others wait their turn."""

from __future__ import annotations

import asyncio

import pytest

from neomind_plugins.llm.places import Places
from neomind_sdk import Chunk, Completion
from neomind_sdk.testing import VirtualClock
from neomind_sdk.testing.clock import turns

from .conftest import HANGS, NEVER_S, Lab, Later, all_of, ask, begun, lab_with, usage


@pytest.mark.parametrize("stream", [False, True])
async def test_so_many_at_a_time(stream: bool) -> None:
    async with lab_with(settings={"llm": {"max_concurrent": 3}}) as lab:
        await lab.active()
        lab.kind.answer = later = Later(Completion(text="released"))
        lab.kind.chunks = (Chunk(text="a"), HANGS) if stream else ()
        calls = [lab.models.stream(ask()) if stream else lab.models.complete(ask()) for _ in range(10)]
        tasks = [begun(all_of(call) if stream else call) for call in calls]
        await turns()
        assert (lab.kind.running, lab.kind.most) == (3, 3)
        tasks[5].cancel()  # waits
        tasks[0].cancel()  # is under way
        await asyncio.wait([tasks[0], tasks[5]])
        await turns()
        assert (lab.kind.running, lab.kind.most, len(lab.kind.requests)) == (3, 3, 4)
        later.released.set()
        for task in tasks if stream else ():
            task.cancel()
        await asyncio.wait(tasks)
        assert (lab.kind.running, lab.kind.most) == (0, 3)


async def test_who_is_cancelled_just_when_a_place_is_free_gives_it_back() -> None:
    places = Places(VirtualClock(), lambda: 1)
    assert await places.enter("brain", 1)
    waiting = begun(places.enter("brain", 1))
    await turns()
    places.leave("brain")
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert await asyncio.wait_for(places.enter("brain", 1), NEVER_S)


async def test_places_are_the_backends_own(lab: Lab) -> None:
    a, b = await lab.create(name="a"), await lab.create(name="b")
    lab.kind.answer = HANGS
    tasks = [begun(lab.models.complete(ask(), ident)) for ident in (a, a, a, b)]
    await turns()
    assert lab.kind.running == 3
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_no_free_place_in_time(lab: Lab) -> None:
    ident = await lab.active()
    lab.kind.answer = HANGS
    tasks = [begun(lab.models.complete(ask(total_s=50))) for _ in range(2)]
    await turns()
    late = begun(lab.models.complete(ask(total_s=9)))
    await lab.clock.advance(9)
    assert await lab.fails(late, "timeout") == "no free place at the backend within 9 s"
    assert len(lab.kind.requests) == 2
    await lab.clock.advance(41)
    for task in tasks:
        await lab.fails(task, "timeout")
    lab.kind.answer = Completion(text="again")
    assert (await lab.models.complete(ask())).text == "again"
    assert (await usage(lab, ident))["calls"] == 4


async def test_waiting_counts_towards_the_total(lab: Lab) -> None:
    await lab.active()
    lab.kind.answer = HANGS
    tasks = [begun(lab.models.complete(ask(total_s=5))) for _ in range(2)]
    await turns()
    late = begun(lab.models.complete(ask(total_s=8)))
    await lab.clock.advance(5)
    assert len(lab.kind.requests) == 3
    await lab.clock.advance(2.9)
    assert not late.done()
    await lab.clock.advance(0.2)
    await lab.fails(late, "timeout")
    for task in tasks:
        await lab.fails(task, "timeout")
