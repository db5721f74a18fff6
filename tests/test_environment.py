"""What is installed is what the environment's name promises; the first test of every environment of ``tox.ini``."""

import os
import sys

import pytest

RUNNING = f"{sys.version_info.major}{sys.version_info.minor}"


def test_what_is_installed_is_what_the_name_promises(environments):
    name = environments.environment_name(os.environ)
    if name is None:
        return  # a developer's own environment promises nothing
    promise = environments.promise_of(name)
    block = os.environ.get("NEOMIND_BLOCK", "")
    assert environments.broken_promises(promise, environments.installed_distributions(), block, RUNNING) == []


def test_a_blocked_plugin_is_one_that_there_is(environments):
    name = environments.environment_name(os.environ) or "all"
    blocked = environments.promise_of(name).blocked
    assert blocked <= environments.plugin_names()


@pytest.mark.parametrize(
    ("name", "python", "blocked"),
    [
        ("core", None, set()),
        ("py312-nochannels", "312", set()),
        ("all-nodevices", None, {"devices"}),
        ("py311-all-noapi_keys", "311", {"api_keys"}),
        ("py311-lowest", "311", set()),
    ],
)
def test_names_are_read(environments, name, python, blocked):
    promise = environments.promise_of(name)
    assert (promise.python, set(promise.blocked)) == (python, blocked)
    assert promise.installed >= environments.FOUNDATION


def test_too_much_and_too_little_is_noticed(environments):
    core = environments.promise_of("core")
    there = {"neomind-core", "neomind-plugins"}
    assert environments.broken_promises(core, there, "", RUNNING) == [
        "neomind-sdk is not installed",
        "neomind-plugins is installed",
    ]


def test_a_channel_that_is_there_is_noticed(environments):
    there = environments.FOUNDATION | {"neomind-plugins", "neomind-example"}
    promise = environments.promise_of("nochannels")
    assert environments.broken_promises(promise, there, "", RUNNING) == ["neomind-example is installed"]


def test_the_wrong_python_and_the_wrong_block_list_are_noticed(environments):
    promise = environments.Promise(installed=frozenset(), python="399", blocked=frozenset({"devices"}))
    found = environments.broken_promises(promise, (), "settings", RUNNING)
    assert found == ["NEOMIND_BLOCK names ['settings'], not ['devices']", f"this is Python {RUNNING}, not 399"]


class TestTally:
    @pytest.fixture
    def tally(self, environments):
        tally = environments.Tally()
        tally.note("tests/core/test_x.py::test_a", "call", "passed", "")
        tally.note("tests/core/test_x.py::test_b", "call", "passed", "")
        return tally

    def promise(self, environments, **changes):
        return environments.Promise(installed=frozenset(), folders=("tests/core",), **changes)

    def test_a_run_that_kept_its_promise(self, tally, environments):
        assert tally.complaints(self.promise(environments)) == []

    def test_a_folder_without_a_test_that_passed(self, environments):
        tally = environments.Tally()
        tally.note("tests/core/test_x.py::test_a", "setup", "passed", "")
        tally.note("tests/core/test_x.py::test_a", "call", "failed", "")
        assert tally.complaints(self.promise(environments)) == ["no test of tests/core passed"]

    def test_what_is_blocked_may_be_skipped(self, tally, environments):
        tally.note("tests/e2e/test_y.py::test_c", "setup", "skipped", "needs devices")
        assert tally.complaints(self.promise(environments, blocked=frozenset({"devices"}))) == []

    def test_nothing_else_may_be_skipped_for_its_needs(self, tally, environments):
        tally.note("tests/e2e/test_y.py::test_c", "setup", "skipped", "needs devices, rules")
        found = tally.complaints(self.promise(environments, blocked=frozenset({"devices"})))
        assert found == ["1 skipped, but nothing may be missing here: needs devices, rules"]

    def test_other_skips_are_counted(self, tally, environments):
        tally.note("tests/core/test_y.py::test_c", "setup", "skipped", "not today")
        assert tally.complaints(self.promise(environments)) == ["1 skipped, 0 may be: not today"]
        assert tally.complaints(self.promise(environments, other_skips=1)) == []

    def test_a_run_cannot_pass_by_skipping(self, tally, environments):
        for number in range(3):
            tally.note(f"tests/e2e/test_y.py::test_{number}", "setup", "skipped", "needs devices")
        found = tally.complaints(self.promise(environments, blocked=frozenset({"devices"})))
        assert found == ["more was skipped than passed"]
