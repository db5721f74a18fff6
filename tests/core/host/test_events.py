"""The event bus: order, batches, bounded queues, and listeners that harm nobody."""

from __future__ import annotations

import asyncio

import attrs
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from neomind_core.contracts import CustomPublished, Event, EventBus, Lagged, Listener, SettingsChanged
from neomind_core.host.clock import SystemClock
from neomind_core.host.events import Bus


@attrs.define
class FixedClock:
    at_ms: int = 1_700_000_000_000

    def now_ms(self):
        return self.at_ms

    def monotonic(self):
        return self.at_ms / 1000

    async def sleep(self, seconds):
        await asyncio.sleep(0)


class Heard:
    """A listener that keeps what it hears, and waits at a gate when there is one."""

    def __init__(self, gate=None):
        self.batches = []
        self.gate = gate
        self.busy = asyncio.Event()

    async def __call__(self, notices):
        self.busy.set()
        if self.gate:
            await self.gate.wait()
        self.batches.append(list(notices))

    @property
    def events(self):
        return [notice.event for batch in self.batches for notice in batch]

    @property
    def numbers(self):
        return [event.data for event in self.events if isinstance(event, CustomPublished)]


@pytest.fixture
async def bus():
    one = Bus(FixedClock(), structlog.get_logger())
    yield one
    async with asyncio.timeout(5):
        await one.close()


def said(number) -> CustomPublished:
    return CustomPublished(custom_type="said", data=number)


def listen(bus, handle, *events, name="test", **more):
    return bus.subscribe(Listener(name=name, events=events or (CustomPublished,), handle=handle, **more))


async def test_it_is_an_event_bus(bus):
    assert isinstance(bus, EventBus)


async def test_order_and_batches(bus):
    heard = Heard()
    listen(bus, heard, batch=4)
    seqs = [bus.publish(said(number)) for number in range(10)]
    await bus.settle()
    assert heard.numbers == list(range(10))
    assert [len(batch) for batch in heard.batches] == [4, 4, 2]
    assert [notice.seq for batch in heard.batches for notice in batch] == seqs
    assert bus.stats() == {"test": {"queued": 0, "handled": 10, "dropped": 0, "errors": 0}}


async def test_a_notice_says_when(bus):
    heard = Heard()
    listen(bus, heard)
    bus.publish(said(1))
    await bus.settle()
    assert heard.batches[0][0].at_ms == FixedClock().at_ms


async def test_only_what_was_asked_for_and_its_subclasses(bus):
    some, every = Heard(), Heard()
    listen(bus, some, SettingsChanged, name="some")
    listen(bus, every, Event, name="every")
    bus.publish(said(1))
    bus.publish(SettingsChanged(section="x"))
    await bus.settle()
    assert some.events == [SettingsChanged(section="x")]
    assert every.events == [said(1), SettingsChanged(section="x")]


async def test_publishing_does_not_wait(bus):
    gate, heard = asyncio.Event(), Heard()
    heard.gate = gate
    listen(bus, heard, queue=1)
    for number in range(5):
        bus.publish(said(number))  # not a coroutine: there is nothing to wait with
    assert heard.batches == []
    gate.set()


async def test_a_slow_listener_loses_the_oldest_and_is_told(bus):
    gate = asyncio.Event()
    slow, quick = Heard(gate), Heard()
    listen(bus, slow, name="slow", queue=3)
    listen(bus, quick, name="quick")
    bus.publish(said(0))
    await slow.busy.wait()
    seqs = [bus.publish(said(number)) for number in range(1, 8)]
    assert bus.stats()["slow"] == {"queued": 3, "handled": 0, "dropped": 4, "errors": 0}
    gate.set()
    await bus.settle()
    assert slow.numbers == [0, 5, 6, 7]
    lagged = slow.batches[1][0]
    assert lagged.event == Lagged(dropped=4)
    assert lagged.seq == seqs[3], "the number of the last one that was lost"
    assert quick.numbers == list(range(8)), "nobody else lost anything"


async def test_lagged_is_told_once(bus):
    gate = asyncio.Event()
    slow = Heard(gate)
    listen(bus, slow, queue=2, batch=1)
    bus.publish(said(0))
    await slow.busy.wait()
    for number in range(1, 6):
        bus.publish(said(number))
    gate.set()
    await bus.settle()
    bus.publish(said(6))
    await bus.settle()
    assert slow.events == [said(0), Lagged(dropped=3), said(4), said(5), said(6)]
    assert all(len(batch) == 1 for batch in slow.batches)


class Odd(BaseException):
    pass


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), asyncio.CancelledError(), Odd("y")], ids=repr)
async def test_a_raising_listener_gets_the_next_batch_and_harms_nobody(bus, error):
    seen, heard = [], Heard()

    async def raise_first(notices):
        seen.extend(notice.event.data for notice in notices)
        if seen == [1]:
            raise error

    listen(bus, raise_first, name="bad")
    listen(bus, heard, name="good")
    bus.publish(said(1))
    await bus.settle()
    bus.publish(said(2))
    await bus.settle()
    assert seen == [1, 2]
    assert heard.numbers == [1, 2]
    assert bus.stats()["bad"] == {"queued": 0, "handled": 1, "dropped": 0, "errors": 1}


async def test_leaving_twice_and_what_comes_after(bus):
    heard = Heard()
    leave = listen(bus, heard)
    bus.publish(said(1))
    await bus.settle()
    leave()
    leave()
    bus.publish(said(2))
    await bus.settle()
    assert heard.numbers == [1]
    assert bus.stats() == {}


async def test_joining_while_running(bus):
    early, late = Heard(), Heard()
    listen(bus, early, name="early")
    bus.publish(said(1))
    listen(bus, late, name="late")
    bus.publish(said(2))
    await bus.settle()
    assert (early.numbers, late.numbers) == ([1, 2], [2])


async def test_settle_does_not_wait_for_one_who_left(bus):
    stuck = Heard(asyncio.Event())
    leave = listen(bus, stuck)
    bus.publish(said(1))
    await stuck.busy.wait()
    settling = asyncio.create_task(bus.settle())
    await asyncio.sleep(0)
    assert not settling.done()
    leave()
    async with asyncio.timeout(2):
        await settling


async def test_settle_waits_for_what_follows(bus):
    """A listener that publishes: settled means that the consequences were heard too."""
    heard = Heard()

    async def pass_on(notices):
        for notice in notices:
            bus.publish(SettingsChanged(section=str(notice.event.data)))

    listen(bus, heard, SettingsChanged, name="heard")
    listen(bus, pass_on, name="pass_on")
    bus.publish(said(7))
    await bus.settle()
    assert heard.events == [SettingsChanged(section="7")]


async def test_closing_ends_a_listener_that_hangs(bus):
    ended = asyncio.Event()

    async def hang(notices):
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    listen(bus, hang)
    bus.publish(said(1))
    await asyncio.sleep(0.01)
    async with asyncio.timeout(2):
        await bus.close()
    assert ended.is_set()
    assert bus.publish(said(2)) > 0, "publishing into a closed bus is no error"


async def test_numbers_rise_across_restarts():
    clock = FixedClock()
    first = Bus(clock, structlog.get_logger())
    last = [first.publish(said(number)) for number in range(500)][-1]
    clock.at_ms += 1  # nothing restarts within a millisecond
    assert Bus(clock, structlog.get_logger()).publish(said(0)) > last


async def test_numbers_rise_with_or_without_listeners(bus):
    before = bus.publish(said(1))
    listen(bus, Heard())
    assert bus.publish(said(2)) > before


@given(
    counts=st.lists(st.integers(0, 12), max_size=6),
    queue=st.integers(1, 8),
    batch=st.integers(1, 5),
)
def test_what_is_heard_and_what_is_lost_add_up(counts, queue, batch):
    """However a listener falls behind: every event is heard in order, or counted in a ``Lagged`` at its place."""

    async def run():
        bus = Bus(FixedClock(), structlog.get_logger())
        heard = Heard()
        listen(bus, heard, queue=queue, batch=batch)
        total = 0
        for count in counts:
            for _ in range(count):
                bus.publish(said(total))
                total += 1
            await asyncio.sleep(0)
        await bus.settle()
        await bus.close()
        expected = 0
        for event in heard.events:
            if isinstance(event, Lagged):
                expected += event.dropped
            else:
                assert event.data == expected
                expected += 1
        assert expected == total
        assert all(len(one) <= batch for one in heard.batches)

    asyncio.run(run())


async def test_the_clock():
    clock = SystemClock()
    start, wall = clock.monotonic(), clock.now_ms()
    await clock.sleep(0.01)
    assert clock.monotonic() - start >= 0.009
    assert isinstance(wall, int)
    assert clock.now_ms() >= wall
    assert wall > 1_700_000_000_000, "milliseconds, not seconds"
