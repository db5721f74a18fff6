"""What every test run shares: what the name of the environment promises is there, and was tested.

The environments of ``tox.ini`` set ``NEOMIND_TEST_ENV`` to their own name. A run under such a name fails when what is
installed is not what the name says, when a folder that belongs to the environment had no test that passed, and when
more was skipped than the environment allows (with ``--whole``). Without the variable nothing is checked.
"""

from __future__ import annotations

import functools
import gc
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from configparser import ConfigParser
from importlib.metadata import distributions, entry_points
from pathlib import Path

import attrs
import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
GROUP = "neomind.plugins"
FOUNDATION = frozenset({"neomind-core", "neomind-sdk"})
GROUPS = {"nomqtt": ("mqtt_broker", "transport_mqtt")}  # factors that block several plugins
PROGRAM = "is not installed (Debian:"  # what CI installs, and a developer may do without
NEEDS = "needs "  # how the SDK's pytest plugin begins the reason of a skip


def extension_names() -> frozenset[str]:
    """The distributions under ``extensions/``, by the name in their ``setup.cfg``."""
    return frozenset(_metadata_name(path) for path in ROOT.glob("extensions/*/setup.cfg"))


def _metadata_name(setup: Path) -> str:
    config = ConfigParser()
    config.read(setup, encoding="utf-8")
    return config["metadata"]["name"]


settings.register_profile("slice", max_examples=30)
settings.register_profile("fuzz", max_examples=1000, deadline=None)
settings.load_profile("slice")  # the environment `fuzz` names the other one


def pytest_collection_finish() -> None:
    """What is there now stays until the end: looking through it for garbage, again and again, was a third of a run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


# ---- what a name promises -------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Promise:
    """``installed`` and ``absent`` are distributions; ``folders`` each have a test that passed."""

    installed: frozenset[str]
    absent: frozenset[str] = frozenset()
    folders: tuple[str, ...] = ()
    python: str | None = None
    blocked: frozenset[str] = frozenset()
    other_skips: int = 0


def promise_of(name: str) -> Promise:
    """What an environment's name promises: ``py311-all-norules`` is Python 3.11, everything, ``rules`` blocked."""
    factors = name.split("-")
    python = factors.pop(0)[2:] if factors[0].startswith("py3") else None
    kind, *rest = factors
    blocked = frozenset(name for factor in rest for name in GROUPS.get(factor, (factor.removeprefix("no"),)))
    everything = FOUNDATION | {"neomind-plugins", "neomind-hub"} | extension_names()
    kinds = {
        "core": Promise(installed=FOUNDATION, absent=everything - FOUNDATION, folders=("tests/core", "tests/sdk")),
        "nochannels": Promise(
            installed=FOUNDATION | {"neomind-plugins"},
            absent=extension_names(),
            folders=("tests/plugins", "tests/combos"),
        ),
        "all": Promise(
            installed=everything,
            folders=("tests/architecture", "tests/core", "tests/sdk", "tests/plugins", "tests/combos", "extensions"),
        ),
    }
    fallback = Promise(installed=everything)
    chosen = kinds.get(kind, fallback) if not blocked else attrs.evolve(fallback, folders=("tests/combos",))
    return attrs.evolve(chosen, python=python, blocked=blocked)


def broken_promises(promise: Promise, installed: Iterable[str], block: str, python: str) -> list[str]:
    """Sentences about what is not as promised; none when all is well."""
    there = frozenset(installed)
    blocked = frozenset(block.replace(",", " ").split())
    complaints = [f"{name} is not installed" for name in sorted(promise.installed - there)]
    complaints += [f"{name} is installed" for name in sorted(promise.absent & there)]
    if blocked != promise.blocked:
        complaints.append(f"NEOMIND_BLOCK names {sorted(blocked)}, not {sorted(promise.blocked)}")
    if promise.python not in (None, python):
        complaints.append(f"this is Python {python}, not {promise.python}")
    return complaints


@functools.cache
def installed_distributions() -> frozenset[str]:
    return frozenset(dist.metadata["Name"] for dist in distributions() if dist.metadata["Name"])


def plugin_names() -> frozenset[str]:
    return frozenset(point.name for point in entry_points(group=GROUP))


# ---- what a run did -------------------------------------------------------------------------------------------------


@attrs.define
class Tally:
    """Counts what passed per folder and what was skipped per reason."""

    passed: Counter[str] = attrs.field(factory=Counter)
    skipped: Counter[str] = attrs.field(factory=Counter)

    def note(self, nodeid: str, when: str, outcome: str, reason: str) -> None:
        if outcome == "skipped":
            self.skipped[reason] += 1
        elif outcome == "passed" and when == "call":
            self.passed[nodeid] += 1

    def complaints(self, promise: Promise) -> list[str]:
        """Sentences about a run that proved less than its environment promises."""
        found = [f"no test of {folder} passed" for folder in promise.folders if not self._passed_under(folder)]
        needs = {reason: n for reason, n in self.skipped.items() if reason.startswith(NEEDS)}
        absent = {name.removeprefix("neomind-").replace("-", "_") for name in promise.absent}
        may_miss = promise.blocked | absent
        wrong = {reason for reason in needs if not set(reason.removeprefix(NEEDS).split(", ")) <= may_miss}
        found += [f"{needs[reason]} skipped, but nothing may be missing here: {reason}" for reason in sorted(wrong)]
        programs = {reason for reason in self.skipped if PROGRAM in reason and not os.environ.get("CI")}
        others = sum(n for reason, n in self.skipped.items() if reason not in needs and reason not in programs)
        if others > promise.other_skips:
            reasons = sorted(set(self.skipped) - set(needs) - programs)
            found.append(f"{others} skipped, {promise.other_skips} may be: {'; '.join(reasons)}")
        if sum(needs.values()) > sum(self.passed.values()):
            found.append("more was skipped than passed")
        return found

    def _passed_under(self, folder: str) -> bool:
        return any(nodeid.startswith(f"{folder}/") for nodeid in self.passed)


def environment_name(environ: Mapping[str, str]) -> str | None:
    return environ.get("NEOMIND_TEST_ENV") or None


# ---- pytest ---------------------------------------------------------------------------------------------------------

_tally = Tally()


@pytest.fixture
def environments():
    """This module, for the tests of it."""
    return sys.modules[__name__]


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "this is all that the environment named by NEOMIND_TEST_ENV runs: fail when too little of it ran"
    parser.addoption("--whole", action="store_true", help=text)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Tests of plugins that are not installed cannot even be imported; those of processes heed no block list."""
    parts = collection_path.relative_to(ROOT).parts if collection_path.is_relative_to(ROOT) else ()
    absent = "neomind-plugins" not in installed_distributions()
    needy = parts[:2] in {("tests", "plugins"), ("tests", "combos")} or parts[-1:] == ("test_with_plugins.py",)
    unheeding = bool(os.environ.get("NEOMIND_BLOCK")) and parts[:2] == ("tests", "e2e")
    return True if (absent and needy) or unheeding else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests in ``tests/plugins/<name>/`` need that plugin without saying so."""
    for item in items:
        parts = item.path.relative_to(ROOT).parts if item.path.is_relative_to(ROOT) else ()
        if parts[:2] == ("tests", "plugins") and len(parts) > 3:
            item.add_marker(pytest.mark.needs(parts[2]))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    reason = report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""
    if hasattr(report, "wasxfail"):
        return  # it ran, and failed as it is known to
    _tally.note(report.nodeid, report.when or "", report.outcome, reason)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _whole_run(config: pytest.Config) -> bool:
    return not _is_worker(config) and config.getoption("--whole")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    name = environment_name(os.environ)
    if name and _whole_run(session.config) and not session.exitstatus:
        session.config.stash[COMPLAINTS] = complaints = _tally.complaints(promise_of(name))
        session.exitstatus = pytest.ExitCode.TESTS_FAILED if complaints else session.exitstatus


COMPLAINTS = pytest.StashKey[list[str]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for complaint in config.stash.get(COMPLAINTS, []):
        terminalreporter.write_line(f"{environment_name(os.environ)}: {complaint}", red=True)
