"""Places for runs: by priority, so many at once, and none is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neomind_plugins.agents.gate import Gate
from neomind_sdk.testing.clock import turns


class Visitors:
    def __init__(self, overall: int = 2, per_backend: int = 1) -> None:
        self.gate = Gate(lambda: overall, lambda: per_backend)
        self.inside: list[str] = []
        self.seen: list[str] = []
        self.most = 0
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.leave: dict[str, asyncio.Event] = {}

    async def come(self, name: str, backend: str = "b", priority: int = 0) -> None:
        self.leave[name] = asyncio.Event()

        async def visit() -> None:
            async with self.gate.place(backend, priority):
                self.inside.append(backend)
                self.seen.append(name)
                self.most = max(self.most, len(self.inside))
                assert max(Counter(self.inside).values()) <= 1
                try:
                    await self.leave[name].wait()
                finally:
                    self.inside.remove(backend)

        self.tasks[name] = asyncio.create_task(visit())
        await turns()

    async def go(self, name: str) -> None:
        self.leave[name].set()
        await turns()


async def test_the_higher_priority_first_then_who_came_first() -> None:
    visitors = Visitors()
    await visitors.come("first")
    for name, priority in (("low", 1), ("high", 9), ("mid", 5), ("mid2", 5)):
        await visitors.come(name, priority=priority)
    await visitors.come("other", backend="c")
    assert visitors.seen == ["first", "other"]
    for name in ("first", "high", "mid", "mid2", "low", "other"):
        await visitors.go(name)
    assert visitors.seen == ["first", "other", "high", "mid", "mid2", "low"]


async def test_who_goes_while_waiting_takes_no_place() -> None:
    visitors = Visitors()
    for name in ("first", "second", "third"):
        await visitors.come(name)
    visitors.tasks["second"].cancel()
    await visitors.go("first")
    assert visitors.seen == ["first", "third"]
    with pytest.raises(asyncio.CancelledError):
        await visitors.tasks["second"]
    visitors.tasks["third"].cancel()
    await turns()
    await visitors.come("fourth")
    assert visitors.seen[-1] == "fourth"
    await visitors.go("fourth")


@given(moves=st.lists(st.tuples(st.integers(0, 5), st.sampled_from("bcd"), st.booleans()), max_size=25))
def test_no_place_is_lost(moves: Any) -> None:
    async def play() -> None:
        visitors = Visitors()
        for number, (priority, backend, cancel) in enumerate(moves):
            await visitors.come(str(number), backend, priority)
            if cancel:
                visitors.tasks[str(number // 2)].cancel()
        for _ in moves:
            for name in list(visitors.seen):
                await visitors.go(name)
        await asyncio.wait_for(asyncio.gather(*visitors.tasks.values(), return_exceptions=True), 5)
        assert visitors.most <= 2
        assert visitors.inside == []

    asyncio.run(play())
