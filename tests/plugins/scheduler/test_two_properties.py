"""Whatever happens to two platforms on one storage: no job runs twice at a time, and no time comes twice."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from neomind_sdk import Cron, Job
from neomind_sdk.testing import VirtualClock
from neomind_sdk.testing.clock import WallClock
from neomind_sdk.testing.memory import open_memory

from .conftest import MIDNIGHT_MS
from .stations import Station, Storage

MINUTE_MS = 60_000
WHO = st.integers(0, 1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.floats(0.1, 200), WHO),
        st.tuples(st.sampled_from(["start", "stop", "kill"]), st.just(0), WHO),
        st.tuples(st.just("set"), st.integers(-30, 30), WHO),
    ),
    min_size=3,
    max_size=25,
)


class Twins:
    """Two stations, and a job that notes for which minute it runs, by the clock that never lies."""

    def __init__(self, storage: Any, directory: Path, takes_s: float, misfire: str) -> None:
        self.clock = VirtualClock(MIDNIGHT_MS)
        self.minutes: Counter[int] = Counter()
        self.now = self.most = 0
        self.takes_s = takes_s
        self.stations = [Station(storage, WallClock(self.clock), directory / name) for name in ("one", "two")]
        for station in self.stations:
            trigger = Cron(expression="* * * * *")
            station.jobs.append(("a", Job(name="a.job", trigger=trigger, run=self.run, misfire=misfire)))
        self.up = [False, False]

    async def run(self) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        self.minutes[self.clock.now_ms() // MINUTE_MS] += 1
        try:
            await self.clock.sleep(self.takes_s)
        finally:
            self.now -= 1

    async def do(self, what: str, amount: Any, who: int) -> None:
        station = self.stations[who]
        if what == "pass":
            await self.clock.advance(amount)
        elif what == "set":  # within seconds: as clocks are kept right by the network
            station.clock.set_ms = amount * 100
        elif what == "start" and not self.up[who]:
            self.up[who] = True
            await station.start()
        elif what in ("stop", "kill") and self.up[who]:
            self.up[who] = False
            await getattr(station, what)()


async def play(takes_s: float, misfire: str, steps: list[Any]) -> Twins:
    real = await open_memory(Path(), None)
    with tempfile.TemporaryDirectory() as directory:
        twins = Twins(Storage(real), Path(directory), takes_s, misfire)
        await twins.do("start", 0, 0)
        for step in steps:
            await twins.do(*step)
        for station in twins.stations:
            await station.kill()
    await real.close()
    return twins


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([0, 5, 100]), STEPS)
def test_no_minute_comes_twice(takes_s: float, steps: list[Any]) -> None:
    # A clock that is up to three seconds off may take the end of one minute for the beginning of the next.
    twins = asyncio.run(play(takes_s, "skip", [step for step in steps if step[0] != "set"]))
    assert twins.most <= 1
    assert max(twins.minutes.values(), default=0) <= 1


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["skip", "run_once"]), st.sampled_from([0, 5, 100]), STEPS)
def test_never_two_at_a_time(misfire: str, takes_s: float, steps: list[Any]) -> None:
    twins = asyncio.run(play(takes_s, misfire, steps))
    assert twins.most <= 1
