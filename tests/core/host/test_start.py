"""Starting: order, requirements, time limits, and failures that are undone whole."""

from __future__ import annotations

import asyncio

import pytest

from neomind_core.contracts import DeviceDirectory, ExtensionStateChanged, Listener, ServiceMissing
from neomind_core.host.records import PluginFailed

LOG = """
import neomind_test_log as log
@hookimpl
def neomind_start(ctx):
    async def start(): log.lines.append("+{0}")
    return [Step(name="start", run=start)]
@hookimpl
def neomind_stop(ctx):
    async def stop(): log.lines.append("-{0}")
    return [Step(name="stop", run=stop)]
"""
START = """
class Odd(BaseException): ...
@hookimpl
def neomind_start(ctx):
    async def start():
        %s
    return [Step(name="start", run=start)]
"""
ENDS = """
ended = asyncio.Event()
async def work():
    try: await asyncio.Event().wait()
    finally: ended.set()
"""
WHOLE = """
class Greeter: ...
@attrs.frozen
class Settings:
    size: int = 1
async def hello(request): return {}
async def heard(notices): ...
@hookimpl
def neomind_settings(ctx): return [SettingsSection(name="whole", cls=Settings)]
@hookimpl
def neomind_routes(ctx): return [Route(method="GET", path="/whole", handler=hello, scope=PUBLIC, summary=".")]
@hookimpl
def neomind_services(ctx): return [Service(key=DeviceDirectory, build=lambda ctx: Greeter())]
@hookimpl
def neomind_listeners(ctx): return [Listener(name="whole.heard", events=(Event,), handle=heard)]
@hookimpl
def neomind_start(ctx):
    async def start():
        ctx.spawn(asyncio.Event().wait(), "forever")
        assert ctx.settings[Settings].size == 1
    return [Step(name="start", run=start), Step(name="fail", run=%s)]
@hookimpl
def neomind_stop(ctx):
    async def stop(): ctx.bus.publish(CustomPublished(custom_type="stopped"))
    return [Step(name="stop", run=stop)]
async def fine(): ...
async def fail(): raise ValueError("half-way")
"""


@pytest.fixture
def lines(house):
    house.install("log", plugins={}, modules={"neomind_test_log": "lines = []"})
    import neomind_test_log

    return neomind_test_log.lines


async def test_order_and_its_reverse(house, lines):
    house.add("a", LOG.format("a"), requires=("b",), after=("nobody",))
    house.add("b", LOG.format("b"), after=("c",))
    house.add("c", LOG.format("c"))
    house.add("d", LOG.format("d"), requires=("store",))
    house.add("e", LOG.format("e"), provides=("store",))
    async with house.host():
        started = list(lines)
        assert sorted(started) == ["+a", "+b", "+c", "+d", "+e"]
        for first, then in (("+c", "+b"), ("+b", "+a"), ("+e", "+d")):
            assert started.index(first) < started.index(then)
    assert lines[5:] == [line.replace("+", "-") for line in reversed(started)]


async def test_missing_requirement_and_its_chain(house, reason):
    house.add("a", requires=("b",))
    house.add("b", requires=("c",))
    house.add("c", "raise ValueError('boom')")
    house.add("d", requires=("nobody",))
    async with house.host() as host:
        why = "requires 'c', which is not running: import_error: ValueError: boom"
        assert reason(host, "b", "missing_requirement") == why
        chain = f"requires 'b', which is not running: {why}"
        assert reason(host, "a", "missing_requirement") == chain
        assert reason(host, "d", "missing_requirement") == "requires 'nobody', which is not there"


async def test_a_blocked_requirement(house, reason):
    house.add("a", requires=("b",))
    house.add("b")
    async with house.host(block=["b"]) as host:
        text = "requires 'b', which is not running: blocked: named in the block list"
        assert reason(host, "a", "missing_requirement") == text


async def test_a_broken_provider(house, reason):
    house.add("a", requires=("store",))
    house.add("b", "@hookimpl\ndef neomind_routes(ctx): raise PluginUnavailable('no disk')", provides=("store",))
    async with house.host() as host:
        text = "requires 'store', which is not running: self_check_failed: no disk"
        assert reason(host, "a", "missing_requirement") == text


async def test_after_is_forgiving(house, reason):
    house.add("a", after=("b", "nobody"))
    house.add("b", "raise ValueError")
    async with house.host() as host:
        reason(host, "a", "enabled")


async def test_a_cycle_names_the_loop(house, reason):
    house.add("a", requires=("b",))
    house.add("b", requires=("c",))
    house.add("c", requires=("a",))
    house.add("needs", requires=("a",))
    house.add("good")
    async with house.host() as host:
        text = reason(host, "a", "manifest_error")
        assert text.startswith("requires or after form a loop: ")
        assert "a → b → c → a" in text or "b → c → a → b" in text or "c → a → b → c" in text
        assert reason(host, "b", "manifest_error") == reason(host, "c", "manifest_error") == text
        assert text in reason(host, "needs", "missing_requirement")
        reason(host, "good", "enabled")


STARTS = [
    ("raise ValueError('boom')", "ValueError: boom"),
    ("raise SystemExit(4)", "SystemExit: 4"),
    ("raise Odd('x')", "Odd: x"),
    ("raise asyncio.CancelledError()", "CancelledError"),
    ("raise TimeoutError('the meter is silent')", "TimeoutError: the meter is silent"),
    ("await asyncio.sleep(0); raise OSError(28, 'No space left on device')", "OSError: [Errno 28] No space"),
    ("ctx.services[DeviceDirectory]", "ServiceMissing: No plugin provides DeviceDirectory at the moment"),
]


@pytest.mark.parametrize(("body", "text"), STARTS, ids=[body[:28] for body, _ in STARTS])
async def test_failing_in_start(house, reason, body, text):
    house.add("bad", START % body)
    house.add("needs", requires=("bad",))
    house.add("good")
    async with house.host() as host:
        assert reason(host, "bad", "failed_at_run").startswith(text)
        assert text in reason(host, "needs", "missing_requirement")
        reason(host, "good", "enabled")


@pytest.mark.parametrize(
    ("hook", "text"),
    [
        ("neomind_start(ctx): raise ValueError('boom')", "ValueError: boom"),
        ("neomind_start(ctx): raise SystemExit(1)", "SystemExit: 1"),
        ("neomind_start(ctx): return 3", "neomind_start returned int, a list is wanted"),
        ("neomind_start(ctx): return [print]", "neomind_start: a builtin_function_or_method is not Step"),
        ("neomind_services(ctx): return [Service(key=DeviceDirectory, build=lambda ctx: 1 / 0)]", "ZeroDivisionError"),
        ("neomind_services(ctx): return [Service(key=DeviceDirectory, build=lambda ctx: exit(1))]", "SystemExit: 1"),
    ],
)
async def test_failing_hooks_of_the_start(house, reason, hook, text):
    house.add("bad", f"@hookimpl\ndef {hook}")
    house.add("good")
    async with house.host() as host:
        assert reason(host, "bad", "failed_at_run").startswith(text)
        reason(host, "good", "enabled")


@pytest.mark.parametrize(
    "body",
    [
        "await asyncio.Event().wait()",
        "try: await asyncio.Event().wait()\n        except asyncio.CancelledError: await asyncio.sleep(0.5)",
    ],
    ids=["heeds", "lingers"],
)
async def test_hanging_in_start(house, reason, body):
    house.add("bad", START % body)
    house.add("good")
    async with house.host(start_cap_s=0.2) as host:
        assert reason(host, "bad", "failed_at_run") == "starting took over 0.2 s"
        reason(host, "good", "enabled")
    await asyncio.sleep(0.5)  # the lingering one ends before the loop does


async def test_a_slow_start_keeps_only_its_dependants_waiting(house, reason):
    slow = START % "await release.wait()" + "release = asyncio.Event()\n"
    house.add("slow", slow)
    house.add("needs", requires=("slow",))
    house.add("good")
    async with house.host(start_warn_s=0.05) as host:
        assert reason(host, "slow", "found") == "still starting; has 60 s"
        assert reason(host, "needs", "found") == "still starting; has 60 s"
        reason(host, "good", "enabled")
        import fake_slow

        fake_slow.release.set()
        await host.settled()
        reason(host, "slow", "enabled")
        reason(host, "needs", "enabled")


async def test_a_slow_start_that_fails_takes_its_dependants_along(house, reason):
    house.add("slow", START % "await asyncio.Event().wait()")
    house.add("needs", requires=("slow",))
    async with house.host(start_warn_s=0.05, start_cap_s=0.3) as host:
        await host.settled()
        assert reason(host, "slow", "failed_at_run") == "starting took over 0.3 s"
        text = "requires 'slow', which is not running: failed_at_run: starting took over 0.3 s"
        assert reason(host, "needs", "missing_requirement") == text


async def test_stopping_while_one_is_still_starting(house):
    """What was started of it is ended too."""
    house.add("slow", ENDS + START % "ctx.spawn(work(), 'w'); await asyncio.Event().wait()")
    async with house.host(start_warn_s=0.05):
        import fake_slow

        ended = fake_slow.ended
        assert not ended.is_set()
    assert ended.is_set()


async def test_half_registered_is_rolled_back_whole(house, reason):
    house.add("whole", WHOLE % "fail")
    host = house.make(house)
    heard = []

    async def hear(notices):
        heard.extend(notice.event for notice in notices)

    host.bus.subscribe(Listener(name="test", events=(ExtensionStateChanged,), handle=hear))
    await host.start()
    assert reason(host, "whole", "failed_at_run") == "ValueError: half-way"
    (info,) = host.plugins()
    assert info.contributions == {}
    assert host.contributions("routes") == []
    assert host.settings.sections() == ()
    assert host.services.get(DeviceDirectory) is None
    assert set(host.listener_stats()) == {"test"}
    assert "/api/whole" not in host.api.openapi()["paths"]
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("whole:")]
    await host.bus.settle()
    assert [(event.extension_id, event.state, event.message) for event in heard] == [
        ("whole", "error", "ValueError: half-way")
    ]
    await host.stop()


async def test_whole_when_it_does_not_fail(house, reason):
    """The negative control of the test above: everything is there when nothing fails."""
    house.add("whole", WHOLE % "fine")
    async with house.host() as host:
        reason(host, "whole", "enabled")
        assert [section.name for section in host.settings.sections()] == ["whole"]
        assert host.services.get(DeviceDirectory) is not None
        assert set(host.listener_stats()) == {"whole.heard"}
        assert "/api/whole" in host.api.openapi()["paths"]
        assert [task for task in asyncio.all_tasks() if task.get_name() == "whole:forever"]
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "whole:forever"]


async def test_an_unmet_requirement_at_start_is_rolled_back_too(house, reason):
    house.add("bad", START % "raise ValueError('boom')")
    house.add("whole", WHOLE % "fine", requires=("bad",))
    async with house.host() as host:
        reason(host, "whole", "missing_requirement")
        assert host.settings.sections() == ()
        assert host.contributions("routes") == []


async def test_strict_mode_raises_for_what_fails_at_start(house):
    house.add("bad", START % "raise ValueError('boom')")
    with pytest.raises(PluginFailed, match="bad: failed_at_run: ValueError: boom"):
        async with house.host(strict=True):
            pass


async def test_undeclared_services(house, reason):
    house.add("directory", "@hookimpl\ndef neomind_services(ctx): return [Service(key=DeviceDirectory, build=id)]")
    house.add("rude", START % "ctx.services[DeviceDirectory]", after=("x",))
    house.add("polite", START % "ctx.services[DeviceDirectory]", requires=("directory",))
    house.add("after", START % "assert ctx.services.find(DeviceDirectory)", after=("directory",))
    house.add("through", START % "ctx.services[DeviceDirectory]", requires=("dir",))
    house.add("provider", provides=("dir",))
    async with house.host() as host:
        text = reason(host, "rude", "failed_at_run")
        assert "'rude' uses DeviceDirectory of 'directory' without naming it in requires or after" in text
        reason(host, "polite", "enabled")
        reason(host, "after", "enabled")
        reason(host, "through", "failed_at_run")


async def test_what_the_host_provides_needs_no_declaration(house, reason):
    keys = "Platform, SettingsRegistry, Authenticator, EventBus, Egress, Clock"
    house.add("any", START % f"[ctx.services[key] for key in ({keys})]")
    async with house.host() as host:
        reason(host, "any", "enabled")


DIRECTORY = """
class Directory: ...
@hookimpl
def neomind_services(ctx): return [Service(key=DeviceDirectory, build=lambda ctx: Directory())]
@hookimpl
def neomind_start(ctx):
    async def work():
        await die.wait()
        %s
    async def start(): ctx.spawn(work(), "work")
    return [Step(name="start", run=start)]
die = asyncio.Event()
async def answer(request): return {}
@hookimpl
def neomind_routes(ctx): return [Route(method="GET", path="/dir", handler=answer, scope=PUBLIC, summary=".")]
"""
CTX = """
@hookimpl
def neomind_start(ctx):
    global CTX
    CTX = ctx
    return []
"""


@pytest.mark.parametrize(
    ("death", "text"),
    [
        ("raise ValueError('gone')", "ValueError: gone"),
        ("raise SystemExit(5)", "SystemExit: 5"),
        ("raise asyncio.CancelledError", "CancelledError"),
    ],
)
async def test_background_work_that_dies(house, reason, death, text):
    house.add("directory", DIRECTORY % death)
    house.add("user", CTX, requires=("directory",))
    async with house.host() as host:
        import fake_directory
        import fake_user

        assert fake_user.CTX.services[DeviceDirectory]
        fake_directory.die.set()
        await asyncio.sleep(0)
        await host.settled()
        for _ in range(50):
            await asyncio.sleep(0)
        await host.settled()
        assert reason(host, "directory", "failed_at_run") == text
        reason(host, "user", "enabled")
        with pytest.raises(ServiceMissing, match="No plugin provides DeviceDirectory at the moment"):
            fake_user.CTX.services[DeviceDirectory]
        assert host.contributions("routes") == []
        assert "/api/dir" not in host.api.openapi()["paths"]


async def test_background_work_that_ends_is_no_failure(house, reason):
    house.add("directory", DIRECTORY % "return")
    async with house.host() as host:
        import fake_directory

        fake_directory.die.set()
        for _ in range(50):
            await asyncio.sleep(0)
        reason(host, "directory", "enabled")


async def test_background_work_that_dies_during_the_start(house, reason):
    body = "async def work(): raise ValueError('at once')\n"
    house.add("bad", body + START % "ctx.spawn(work(), 'work'); await asyncio.sleep(0.01)")
    async with house.host() as host:
        assert reason(host, "bad", "failed_at_run") == "its background work ended: ValueError: at once"
