"""Commands of plugins, and the tools they work with."""

import os
from pathlib import Path

import pytest

from neomind_core.contracts import Plugin
from neomind_core.host.cli_commands import closure
from neomind_core.host.state import StateFile
from neomind_sdk.testing.dist import fake_dist

STARTED = """
@hookimpl
def neomind_start(ctx):
    async def run():
        with (ctx.data_dir / "started").open("a") as file:
            file.write(ctx.plugin.name + "\\n")
    return [Step(name="note", run=run)]

@hookimpl
def neomind_stop(ctx):
    async def run():
        with (ctx.data_dir / "stopped").open("a") as file:
            file.write(ctx.plugin.name + "\\n")
    return [Step(name="note", run=run)]
"""


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def test_a_command_works_with_its_plugin_and_stops_again(neomind):
    neomind.plugin("greeter", neomind.command("greet") + STARTED)
    result = neomind("greet")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "worked for greeter\n", "")
    assert lines(neomind.data / "started") == lines(neomind.data / "stopped") == ["greeter"]
    assert StateFile(neomind.data).holder() is None


def test_only_what_the_command_needs_is_started(neomind):
    neomind.plugin("store", STARTED, provides=("storage",))
    neomind.plugin("base", STARTED, after=("far",))
    neomind.plugin("near", STARTED)
    neomind.plugin("far", STARTED)
    neomind.plugin("unrelated", STARTED)
    neomind.plugin("greeter", neomind.command("greet") + STARTED, requires=("base",), after=("near", "absent"))
    assert neomind("greet").exit_code == 0
    started = lines(neomind.data / "started")
    assert sorted(started) == ["base", "greeter", "near", "store"]
    assert started[-1] == "greeter"
    assert started == list(reversed(lines(neomind.data / "stopped")))


def test_closure_follows_requirements_and_what_provides_them():
    def plugin(name: str, **more: tuple[str, ...]) -> Plugin:
        return Plugin(name=name, summary="x", **more)

    plugins = [
        plugin("a", requires=("b",), after=("d",)),
        plugin("b", requires=("c",), after=("e",)),
        plugin("real_c", provides=("c",)),
        plugin("d", requires=("f",)),
        plugin("e"),
        plugin("f", requires=("a",)),
        plugin("sqlite", provides=("storage",)),
    ]
    assert closure("a", {one.name: one for one in plugins}) == {"a", "b", "real_c", "d", "f", "sqlite"}


def test_a_data_directory_in_use_is_one_sentence(neomind):
    neomind.plugin("greeter", neomind.command("greet") + STARTED)
    state = StateFile(neomind.data)
    state.lock()
    try:
        result = neomind("greet")
    finally:
        state.unlock()
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert str(os.getpid()) in line
    assert "stop the server first, or use its REST API" in line
    assert lines(neomind.data / "started") == []
    assert neomind("greet").exit_code == 0


@pytest.mark.parametrize("strict", ["0", "1"])
def test_a_plugin_that_cannot_start_is_one_sentence(neomind, strict):
    neomind.plugin("greeter", neomind.command("greet"), requires=("absent",))
    result = neomind("greet", NEOMIND_STRICT=strict)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "requires 'absent', which is not there" in line


def test_the_lock_is_free_again_after_a_command_failed(neomind):
    body = neomind.command("greet").replace('return f"worked for {ctx.plugin.name}"', 'raise RuntimeError("oh")')
    neomind.plugin("greeter", body)
    result = neomind("greet")
    assert isinstance(result.exception, RuntimeError)
    assert StateFile(neomind.data).holder() is None


def test_a_command_leaves_the_notes_of_the_server_alone(neomind):
    state = StateFile(neomind.data)
    state.begin()
    state.report([], 1)
    before = state.last_run(), state.last_report()
    neomind.plugin("greeter", neomind.command("greet"))
    neomind("greet")
    assert (state.last_run(), state.last_report()) == before


@pytest.mark.parametrize(
    ("how", "env"),
    [
        (["--data-dir", "elsewhere"], {}),
        ([], {"NEOMIND_DATA_DIR": "elsewhere"}),
    ],
)
def test_where_it_works_comes_from_the_option_or_the_environment(neomind, tmp_path, how, env):
    head = "import click\nfrom neomind_sdk import *\nplugin = Plugin(name='greeter', summary='x')\n"
    modules = {"theirs": head + neomind.command("greet") + STARTED}
    with fake_dist(tmp_path, "their-greeter", plugins={"greeter": "theirs:plugin"}, modules=modules):
        neomind.see("greeter")
        result = neomind(*how, "greet", where=False, **env)
    assert result.exit_code == 0, result.output
    assert lines(tmp_path / "elsewhere" / "started") == ["greeter"]


def test_a_blocked_plugin_has_no_commands(neomind):
    neomind.plugin("greeter", neomind.command("greet"))
    assert neomind("greet", NEOMIND_BLOCK="greeter").exit_code == 2
    assert neomind("greet", NEOMIND_SAFE="1").exit_code == 2
    assert neomind("greet").exit_code == 0


def test_a_command_that_cannot_be_built_is_one_sentence(neomind):
    build = "def build(tools):"
    neomind.plugin("greeter", neomind.command("greet").replace(build, f"{build}\n        import absent_module"))
    result = neomind("greet")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "the plugin 'greeter' cannot build this command: ModuleNotFoundError" in line


def test_what_is_built_must_be_a_click_command(neomind):
    neomind.plugin("greeter", neomind.command("greet").replace("        return greet", "        return 'greet'"))
    result = neomind("greet")
    assert (result.exit_code, "built a str, no click command" in result.stderr) == (1, True)


def test_a_bad_configuration_is_exit_code_2(neomind):
    neomind.plugin("greeter", neomind.command("greet"))
    (neomind.data / "neomind.toml").write_text("[server]\nport = 'x'")
    result = neomind("greet")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "server.port" in line
