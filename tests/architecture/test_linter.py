"""The import contracts of ``setup.cfg`` hold, nothing is excepted from them, and each of them can turn red."""

import configparser
import os
import subprocess
import sys
from pathlib import Path, PurePath

import pytest

CONTRACT = "importlinter:contract:"
PLUGINS = "plugins/src/neomind_plugins"
EXAMPLE = "extensions/example/src/neomind_example"
# Per contract: where a line is planted that breaks it.
VIOLATIONS = [
    ("distributions", "core/src/neomind_core/host/order.py", "import neomind_sdk"),
    ("distributions", "sdk/src/neomind_sdk/units.py", "import neomind_plugins.devices"),
    ("distributions", f"{PLUGINS}/devices/service.py", "import neomind_example"),
    ("distributions", f"{EXAMPLE}/dice.py", "import neomind_plugins.devices"),
    ("sdk_only", f"{PLUGINS}/devices/service.py", "from neomind_core.contracts import Device"),
    ("sdk_only", f"{EXAMPLE}/dice.py", "def late():\n    import neomind_core.host"),
    ("plugins_apart", f"{PLUGINS}/telemetry/service.py", "from neomind_plugins.devices.models import DeviceSettings"),
    (
        "plugins_apart",
        f"{PLUGINS}/telemetry/service.py",
        "if TYPE_CHECKING:\n    from .. import devices",
    ),
    ("plugins_apart", f"{PLUGINS}/brand_new/__init__.py", "from neomind_plugins.devices import plugin"),
    ("pure_contracts", "core/src/neomind_core/contracts/http.py", "import starlette.requests"),
    ("pure_contracts", "core/src/neomind_core/hookspecs.py", "import peewee"),
    ("inside_core", "core/src/neomind_core/contracts/clock.py", "from ..hookspecs import hookimpl"),
    ("inside_core", "core/src/neomind_core/hookspecs.py", "from . import host"),
    ("inside_core", "core/src/neomind_core/another_room.py", "ANOTHER = 1"),
    ("inside_plugins", f"{PLUGINS}/devices/models.py", "from . import service"),
    ("inside_plugins", f"{PLUGINS}/devices/service.py", "from . import routes"),
    ("inside_plugins", f"{PLUGINS}/brand_new/service.py", "from . import hooks"),
    ("owner_of_starlette", f"{PLUGINS}/devices/routes.py", "from starlette.responses import Response"),
    ("owner_of_peewee", f"{PLUGINS}/devices/service.py", "import peewee"),
    ("owner_of_jwt", f"{PLUGINS}/devices/service.py", "import jwt"),
    ("owner_of_apscheduler", f"{PLUGINS}/devices/service.py", "import apscheduler.triggers"),
    ("owner_of_httpx2", f"{PLUGINS}/devices/service.py", "import httpx2"),
    ("no_cycles", f"{PLUGINS}/devices/zig.py", "from . import zag"),
]


def sections(root):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(root / "setup.cfg", encoding="utf-8")
    return {name: parser[name] for name in parser.sections() if name.startswith("importlinter")}


def contracts(root):
    return {name.removeprefix(CONTRACT): body for name, body in sections(root).items() if name.startswith(CONTRACT)}


def lint(house, *only):
    """Run the linter over the tree of ``house``, whatever is installed."""
    chosen = [part for name in only for part in ("--contract", name)]
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    return subprocess.run(
        [*command, *chosen],
        cwd=house.root,
        env={**os.environ, "PYTHONPATH": house.python_path, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "160"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("name", sorted(contracts(Path(__file__).parents[2])))
def test_the_contract_holds(house, name):
    done = lint(house, name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 kept, 0 broken" in done.stdout


@pytest.mark.parametrize(("name", "path", "text"), VIOLATIONS)
def test_a_violation_is_noticed(plant, name, path, text):
    copy = plant(path, text)
    if "brand_new" in path:
        copy.write(f"{PLUGINS}/brand_new/__init__.py", "")
        copy.write(f"{PLUGINS}/brand_new/hooks.py", "")
    if "zig" in path:
        copy.write(path.replace("zig", "zag"), "from . import zig")
    done = lint(copy, name)
    assert "0 kept, 1 broken" in done.stdout, done.stdout + done.stderr
    assert PurePath(path).with_suffix("").name.replace("__init__", "brand_new") in done.stdout


def test_every_contract_has_a_planted_violation(house):
    assert {name for name, _, _ in VIOLATIONS} == set(contracts(house.root))


def test_nothing_is_excepted(house):
    excepted = [name for name, body in sections(house.root).items() for key in body if "ignore" in key or "skip" in key]
    assert excepted == []


def test_every_distribution_is_looked_at(house):
    roots = sections(house.root)["importlinter"]["root_packages"].split()
    assert roots == [one.package for one in house.distributions], "add the new one to root_packages in setup.cfg"


@pytest.mark.parametrize("option", ["sdk_only.source_modules", "inside_plugins.containers", "no_cycles.ancestors"])
def test_every_extension_is_in_the_contracts_about_extensions(house, option):
    contract, _, key = option.partition(".")
    named = contracts(house.root)[contract][key].split()
    missing = [one.package for one in house.extensions if one.package not in named]
    assert missing == [], f"add them to {key} of [{CONTRACT}{contract}] in setup.cfg"


def test_every_extension_is_in_the_contract_about_distributions(house):
    top = contracts(house.root)["distributions"]["layers"].split("\n")[1]
    packages = [house.plugins.package, *(one.package for one in house.extensions)]
    assert [part.strip() for part in top.split("|")] == packages


def test_every_extension_is_type_checked(house):
    parser = configparser.ConfigParser()
    parser.read(house.root / "setup.cfg", encoding="utf-8")
    folders = [folder.strip() for folder in parser["mypy"]["mypy_path"].split(",")]
    assert folders == [one.src.relative_to(house.root).as_posix() for one in house.distributions]
