"""Suites for what people and programs see: routes, dashboard components, commands of ``neomind``."""

from __future__ import annotations

import importlib.resources
import re
from typing import Any

import attrs

from neomind_core.contracts import (
    ERROR_STATUS,
    Alias,
    CliCommand,
    DashboardComponent,
    Mirror,
    Route,
    SocketRoute,
    status_of,
)

from . import base

COLUMNS = 12


class RouteContract(base.Contract):
    """For what ``neomind_routes`` returns: a list of ``Route``, ``SocketRoute``, ``Alias`` and ``Mirror``."""

    def routes(self, subject: Any) -> list[Route]:
        return [item for item in base.listed(subject) if isinstance(item, Route)]

    def test_the_host_would_serve_them(self, subject: Any) -> None:
        from neomind_core.host.http.app import check_route

        for item in base.listed(subject):
            known = isinstance(item, Route | SocketRoute | Alias | Mirror)
            assert known, (
                f"neomind_routes returns Route, SocketRoute, Alias and Mirror objects, not a {type(item).__name__}"
            )
            problem = check_route(item) if isinstance(item, Route | SocketRoute) else None
            assert problem is None, f"{item.name}: {problem}"

    def test_no_operation_twice(self, subject: Any) -> None:
        names = [item.name for item in base.listed(subject)]
        twice = sorted({name for name in names if names.count(name) > 1})
        assert not twice, f"declared twice: {', '.join(twice)}"

    def test_handlers_are_async(self, subject: Any) -> None:
        for item in base.listed(subject):
            if isinstance(item, Route | SocketRoute):
                base.check_async(item.handler, f"the handler of {item.name}")

    def test_they_are_documented(self, subject: Any) -> None:
        for route in self.routes(subject):
            assert route.summary.strip(), f"{route.name} has no summary; OpenAPI and the docs are made of it"

    def test_error_codes_are_known(self, subject: Any) -> None:
        for route in self.routes(subject):
            unknown = [code for code in route.errors if code not in ERROR_STATUS and not code.endswith("_NOT_FOUND")]
            assert not unknown, f"{route.name} declares unknown error codes {unknown}; see ERROR_STATUS"
            good = [code for code in route.errors if status_of(code) < 400]
            assert not good, f"{route.name} declares {good} as errors"

    def test_bodies_and_queries_are_classes(self, subject: Any) -> None:
        for route in self.routes(subject):
            body = route.body is None or route.body is bytes or attrs.has(route.body)
            assert body, f"body of {route.name} must be an attrs class, bytes or None"
            assert route.query is None or attrs.has(route.query), (
                f"query of {route.name} must be an attrs class or None"
            )
            wrong = route.method in ("GET", "HEAD") and route.body is not None
            assert not wrong, f"{route.name}: a GET has no body, use query"


class DashboardComponentContract(base.Contract):
    """For objects that ``neomind_dashboard_components`` returns; ``make`` may return one or a list."""

    def test_components_are_well_formed(self, subject: Any) -> None:
        for component in base.listed(subject):
            kind = type(component).__name__
            assert isinstance(component, DashboardComponent), f"a component is a DashboardComponent(…), not a {kind}"
            kebab = base.KEBAB.fullmatch(component.type)
            assert kebab, f"the type '{component.type}' must be kebab-case, e.g. 'clock-face'"
            assert component.name.strip(), f"the component '{component.type}' has no name for people to read"

    def test_sizes_fit_each_other_and_the_grid(self, subject: Any) -> None:
        for component in base.listed(subject):
            size, what = component.size, f"size of the component '{component.type}'"
            for axis in ("w", "h"):
                low, usual, high = (getattr(size, f"{kind}_{axis}") for kind in ("min", "default", "max"))
                text = (
                    f"{what}: min_{axis}={low}, default_{axis}={usual}, max_{axis}={high} must be in this order, from 1"
                )
                assert 1 <= low <= usual <= high, text
            assert size.max_w <= COLUMNS, f"{what}: the grid has {COLUMNS} columns, max_w is {size.max_w}"

    def test_data_sources_make_sense(self, subject: Any) -> None:
        for component in base.listed(subject):
            count = component.max_data_sources
            sound = not component.has_data_source or count is None or count >= 1
            assert sound, (
                f"'{component.type}' has data sources, so max_data_sources is at least 1, or None for any number"
            )

    def test_the_default_configuration_fits_its_schema(self, subject: Any) -> None:
        for component in base.listed(subject):
            what = f"config_schema of the component '{component.type}'"
            base.check_json(component.default_config, f"default_config of the component '{component.type}'")
            if component.config_schema:
                base.check_schema(component.config_schema, what)
                base.check_fits(
                    dict(component.default_config), component.config_schema, f"default_config of '{component.type}'"
                )

    def test_the_bundle_is_in_the_package_and_exports_the_component(self, subject: Any) -> None:
        for component in base.listed(subject):
            if component.bundle is not None:
                source = self.bundle(component)
                exported = _exports(source, component.export_name) or component.global_name is not None
                assert exported, f"the bundle '{component.bundle}' does not export '{component.export_name}'"

    def bundle(self, component: DashboardComponent) -> str:
        """The source of the module."""
        package, colon, path = (component.bundle or "").partition(":")
        assert colon, f"bundle is written 'package.name:path/in/it.js', not '{component.bundle}'"
        try:
            return importlib.resources.files(package).joinpath(path).read_text(encoding="utf-8")
        except (ModuleNotFoundError, OSError) as error:
            hint = "put it beside the code and name it in [options.package_data]"
            raise AssertionError(f"the bundle '{component.bundle}' is not in the package: {hint}") from error


def _exports(source: str, name: str) -> bool:
    if name == "default":
        return bool(re.search(r"\bexport\s+default\b|\bas\s+default\b", source))
    plain = rf"\bexport\s+(?:async\s+)?(?:function\*?|class|const|let|var)\s+{re.escape(name)}\b"
    return bool(re.search(rf"{plain}|\bexport\s*\{{[^}}]*\b{re.escape(name)}\b", source))


class CliContract(base.Contract):
    """For objects that ``neomind_cli`` returns; ``make`` may return one or a list."""

    def test_commands_are_well_formed(self, subject: Any) -> None:
        for command in base.listed(subject):
            assert isinstance(command, CliCommand), f"a command is a CliCommand(…), not a {type(command).__name__}"
            base.check_name(command.name, "a command")
            assert command.summary.strip(), f"the command '{command.name}' has no summary, `neomind --help` shows it"

    def test_they_build_click_commands_with_help(self, subject: Any) -> None:
        import click
        from click.testing import CliRunner

        for item in base.listed(subject):
            command = item.build(NoTools())
            kind = type(command).__name__
            assert isinstance(command, click.Command), (
                f"build() of '{item.name}' must return a click.Command, not a {kind}"
            )
            for path, each in _tree(command, (item.name,)):
                assert each.help or each.short_help, f"`neomind {' '.join(path)}` has no help: give it a docstring"
                result = CliRunner().invoke(each, ["--help"])
                assert result.exit_code == 0, f"`neomind {' '.join(path)} --help` fails: {result.output}"


class NoTools:
    """The ``CliTools`` while commands are built and asked for help: nothing may run yet."""

    def run(self, work: Any) -> Any:
        raise AssertionError(
            "tools.run() was called while the command was built or asked for help; call it in the command"
        )


def _tree(command: Any, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    below = getattr(command, "commands", {})
    return [(path, command), *(found for name, sub in below.items() for found in _tree(sub, (*path, name)))]
