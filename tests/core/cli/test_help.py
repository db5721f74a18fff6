"""``neomind --help``: what is listed, and what that costs."""

import subprocess
import sys

import pytest

from neomind_core import __version__
from neomind_sdk.testing.dist import fake_dist

OWN = ["serve", "plugins", "doctor", "openapi"]


def test_version(neomind):
    result = neomind("--version")
    assert (result.exit_code, result.stdout.strip()) == (0, f"neomind {__version__}")


def test_own_commands_come_first_and_those_of_plugins_with_their_summary(neomind):
    neomind.plugin("greeter", neomind.command("greet"))
    result = neomind("--help")
    assert result.exit_code == 0
    assert result.stderr == ""
    own, _, offered = result.stdout.partition("Commands of plugins:")
    assert [name for name in OWN if f"\n  {name} " in own] == OWN
    assert "greet  Summary of greet" in offered


def test_nothing_is_built_for_help(neomind):
    neomind.plugin("greeter", neomind.command("greet").replace("def build(tools):", "def build(tools):\n        1 / 0"))
    assert "Summary of greet" in neomind("--help").stdout


@pytest.mark.parametrize("name", OWN)
def test_every_own_command_has_help(neomind, name):
    neomind.plugin("bomb", "raise RuntimeError('bombed')")
    result = neomind(name, "--help")
    assert result.exit_code == 0
    assert "--data-dir" in result.stdout
    assert "bombed" not in result.output


def test_a_plugin_that_fails_loses_its_commands_and_no_others(neomind):
    neomind.plugin("bomb", "raise SystemExit(3)")
    neomind.plugin("greeter", neomind.command("greet"))
    result = neomind("--help")
    assert result.exit_code == 0
    assert "Summary of greet" in result.stdout
    assert result.stderr.splitlines() == ["No commands from the plugin 'bomb' of file:bomb.py: SystemExit: 3"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("@hookimpl\ndef neomind_cli(ctx):\n    return ['x']", "a str is not CliCommand"),
        ("@hookimpl\ndef neomind_cli(ctx):\n    return {}", "returned dict, a list is wanted"),
        ("@hookimpl\ndef neomind_cly(ctx):\n    return []", "did you mean 'neomind_cli'?"),
        ("@hookimpl\ndef neomind_cli(ctx):\n    raise ValueError('no')", "ValueError: no"),
    ],
)
def test_a_hook_that_is_wrong_is_named_in_one_line(neomind, body, reason):
    neomind.plugin("greeter", body)
    result = neomind("--help")
    assert result.exit_code == 0
    (line,) = result.stderr.splitlines()
    assert "'greeter'" in line
    assert reason in line


def test_a_bad_configuration_hides_the_commands_of_plugins_only(neomind):
    neomind.plugin("greeter", neomind.command("greet"))
    (neomind.data / "neomind.toml").write_text("[nonsense]")
    result = neomind("--help")
    assert result.exit_code == 0
    assert "doctor" in result.stdout
    assert "[nonsense]" in result.stderr


def test_the_cores_names_win(neomind):
    both = """return [CliCommand(name="heal", summary="Summary of heal", build=build), CliCommand"""
    neomind.plugin("usurper", neomind.command("doctor").replace("return [CliCommand", both))
    result = neomind("--help")
    assert "'doctor' is a command of the core" in result.stderr
    assert "Summary of heal" in result.stdout
    assert "Summary of doctor" not in result.stdout
    assert "Check whether the platform can run here" in neomind("doctor", "--help").stdout


def test_two_strangers_with_one_command_both_lose_it(neomind, tmp_path):
    neomind.plugin("greeter", neomind.command("greet"))
    neomind.plugin("welcomer", neomind.command("greet"))
    result = neomind("--help")
    assert "greet " not in result.stdout
    first, second = result.stderr.splitlines()
    assert "both contribute the cli 'greet'" in first
    assert "both contribute the cli 'greet'" in second


def test_of_two_plugins_with_one_name_the_first_partys_is_asked(neomind, tmp_path):
    plugins, body = {"twin": "twin_a:plugin"}, "from neomind_sdk import *\nimport click\n"
    ours = f"{body}plugin = Plugin(name='twin', summary='x')\n{neomind.command('ours')}"
    neomind.plugin("twin", neomind.command("theirs"))
    with fake_dist(tmp_path, "neomind-plugins", plugins=plugins, modules={"twin_a": ours}):
        result = neomind("--help")
    assert "Summary of ours" in result.stdout
    assert "theirs" not in result.stdout
    (line,) = result.stderr.splitlines()
    assert "'twin' of file:twin.py: file:twin.py and neomind-plugins both have a plugin of this name" in line


def test_of_two_strangers_with_one_name_none_is_asked(neomind, tmp_path):
    neomind.plugin("twin", "raise RuntimeError('bombed')")
    with fake_dist(tmp_path, "their-twin", plugins={"twin": "absent_module:plugin"}):
        result = neomind("--help")
    assert len(result.stderr.splitlines()) == 2
    assert "bombed" not in result.stderr


def test_an_unknown_command_is_a_usage_error(neomind):
    result = neomind("nonsense")
    assert result.exit_code == 2
    assert "No such command 'nonsense'" in result.stderr


def test_the_command_line_itself_imports_little():
    """Negative control for all of "light": the modules that a start of the interpreter and click bring are not ours."""
    script = "import sys, neomind_core.host.cli; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    heavy = {"asyncio", "starlette", "uvicorn", "peewee", "structlog", "pluggy", "neomind_core.contracts"}
    assert heavy & set(found.stdout.split()) == set()
