"""``neomind`` in this process, in a data directory of its own, seeing only the plugins that the test wrote."""

from __future__ import annotations

import json
import logging
import os
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import structlog
from click.testing import CliRunner, Result

from neomind_core.host.cli import cli

HEAD = "import click\nfrom neomind_sdk import *\n"


def source(name: str, body: str = "", **manifest: Any) -> str:
    """The text of a single-file plugin."""
    given = ", ".join(
        f"{key}={value!r}" for key, value in {"name": name, "summary": f"Plugin {name}.", **manifest}.items()
    )
    return f"{HEAD}plugin = Plugin({given})\n\n{textwrap.dedent(body)}"


def command(name: str) -> str:
    """The body of a plugin with one command; it prints what ``work`` returns: the name of the plugin it got."""
    return f'''
@hookimpl
def neomind_cli(ctx):
    def build(tools):
        async def work(ctx):
            return f"worked for {{ctx.plugin.name}}"

        @click.command()
        def {name}():
            """Help of {name}."""
            click.echo(tools.run(work))

        return {name}

    return [CliCommand(name="{name}", summary="Summary of {name}", build=build)]
'''


@attrs.frozen
class Bench:
    """Runs commands on ``data`` and writes plugins there."""

    data: Path
    names: list[str]
    env: dict[str, str]
    command: Callable[..., str] = staticmethod(command)

    def plugin(self, name: str, body: str = "", **manifest: Any) -> None:
        directory = self.data / "extensions"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{name}.py").write_text(source(name, body, **manifest))
        self.names.append(name)

    def see(self, *names: str) -> None:
        """Let the host see these too."""
        self.names.extend(names)

    def __call__(self, *args: str, where: bool = True, **env: str) -> Result:
        given = ("--data-dir", str(self.data), *args) if where else args
        return CliRunner().invoke(cli, given, env={"NEOMIND_ONLY": ",".join([*self.names, "-"]), **self.env, **env})

    def json(self, *args: str) -> Any:
        result = self(*args)
        return json.loads(result.stdout)


@pytest.fixture
def neomind(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("NEOMIND_") or name == "PORT"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    yield Bench(tmp_path / "data", [], {})
    for name in [name for name in sys.modules if name.startswith("neomind_extension_")]:
        del sys.modules[name]


@pytest.fixture(autouse=True)
def logs_as_before():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
