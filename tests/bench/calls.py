"""What a hook call and an event cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from table import Row

from neomind_core.contracts import CustomPublished, Event, Listener, Notice, SettingsChanged
from neomind_core.hookspecs import hookimpl
from neomind_core.host.calls import HookCalls
from neomind_core.host.clock import SystemClock
from neomind_core.host.events import Bus

CALLS = 2_000
EVENTS = 20_000
ROUNDS = 5


class Hooks:
    """One hook, with nothing to contribute."""

    @hookimpl
    def neomind_jobs(self, ctx: Any) -> list[Any]:
        return []


def best_us(work: Callable[[], object], count: int) -> float:
    """Microseconds per call, of the best of some rounds."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(count):
            work()
        times.append(time.perf_counter() - began)
    return min(times) / count * 1e6


def hooks() -> list[Row]:
    """Collecting one kind from one plugin, beside ten others, against a plain call of the same method."""
    calls, own = HookCalls(), Hooks()
    for number in range(10):
        calls.register(f"other{number}", Hooks())
    calls.register("own", own)
    ctx: Any = SimpleNamespace()
    plain = best_us(lambda: own.neomind_jobs(ctx), CALLS)
    hooked = best_us(lambda: calls.collect("own", "jobs", ctx), CALLS)
    return [Row(what="hook of one of 11 plugins", value=hooked, unit="µs", ratio=hooked / plain, against="plain call",
                note="at start only")]  # fmt: skip


async def events(listeners: int) -> tuple[float, float]:
    """Microseconds per event: to publish it, and until it was handled by all."""
    log: Any = SimpleNamespace(exception=print)
    bus = Bus(SystemClock(), log)

    async def handle(notices: Sequence[Notice]) -> None:
        pass

    for number in range(listeners):
        bus.subscribe(Listener(name=f"listener{number}", events=(Event,), handle=handle, queue=EVENTS + 1))
    bus.subscribe(Listener(name="of something else", events=(SettingsChanged,), handle=handle))
    event = CustomPublished(custom_type="bench")
    publishing, handling = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(EVENTS):
            bus.publish(event)
        publishing.append(time.perf_counter() - began)
        await bus.settle()
        handling.append(time.perf_counter() - began)
    await bus.close()
    return min(publishing) / EVENTS * 1e6, min(handling) / EVENTS * 1e6


def bus() -> list[Row]:
    """Against publishing to nobody."""
    found: list[Row] = []
    for listeners in (0, 1, 10):
        publish, handled = asyncio.run(events(listeners))
        ratio = publish / found[0].value if found else None
        found.append(Row(what=f"event to {listeners} listeners", value=publish, unit="µs", ratio=ratio,
                         against="nobody", note=f"{handled:.2f} µs until handled"))  # fmt: skip
    return found
