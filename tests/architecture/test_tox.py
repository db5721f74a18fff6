"""``tox.ini`` has an environment for every plugin, and the lowest versions are those that ``setup.cfg`` promises."""

import configparser
import re

import pytest
from packaging.requirements import Requirement

PYTHONS = ("311", "312", "313")
OTHERS = {"lowest", "wheels", "lint", "docs", "bench", "chaos", "fuzz", "llm", "browser"}


@pytest.fixture(scope="module")
def tox(house):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(house.root / "tox.ini", encoding="utf-8")
    return parser


def names(tox):
    """The expanded ``env_list``: ``py{311,312}-{core,all}`` is four names."""
    text = " ".join(tox["tox"]["env_list"].split()).replace(", ", ",").replace(" ", ",")
    return {name for part in re.split(r",(?![^{]*})", text) if part for name in expanded(part)}


def expanded(text):
    match = re.search(r"{([^}]*)}", text)
    if not match:
        return [text]
    return [one for choice in match[1].split(",") for one in expanded(text.replace(match[0], choice.strip(), 1))]


def blocks(tox):
    """Factor to the plugin that it blocks."""
    return dict(re.findall(r"^\s*(no\w+): NEOMIND_BLOCK = (\w+)$", tox["testenv"]["set_env"], re.MULTILINE))


def test_every_python_and_every_set_of_distributions(tox):
    wanted = {f"py{python}-{kind}" for python in PYTHONS for kind in ("core", "nochannels", "all")}
    assert wanted <= names(tox)


def test_the_other_environments(tox):
    there = {name.removeprefix("py311-") for name in names(tox)}
    sections = {name.removeprefix("testenv:") for name in tox.sections()}
    factors = set(re.findall(r"^\s*(\w+):", tox["testenv"]["commands"], re.MULTILINE))
    assert there | sections | factors >= OTHERS


def test_every_plugin_may_be_missing(house, tox):
    plugins = set(house.plugins.entry_points)
    missing = {name for name in plugins if blocks(tox).get(f"no{name}") != name}
    assert missing == set(), "add them to set_env of [testenv] in tox.ini: no<plugin>: NEOMIND_BLOCK = <plugin>"
    listed = {f"py311-all-no{name}" for name in plugins}
    assert listed <= names(tox), "add them to env_list in tox.ini"


def test_nothing_is_blocked_that_is_not_there(house, tox):
    blocked = {name for names in blocks(tox).values() for name in names.split()}
    assert blocked <= set(house.plugins.entry_points)


def test_every_environment_says_its_name(tox):
    assert re.search(r"^NEOMIND_TEST_ENV = {env_name}$", tox["testenv"]["set_env"], re.MULTILINE)


def lower_bounds(house):
    """The lowest version of every library that any distribution requires."""
    bounds = {}
    for one in house.distributions:
        for line in one.config["options"].get("install_requires", "").split("\n"):
            wanted = Requirement(line) if line else None
            if wanted and not wanted.name.startswith("neomind-"):
                lowest = [part.version for part in wanted.specifier if part.operator in (">=", "==")]
                bounds.setdefault(wanted.name.lower(), set()).update(lowest)
    return bounds


def test_the_constraints_are_the_lower_bounds(house):
    lines = (house.root / "tests" / "constraints-lowest.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    bounds = lower_bounds(house)
    assert all(len(versions) == 1 for versions in bounds.values()), f"one bound each, please: {bounds}"
    assert pins == {name: versions.pop() for name, versions in bounds.items()}


@pytest.mark.parametrize(
    ("text", "found"),
    [("lint", ["lint"]), ("py{311,312}-{core,all}", ["py311-core", "py311-all", "py312-core", "py312-all"])],
)
def test_names_are_expanded(text, found):
    assert expanded(text) == found
