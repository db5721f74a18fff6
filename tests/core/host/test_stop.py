"""Stopping: in reverse, every step, each within its time."""

from __future__ import annotations

import asyncio
import time

import pytest

from neomind_core.contracts import DeviceDirectory

STOP = """
class Odd(BaseException): ...
@hookimpl
def neomind_stop(ctx):
    async def first():
        %s
    async def second():
        ctx.bus.publish(CustomPublished(custom_type="-{0}"))
        log.lines.append("-{0}")
    return [Step(name="first", run=first), Step(name="second", run=second)]
import neomind_test_log as log
"""


@pytest.fixture
def lines(house):
    house.install("log", plugins={}, modules={"neomind_test_log": "lines = []"})
    import neomind_test_log

    return neomind_test_log.lines


def stop(name, body="pass"):
    return (STOP % body).replace("{0}", name)


@pytest.mark.parametrize(
    "body",
    ["raise ValueError('boom')", "raise SystemExit(1)", "raise Odd('x')", "raise asyncio.CancelledError"],
)
async def test_a_step_that_raises_holds_nobody(house, lines, body):
    house.add("bad", stop("bad", body))
    house.add("good", stop("good"))
    async with house.host():
        pass
    assert sorted(lines) == ["-bad", "-good"], "the next step of the bad one ran too"


@pytest.mark.parametrize("hook", ["raise ValueError('boom')", "raise SystemExit(1)", "return 3", "return [print]"])
async def test_a_hook_that_fails_holds_nobody(house, lines, hook):
    house.add("bad", f"@hookimpl\ndef neomind_stop(ctx): {hook}")
    house.add("good", stop("good"))
    async with house.host():
        pass
    assert lines == ["-good"]


async def test_a_step_that_hangs_is_cut_short(house, lines):
    """Within the platform's own time, and the plugins that come after it still stop."""
    house.add("hangs", stop("hangs", "await asyncio.Event().wait()"), requires=("good",))
    house.add("good", stop("good"))
    async with house.host(stop_cap_s=2.3):
        before = time.monotonic()
    assert time.monotonic() - before < 2.3
    assert lines == ["-good"]


async def test_one_that_does_not_heed_its_cancellation(house, lines):
    lingers = "try: await asyncio.Event().wait()\n        except asyncio.CancelledError: await asyncio.sleep(0.8)"
    house.add("lingers", stop("lingers", lingers), requires=("good",))
    house.add("good", stop("good"))
    async with house.host(stop_cap_s=2.3):
        before = time.monotonic()
    assert time.monotonic() - before < 0.75
    assert lines == ["-good"]
    await asyncio.sleep(0.8)  # it ends before the loop does


WORK = """
ended = []
@hookimpl
def neomind_start(ctx):
    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            %s
    async def start():
        ctx.spawn(work(), "work")
        global CTX
        CTX = ctx
    return [Step(name="start", run=start)]
@hookimpl
def neomind_services(ctx): return [Service(key=DeviceDirectory, build=lambda ctx: 1)]
"""


async def test_background_work_is_ended_and_waited_for(house):
    house.add("works", WORK % "await asyncio.sleep(0.05); ended.append(1)")
    async with house.host() as host:
        import fake_works

        ended = fake_works.ended
        assert host.services.get(DeviceDirectory)
    assert ended == [1]
    assert host.services.get(DeviceDirectory) is None


async def test_background_work_that_fails_while_it_ends_is_no_failure(house, reason):
    house.add("works", WORK % "raise ValueError('in the cleaning up')")
    async with house.host() as host:
        pass
    reason(host, "works", "enabled")
    await host.settled()


async def test_no_new_background_work_while_stopping(house):
    house.add("works", WORK % "CTX.spawn(asyncio.Event().wait(), 'late')")
    async with house.host():
        pass
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "works:late"]


async def test_listeners_leave(house):
    body = """
    heard = []
    async def hear(notices): heard.extend(notices)
    @hookimpl
    def neomind_listeners(ctx): return [Listener(name="l", events=(CustomPublished,), handle=hear)]
    """
    house.add("listens", body)
    async with house.host() as host:
        assert set(host.listener_stats()) == {"l"}
    assert host.listener_stats() == {}


async def test_stopping_twice(house, lines):
    house.add("good", stop("good"))
    async with house.host() as host:
        await host.stop()
    assert lines[0] == "-good"


async def test_stopping_what_never_started(house):
    host = house.make(house)
    await host.stop()
