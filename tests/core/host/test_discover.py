"""Rescanning while the platform runs: what is new is started, what was mended is tried again."""

from __future__ import annotations

import asyncio

import pytest

FILE = """
from neomind_sdk import *
plugin = Plugin(name="{name}", summary="A single file.", version="7")
async def hello(request): return {{"hello": "{name}"}}
@hookimpl
def neomind_routes(ctx):
    return [Route(method="GET", path="/{name}", handler=hello, scope=PUBLIC, summary=".")]
"""


@pytest.fixture
def extensions(house):
    house.extensions.mkdir(parents=True)
    return house.extensions


async def test_a_new_distribution(house, statuses):
    house.add("old")
    async with house.host() as host:
        assert statuses(host) == {"old": "enabled"}
        assert await host.discover() == []
        house.add("new", requires=("old",))
        assert [(info.name, info.status) for info in await host.discover()] == [("new", "enabled")]
        assert statuses(host) == {"old": "enabled", "new": "enabled"}


async def test_a_new_single_file(house, extensions, reason):
    async with house.host() as host:
        (extensions / "greeter.py").write_text(FILE.format(name="greeter"))
        (found,) = await host.discover()
        assert (found.name, found.status, found.distribution) == ("greeter", "enabled", "file:greeter.py")
        assert found.location == str(extensions / "greeter.py")
        assert found.version == "7"
        assert "/api/greeter" in host.api.openapi()["paths"]


async def test_a_new_folder(house, extensions, reason):
    folder = extensions / "pack"
    folder.mkdir()
    (folder / "__init__.py").write_text("from neomind_sdk import Plugin\nplugin = Plugin(name='pack', summary='.')\n")
    (folder / "hooks.py").write_text("from .deep import x\n")
    (folder / "deep.py").write_text("x = 1\n")
    async with house.host() as host:
        reason(host, "pack", "enabled")


async def test_what_is_no_plugin_is_passed_over(house, extensions):
    (extensions / "_private.py").write_text("raise SystemExit")
    (extensions / ".hidden.py").write_text("raise SystemExit")
    (extensions / "notes.txt").write_text("not code")
    (extensions / "empty").mkdir()
    async with house.host() as host:
        assert list(host.plugins()) == []


async def test_a_file_with_an_impossible_name(house, extensions, reason):
    (extensions / "My-Plugin.py").write_text("raise SystemExit")
    async with house.host() as host:
        assert "lower case letters" in reason(host, "My-Plugin", "manifest_error")


async def test_an_import_error_that_was_mended(house, reason, source):
    dist = house.add("m", "raise ValueError('typo')")
    async with house.host() as host:
        reason(host, "m", "import_error")
        dist.rewrite({"fake_m": source("m")})
        assert await host.discover() == [], "it is not new, it is mended"
        reason(host, "m", "enabled")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("@hookimpl\ndef neomind_routs(ctx): return []", "manifest_error"),
        ("@hookimpl\ndef neomind_routes(ctx): return 3", "self_check_failed"),
        ("plugin = 3", "manifest_error"),
    ],
)
async def test_modules_are_read_again(house, reason, source, body, status):
    """The module was imported at the first attempt and is in ``sys.modules``; the mended text is what counts."""
    dist = house.add("m", body)
    async with house.host() as host:
        reason(host, "m", status)
        dist.rewrite({"fake_m": source("m")})
        await host.discover()
        reason(host, "m", "enabled")


async def test_a_running_plugin_keeps_its_modules(house, reason, source):
    """One distribution, one module, two plugins: the second attempt of one must not pull the rug from the other."""
    text = source("a") + "b = 3\n"
    dist = house.install("d", plugins={"a": "fake_d:plugin", "b": "fake_d:b"}, modules={"fake_d": text})
    async with house.host() as host:
        import fake_d

        reason(host, "b", "manifest_error")
        dist.rewrite({"fake_d": source("a") + "b = Plugin(name='b', summary='.')\n"})
        await host.discover()
        import fake_d as again

        assert again is fake_d
        reason(host, "a", "enabled")


async def test_a_single_file_that_was_mended(house, extensions, reason):
    (extensions / "greeter.py").write_text("raise ValueError('typo')")
    async with house.host() as host:
        reason(host, "greeter", "import_error")
        (extensions / "greeter.py").write_text(FILE.format(name="greeter"))
        await host.discover()
        reason(host, "greeter", "enabled")


async def test_a_requirement_that_was_installed_later(house, reason):
    house.add("needs", requires=("other",))
    async with house.host() as host:
        reason(host, "needs", "missing_requirement")
        house.add("other")
        await host.discover()
        reason(host, "needs", "enabled")


async def test_a_rival_that_was_uninstalled(house, statuses, source):
    first = house.install("d1", plugins={"m": "fake1:plugin"}, modules={"fake1": source("m")})
    house.install("d2", plugins={"m": "fake2:plugin"}, modules={"fake2": source("m")})
    async with house.host() as host:
        assert statuses(host) == {"m": "conflict"}
        first.uninstall()
        await host.discover()
        assert [(info.distribution, info.status) for info in host.plugins()] == [("d2", "enabled")]


async def test_a_failed_one_that_is_gone_is_forgotten(house, statuses):
    dist = house.add("bad", "raise ValueError")
    async with house.host() as host:
        assert statuses(host) == {"bad": "import_error"}
        dist.uninstall()
        await host.discover()
        assert statuses(host) == {}


async def test_what_runs_is_left_alone(house):
    body = """
    starts = []
    @hookimpl
    def neomind_start(ctx):
        async def start(): starts.append(1)
        return [Step(name="start", run=start)]
    """
    house.add("good", body)
    async with house.host() as host:
        import fake_good

        await host.discover()
        await host.discover()
        assert fake_good.starts == [1]


async def test_two_at_a_time(house, statuses):
    async with house.host() as host:
        house.add("new")
        found = await asyncio.gather(host.discover(), host.discover())
        assert sorted(len(new) for new in found) == [0, 1]
        assert statuses(host) == {"new": "enabled"}


SLOW = """
release = asyncio.Event()
starts = []
@hookimpl
def neomind_start(ctx):
    async def start():
        starts.append(1)
        await release.wait()
    return [Step(name="start", run=start)]
"""


async def test_what_is_still_starting_is_left_alone(house, reason):
    house.add("slow", SLOW)
    async with house.host(start_warn_s=0.05) as host:
        import fake_slow

        reason(host, "slow", "found")
        await host.discover()
        fake_slow.release.set()
        await host.settled()
        reason(host, "slow", "enabled")
        assert fake_slow.starts == [1]


async def test_a_new_one_may_wait_for_what_is_still_starting(house, reason):
    house.add("slow", SLOW)
    async with house.host(start_warn_s=0.05) as host:
        import fake_slow

        house.add("needs", requires=("slow",))
        await host.discover()
        fake_slow.release.set()
        await host.settled()
        reason(host, "slow", "enabled")
        reason(host, "needs", "enabled")
