"""Mistakes in hooks: each is told in words, and leaves nothing behind."""

from __future__ import annotations

import sys
import threading

import pytest

from neomind_core.host.calls import HookCalls, HookError
from neomind_sdk import SettingsSection, hookimpl

ROUTE = """
async def hello(request): return {}
@hookimpl
def neomind_routes(ctx):
    return [%s]
"""
GOOD = ROUTE % "Route(method='GET', path='/hello', handler=hello, scope=PUBLIC, summary='.')"

MANIFEST = [
    (
        "@hookimpl\ndef neomind_routs(ctx): return []",
        "there is no hook 'neomind_routs'; did you mean 'neomind_routes'?",
    ),
    ("@hookimpl\ndef neomind_xyzzy(ctx): return []", "there is no hook 'neomind_xyzzy'"),
    ("def neomind_routes(ctx): return []", "'neomind_routes' lacks the decorator @hookimpl"),
    ("import neomind_sdk\n@hookimpl\ndef neomind_storges(ctx): return []", "did you mean 'neomind_storages'?"),
    (
        "import neomind_sdk\n@hookimpl\ndef neomind_strt(ctx): return []",
        "there is no hook 'neomind_strt'; did you mean",
    ),
    ("@hookimpl\ndef neomind_routes(ctx, request): return []", "request"),
]

CHECKS = [
    ("@hookimpl\ndef neomind_routes(ctx): return {}", "neomind_routes returned dict, a list is wanted"),
    ("@hookimpl\ndef neomind_routes(ctx): return 'GET /x'", "neomind_routes returned str, a list is wanted"),
    ("@hookimpl\nasync def neomind_routes(ctx): return []", "neomind_routes is async, hooks are synchronous"),
    ("@hookimpl\ndef neomind_routes(ctx): return ['GET /x']", "neomind_routes: a str is not Route or SocketRoute"),
    ("@hookimpl\ndef neomind_channels(ctx): return [object()]", "a object is not ChannelType (it lacks"),
    ("@hookimpl\ndef neomind_jobs(ctx): return [Job]", "neomind_jobs: the class Job is not Job"),
    ("@hookimpl\ndef neomind_settings(ctx): return [3]", "neomind_settings: a int is not SettingsSection"),
    ("@hookimpl\ndef neomind_settings(ctx): return [SettingsSection(name='bad', cls=int)]", "NotAnAttrsClassError"),
    (ROUTE % "Route(method='GET', path='/x', handler=hello, scope='', summary='.')", "'GET /x': it has no scope"),
    (ROUTE % "Route(method='GET', path='/x', handler=hello, scope=None, summary='.')", "'GET /x': it has no scope"),
    (ROUTE % "Route(method='GET', path='x', handler=hello, scope=PUBLIC, summary='.')", "must start with /"),
    (ROUTE % "Route(method='GET', path=None, handler=hello, scope=PUBLIC, summary='.')", ""),
    (
        ROUTE % "*[Route(method='GET', path='/x', handler=hello, scope=PUBLIC, summary='.') for _ in '12']",
        "neomind_routes: 'GET /x' is contributed twice",
    ),
    (
        "@hookimpl\ndef neomind_dashboard_components(ctx):\n"
        "    return [DashboardComponent(type='c', name='C', bundle='fake_bad:none.js')]",
        "the bundle 'fake_bad:none.js' is not in the package",
    ),
    (
        "@hookimpl\ndef neomind_dashboard_components(ctx):\n"
        "    return [DashboardComponent(type='c', name='C', bundle='no_such_package:none.js')]",
        "the bundle 'no_such_package:none.js' is not in the package",
    ),
    (
        "@hookimpl\ndef neomind_tables(ctx): return [Tables(name='other', models=(), steps=())]",
        "the set must be named like the plugin, 'bad'",
    ),
    ("@hookimpl\ndef neomind_tables(ctx): return [Tables(name='bad', models=(int,), steps=())]", "_meta"),
    ("@hookimpl\ndef neomind_routes(ctx): raise ValueError('boom')", "ValueError: boom"),
    ("@hookimpl\ndef neomind_routes(ctx): raise SystemExit(2)", "SystemExit: 2"),
    ("@hookimpl\ndef neomind_routes(ctx): raise KeyboardInterrupt", "KeyboardInterrupt"),
    ("class Odd(BaseException): ...\n@hookimpl\ndef neomind_settings(ctx): raise Odd('x')", "Odd: x"),
    ("@hookimpl\ndef neomind_routes(ctx): raise PluginUnavailable('no GPIO here')", "no GPIO here"),
    ("class T(dict):\n  @property\n  def name(self): raise OSError('x')\n"
     "@hookimpl\ndef neomind_commands(ctx): return [T()]", "OSError: x"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "text"), MANIFEST, ids=[text[:30] for _, text in MANIFEST])
async def test_manifest_error(house, reason, body, text):
    house.add("bad", body)
    house.add("good", GOOD)
    async with house.host() as host:
        assert text in reason(host, "bad", "manifest_error")
        assert "neomind_sdk'" not in reason(host, "bad", "manifest_error"), "an imported module is no hook"
        reason(host, "good", "enabled")


@pytest.mark.parametrize(("body", "text"), CHECKS, ids=[text[:40] for _, text in CHECKS])
async def test_self_check_failed(house, reason, body, text):
    house.add("bad", body)
    house.add("good", GOOD)
    async with house.host() as host:
        assert text in reason(host, "bad", "self_check_failed")
        (info,) = [info for info in host.plugins() if info.name == "bad"]
        assert info.contributions == {}
        reason(host, "good", "enabled")
        assert [owner for owner, _ in host.contributions("routes")] == ["good"]


async def test_a_bundle_that_is_there(house, source, reason):
    hook = """
    @hookimpl
    def neomind_dashboard_components(ctx):
        return [DashboardComponent(type='c', name='C', bundle='fake_c:static/c.js')]
    """
    modules = {"fake_c": source("c"), "fake_c.hooks": source("c", hook)}
    files = {"fake_c/static/c.js": "export default {}"}
    house.install("d", plugins={"c": "fake_c:plugin"}, modules=modules, files=files)
    async with house.host() as host:
        reason(host, "c", "enabled")


async def test_hanging_in_a_hook(house, reason):
    body = """
    import sys
    @hookimpl
    def neomind_routes(ctx):
        sys.neomind_test_release.wait()
        return []
    """
    sys.neomind_test_release = release = threading.Event()
    house.add("bad", body)
    house.add("good", GOOD)
    try:
        async with house.host(start_cap_s=0.2) as host:
            assert reason(host, "bad", "self_check_failed") == "its hooks took over 0.2 s"
            reason(host, "good", "enabled")
    finally:
        release.set()
        for thread in threading.enumerate():
            if thread.name == "neomind-foreign":
                thread.join(5)
        del sys.neomind_test_release


async def test_hooks_do_not_see_services(house, reason):
    """A plugin that asks while assembling is told so, whoever provides the service."""
    house.add("bad", "@hookimpl\ndef neomind_routes(ctx): return ctx.services[Database]")
    async with house.host() as host:
        assert "No plugin provides Database" in reason(host, "bad", "self_check_failed")


class Hooks:
    @hookimpl
    def neomind_settings(self, ctx):
        return [SettingsSection(name=ctx, cls=int)]


def test_calls_are_for_one_plugin():
    calls = HookCalls()
    calls.register("a", Hooks())
    calls.register("b", Hooks())
    assert [section.name for section in calls.collect("a", "settings", "ctx")] == ["ctx"]
    assert calls.collect_all("a", "ctx") == {}, "settings come first and alone"
    calls.unregister("a")
    calls.unregister("a")
    calls.register("a", Hooks())


def test_a_refused_one_leaves_nothing_behind():
    class Bad:
        @hookimpl
        def neomind_routes(self, ctx):
            return []

        @hookimpl
        def neomind_health(self, ctx, more):
            return []

    calls = HookCalls()
    for _ in range(2):
        with pytest.raises(HookError, match="more"):
            calls.register("bad", Bad())
    calls.register("bad", Hooks())
    assert calls.collect("bad", "routes", None) == []
