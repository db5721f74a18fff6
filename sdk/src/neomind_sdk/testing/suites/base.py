"""What all contract suites share."""

from __future__ import annotations

import functools
import inspect
import json
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import attrs
import pytest
from hypothesis import HealthCheck, settings

from neomind_core.contracts import Label
from neomind_core.contracts.fields import META

NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
DOTTED = re.compile(rf"{NAME.pattern}(\.{NAME.pattern})*")
KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# Suites are inherited, so one test function runs under many classes; their fixtures hold nothing between examples.
fuzzed = settings(
    max_examples=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.differing_executors, HealthCheck.function_scoped_fixture],
)


class Contract:
    """A suite: inherit it in a class whose name starts with ``Test`` and override ``make``.

    What takes time or an event loop to build goes into a fixture ``subject`` instead of ``make``. The tests are async:
    pytest-asyncio with ``asyncio_mode = auto``.
    """

    def make(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must override make(), or the fixture `subject`")

    @pytest.fixture
    def subject(self) -> Any:
        """The object under test, or a list of them where a plugin contributes several of the kind."""
        return self.make()


class FromHook:
    """Stands before a suite whose subject is what a hook of a running plugin returns.

    The test module has a fixture ``context``, e.g. ``host.context("pager")``::

        class TestRoutes(FromHook, RouteContract):
            hook = hooks.neomind_routes
    """

    hook: ClassVar[Any]
    plugin_context: Any

    @pytest.fixture
    def subject(self, context: Any) -> Any:
        self.plugin_context = context
        found = type(self).hook(context)
        return found[0] if isinstance(found, list) and len(found) == 1 else found


class StillClock:
    """A clock that stands still; sleeping on it is an error of whoever sleeps."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return self._now_ms / 1000

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(
            f"something waits {seconds} s here: return what happened, and the caller decides when to try again"
        )


def listed(subject: Any) -> list[Any]:
    """``subject`` as a list, which must not be empty."""
    items = list(subject) if isinstance(subject, list | tuple) else [subject]
    assert items, "make() returned nothing to test"
    return items


def check_name(name: Any, what: str, pattern: re.Pattern[str] = NAME) -> None:
    """Names are keys of URLs, configuration and logs."""
    wanted = "lower case letters and digits, joined by '-' or '_'"
    assert isinstance(name, str), f"the name of {what} is a {type(name).__name__}; it must be a str"
    assert pattern.fullmatch(name), f"{what} is named '{name}'; a name has {wanted}"


def check_label(label: Any, what: str) -> None:
    """What people read in lists."""
    assert isinstance(label, Label), f"the label of {what} must be a Label(name=…), it is a {type(label).__name__}"
    assert label.name.strip(), f"the label of {what} has no name for people to read"


def check_async(function: Any, what: str) -> None:
    """``function`` must be one that can be awaited; of a lambda that shows when it is called."""
    while isinstance(function, functools.partial):
        function = function.func
    if getattr(function, "__name__", "") == "<lambda>":
        return
    call = function if inspect.isroutine(function) else getattr(type(function), "__call__", None)  # noqa: B004
    assert inspect.iscoroutinefunction(call), f"{what} must be an async function (`async def`)"


def check_schema(schema: Any, what: str) -> None:
    """``schema`` must be a JSON Schema (draft 2020-12) of an object."""
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(dict(schema))
    except (SchemaError, TypeError, ValueError) as error:
        problem = getattr(error, "message", str(error))
        raise AssertionError(f"{what} is no JSON Schema of draft 2020-12: {problem}") from error
    assert schema.get("type") == "object", f'{what} must say "type": "object": arguments are always an object'
    unknown = set(schema.get("required", ())) - set(schema.get("properties", {}))
    assert not unknown, f"{what} requires {sorted(unknown)}, which it does not describe under properties"


def check_fits(value: Any, schema: Any, what: str) -> None:
    """``value`` must be valid against ``schema``."""
    from jsonschema import Draft202012Validator

    problems = [error.message for error in Draft202012Validator(dict(schema)).iter_errors(value)]
    assert not problems, f"{what} does not fit its own schema: {problems[0]}"


def check_json(value: Any, what: str) -> None:
    """``value`` must be what JSON can say."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AssertionError(
            f"{what} is not JSON: {error}; return dict, list, str, int, finite float, bool or None"
        ) from error


def check_config_class(cls: Any, what: str) -> None:
    """``cls`` must be an attrs class that does not show its secrets."""
    assert isinstance(cls, type), f"{what} must be a class, it is a {type(cls).__name__}"
    assert attrs.has(cls), f"{what} ({cls.__name__}) must be an attrs class: decorate it with @attrs.frozen"


def structured(cls: type[Any], values: Mapping[str, Any]) -> Any:
    """``values`` as the host makes an instance of ``cls`` of them."""
    from neomind_core.host.http.structure import structure

    return structure(cls, dict(values))


def secrets_of(cls: type[Any], values: Mapping[str, Any]) -> list[str]:
    """The values of the secret fields."""
    names = [field.name for field in attrs.fields(cls) if field.metadata.get(META, {}).get("secret")]
    return [values[name] for name in names if values.get(name)]


def check_no_secret(text: str, secrets: Iterable[str], where: str) -> None:
    """No secret may stand in ``text``."""
    for secret in secrets:
        assert secret not in text, f"{where} shows a secret of the configuration; say what went wrong without it"


def records_text(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> str:
    """Everything that was logged (all levels) or printed."""
    printed = capsys.readouterr()
    formatter = logging.Formatter()
    return "\n".join([*(formatter.format(record) for record in caplog.records), printed.out, printed.err])
