"""The wheels that people get: what is in them, and that they work where nothing else of this tree is."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
from configparser import ConfigParser
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import attrs
import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("core", "sdk", "plugins", "extensions", ".")
OWN = ("neomind", "__editable__", "_neomind")
GROUP = "neomind.plugins"
HUB = "neomind_hub"
EXTENSIONS = sorted(path.name for path in ROOT.glob("extensions/*/src/neomind_*") if not path.suffix)
PACKAGES = ["neomind_core", "neomind_sdk", "neomind_plugins", *EXTENSIONS]
NEEDS_SETUPTOOLS = 77

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(int(version("setuptools").split(".")[0]) < NEEDS_SETUPTOOLS, reason="setuptools is too old"),
]


@attrs.frozen
class Built:
    """Wheels, the copies they were built from, and a virtual environment that they are installed in."""

    wheels: Path
    python: Path
    env: dict[str, str]

    @property
    def sources(self):
        return self.wheels / "sources"

    def wheel(self, package):
        (found,) = self.wheels.glob(f"{package}-*.whl")
        return Wheel(package, ZipFile(found))

    def run(self, *args, cwd=None):
        """A Python process of the environment; fails when it does not exit 0."""
        command = [str(self.python), *map(str, args)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=self.env, cwd=cwd, timeout=100)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@attrs.frozen
class Wheel:
    name: str
    archive: ZipFile

    @property
    def names(self):
        return self.archive.namelist()

    def info(self, file):
        """The text of a file of the ``dist-info``."""
        found = next((name for name in self.names if name.endswith(f".dist-info/{file}")), None)
        assert found, f"{self.name} has no {file}"
        return self.archive.read(found).decode()


def fresh_environment(directory):
    """A virtual environment with everything that this one has, but for what comes from this tree."""
    venv.create(directory, symlinks=True)
    version_dir = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = directory / "lib" / version_dir / "site-packages"
    for kind in ("purelib", "platlib"):
        for entry in Path(sysconfig.get_path(kind)).iterdir():
            if not entry.name.startswith(OWN) and entry.suffix != ".pth" and not (site / entry.name).exists():
                (site / entry.name).symlink_to(entry)
    return directory / "bin" / "python"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Built and installed by what builds and installs for the tests of every environment, without a network."""
    where = tmp_path_factory.mktemp("built")
    env = {name: text for name, text in os.environ.items() if not name.startswith(("NEOMIND_", "PYTHON", "PIP_"))}
    env |= {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    built = Built(where / "wheels", fresh_environment(where / "venv"), env)
    built.run(ROOT / ".ci" / "install.py", "--wheels", built.wheels, *PARTS, cwd=where)
    return built


@pytest.fixture(params=[*PACKAGES, HUB])
def wheel(built, request):
    wheel = built.wheel(request.param)
    yield wheel
    wheel.archive.close()


# ---- what is in them ------------------------------------------------------------------------------------------------


def test_there_is_a_wheel_of_each_distribution(built):
    assert {path.name.partition("-")[0] for path in built.wheels.glob("*.whl")} == {*PACKAGES, HUB}


def test_nothing_is_in_them_that_belongs_elsewhere(wheel):
    wrong = (".pyc", ".cfg", ".toml", ".orig", ".swp")
    assert [name for name in wheel.names if name.endswith(wrong) or "__pycache__" in name] == []
    assert [name for name in wheel.names if {"tests", "docs", "build", "src"} & set(name.split("/"))] == []


def test_just_one_package_is_in_each_and_the_whole_of_it(wheel):
    package = wheel.name
    tops = {name.split("/")[0] for name in wheel.names if ".dist-info/" not in name}
    assert tops == ({package} if package != HUB else set())
    for top in tops:
        assert f"{top}/py.typed" in wheel.names
        (source,) = [*ROOT.glob(f"*/src/{top}"), *ROOT.glob(f"extensions/*/src/{top}")]
        there = {f"{top}/{path.relative_to(source)}" for path in source.rglob("*.py")}
        assert there <= set(wheel.names)


def test_the_licence_comes_with_them(wheel):
    assert re.search("^License(-Expression)?: Apache-2.0$", wheel.info("METADATA"), re.MULTILINE)
    assert "Apache License" in wheel.info("licenses/LICENSE")


def test_the_module_of_the_component_is_in_the_example(built):
    assert "neomind_example/big_number.js" in built.wheel("neomind_example").names


@pytest.mark.parametrize(
    ("package", "lines"),
    [
        ("neomind_core", ["[console_scripts]", "neomind = neomind_core.host.cli:main"]),
        ("neomind_sdk", ["[pytest11]", "neomind = neomind_sdk.pytest_plugin"]),
        ("neomind_plugins", ["[neomind.plugins]", "devices = neomind_plugins.devices:plugin"]),
        ("neomind_example", ["[neomind.plugins]", "example = neomind_example:plugin"]),
    ],
)
def test_entry_points(built, package, lines):
    assert set(lines) <= set(built.wheel(package).info("entry_points.txt").splitlines())


def test_every_plugin_of_the_metadata_is_an_entry_point_of_the_wheel(built):
    config, points = ConfigParser(), ConfigParser()
    config.read(ROOT / "plugins" / "setup.cfg", encoding="utf-8")
    points.read_string(built.wheel("neomind_plugins").info("entry_points.txt"))
    wanted = [line.split(" = ") for line in config["options.entry_points"][GROUP].strip().splitlines()]
    assert dict(points[GROUP]) == dict(wanted)
    assert len(wanted) > 9


# ---- that they work -------------------------------------------------------------------------------------------------


def test_their_requirements_are_met_and_agree(built):
    assert "No broken requirements found" in built.run("-m", "pip", "check")


def test_what_is_imported_is_what_was_installed(built, tmp_path):
    names = ", ".join(PACKAGES)
    files = built.run("-c", f"import {names}\nprint(*[one.__file__ for one in ({names})], sep='\\n')", cwd=tmp_path)
    assert len(files.split()) == len(PACKAGES)
    for file in files.split():
        assert Path(file).is_relative_to(built.python.parents[1])


def test_the_command_says_its_version(built, tmp_path):
    command = built.python.parent / "neomind"
    done = subprocess.run(
        [command, "--version"], check=True, capture_output=True, text=True, env=built.env, cwd=tmp_path
    )
    assert done.stdout == f"neomind {version('neomind-core')}\n"


def test_all_plugins_run(built, tmp_path, make_home, data):
    home = make_home("wheels")
    server = home.serve(command=(built.python.parent / "neomind", "serve"))
    rows = data(server.client().get("/extensions"))
    assert {row["status"] for row in rows} == {"enabled"}
    assert {"example", "devices"} <= {row["name"] for row in rows}
    assert server.stop()[0] == 0


def test_the_example_passes_its_own_tests_outside_the_tree(built):
    example = built.sources / "extensions" / "example"
    printed = built.run("-m", "pytest", "-c", "setup.cfg", "-p", "no:cacheprovider", "-q", "tests", cwd=example)
    assert " passed" in printed
    assert "failed" not in printed
