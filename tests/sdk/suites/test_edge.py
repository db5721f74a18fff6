"""The suites for routes, dashboard components and the command line: good ones pass, broken ones are found out."""

from __future__ import annotations

import sys

import attrs
import click
import pytest

from neomind_core.contracts import PUBLIC, Alias, CliCommand, DashboardComponent, Mirror, Route, Size, SocketRoute
from neomind_sdk.testing.suites import CliContract, DashboardComponentContract, RouteContract


@attrs.frozen
class Greeting:
    text: str


async def hello(request):
    return {"hello": "you"}


async def talk(socket, request):
    await socket.accept()


HELLO = Route(
    method="GET", path="/hello/{name}", handler=hello, scope=PUBLIC, summary="Say hello", errors=("USER_NOT_FOUND",)
)
GREET = Route(method="POST", path="/hello", handler=hello, scope="hello:write", summary="Greet", body=Greeting)


class ForRoutes(RouteContract):
    def make(self):
        socket = SocketRoute(path="/talk", handler=talk, summary="Talk", scope=PUBLIC)
        return [HELLO, GREET, socket, Alias(path="/hi", target="/hello"), Mirror(path="/hello")]


class TestRoutes(ForRoutes):
    pass


ROUTES = ForRoutes()


@pytest.mark.parametrize(
    ("test", "broken", "expected"),
    [
        (ROUTES.test_the_host_would_serve_them, [print], "not a builtin_function"),
        (ROUTES.test_the_host_would_serve_them, [attrs.evolve(HELLO, path="hello")], "^GET hello: "),
        (ROUTES.test_no_operation_twice, [HELLO, HELLO], "declared twice: GET /hello/{name}"),
        (ROUTES.test_handlers_are_async, [attrs.evolve(HELLO, handler=print)], "must be an async function"),
        (ROUTES.test_they_are_documented, [attrs.evolve(HELLO, summary="")], "has no summary"),
        (ROUTES.test_error_codes_are_known, [attrs.evolve(HELLO, errors=("OOPS",))], r"unknown error codes \['OOPS'\]"),
        (ROUTES.test_bodies_and_queries_are_classes, [attrs.evolve(GREET, body=dict)], "must be an attrs class, bytes"),
        (
            ROUTES.test_bodies_and_queries_are_classes,
            [attrs.evolve(HELLO, query=dict)],
            "must be an attrs class or None",
        ),
        (ROUTES.test_bodies_and_queries_are_classes, [attrs.evolve(HELLO, body=Greeting)], "a GET has no body"),
    ],
)
async def test_broken_routes(breach, test, broken, expected):
    await breach(test, expected, broken)


CLOCK = DashboardComponent(
    type="clock-face",
    name="Clock",
    config_schema={"type": "object", "properties": {"hands": {"type": "integer"}}},
    default_config={"hands": 3},
    bundle="clock_package:ui/clock.js",
)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An importable package with a file that is written by the test."""
    ui = tmp_path / "clock_package" / "ui"
    ui.mkdir(parents=True)
    (tmp_path / "clock_package" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "clock_package", raising=False)
    (ui / "clock.js").write_text("export default function Clock() {}")
    return ui / "clock.js"


@pytest.mark.usefixtures("package")
class TestClock(DashboardComponentContract):
    def make(self):
        return [CLOCK, DashboardComponent(type="value-card", name="Value")]


COMPONENT = TestClock()


@pytest.mark.parametrize(
    ("test", "changes", "expected"),
    [
        (COMPONENT.test_components_are_well_formed, {"type": "clock_face"}, "must be kebab-case"),
        (COMPONENT.test_components_are_well_formed, {"name": ""}, "has no name"),
        (
            COMPONENT.test_sizes_fit_each_other_and_the_grid,
            {"size": Size(min_w=4, default_w=2)},
            "min_w=4, default_w=2",
        ),
        (COMPONENT.test_sizes_fit_each_other_and_the_grid, {"size": Size(default_h=9, max_h=8)}, "max_h=8"),
        (COMPONENT.test_sizes_fit_each_other_and_the_grid, {"size": Size(min_h=0)}, "from 1"),
        (COMPONENT.test_sizes_fit_each_other_and_the_grid, {"size": Size(max_w=13)}, "12 columns"),
        (COMPONENT.test_data_sources_make_sense, {"max_data_sources": 0}, "at least 1"),
        (COMPONENT.test_the_default_configuration_fits_its_schema, {"default_config": {"hands": "3"}}, "does not fit"),
        (COMPONENT.test_the_default_configuration_fits_its_schema, {"config_schema": {"type": 3}}, "no JSON Schema"),
        (COMPONENT.test_the_default_configuration_fits_its_schema, {"default_config": {"hands": {1}}}, "is not JSON"),
    ],
)
async def test_broken_components(breach, test, changes, expected):
    await breach(test, expected, attrs.evolve(CLOCK, **changes))


BUNDLE = COMPONENT.test_the_bundle_is_in_the_package_and_exports_the_component


@pytest.mark.parametrize(
    ("bundle", "expected"),
    [
        ("clock.js", "is written 'package.name:path"),
        ("clock_package:other.js", "is not in the package: .*package_data"),
        ("no_such_package:clock.js", "is not in the package"),
    ],
)
async def test_bundles_that_are_not_there(breach, package, bundle, expected):
    await breach(BUNDLE, expected, attrs.evolve(CLOCK, bundle=bundle))


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("export default class extends X {}", "default"),
        ("const a = 1; export { a as default };", "default"),
        ("export function Clock() {}", "Clock"),
        ("export const Clock = () => 1;", "Clock"),
        ("class Clock {}\nexport {\n  Other,\n  Clock,\n};", "Clock"),
    ],
)
async def test_exports(breach, package, source, name):
    package.write_text(source)
    BUNDLE(attrs.evolve(CLOCK, export_name=name))
    await breach(BUNDLE, "does not export 'Dial'", attrs.evolve(CLOCK, export_name="Dial"))


async def test_scripts_with_a_global_name_export_nothing(package):
    package.write_text("window.Clock = { default: function () {} };")
    BUNDLE(attrs.evolve(CLOCK, global_name="Clock"))


def build(tools):
    @click.group()
    def clock():
        """Works with clocks."""

    @clock.command()
    def wind():
        """Winds the clock."""
        tools.run(None)

    return clock


class ForCli(CliContract):
    def make(self):
        return CliCommand(name="clock", summary="Work with clocks", build=build)


class TestCli(ForCli):
    pass


def eager(tools):
    return tools.run(None)


def undocumented(tools):
    group = build(tools)
    group.add_command(click.Command("stop", callback=lambda: None))
    return group


CLI = ForCli()
BUILDS = CLI.test_they_build_click_commands_with_help


@pytest.mark.parametrize(
    ("test", "changes", "expected"),
    [
        (CLI.test_commands_are_well_formed, {"name": "Clock"}, "is named 'Clock'"),
        (CLI.test_commands_are_well_formed, {"summary": ""}, "has no summary"),
        (BUILDS, {"build": lambda tools: print}, "must return a click.Command"),
        (BUILDS, {"build": eager}, r"tools.run\(\) was called while"),
        (BUILDS, {"build": undocumented}, "`neomind clock stop` has no help"),
    ],
)
async def test_broken_commands(breach, test, changes, expected):
    await breach(test, expected, attrs.evolve(CLI.make(), **changes))
