"""``neomind plugins``: the recovery command."""

import pytest

from neomind_core.contracts import PluginInfo, Status
from neomind_core.host.state import StateFile
from neomind_sdk.testing.dist import fake_dist


def info(name: str, status: Status, reason: str, distribution: str | None = None) -> PluginInfo:
    return PluginInfo(
        name=name,
        status=status,
        reason=reason,
        distribution=distribution or f"file:{name}.py",
        version="0",
        first_party=False,
        contributions={"routes": ("GET /x",)},
    )


@pytest.fixture
def state(neomind):
    return StateFile(neomind.data)


def row(seen, name):
    return next(row for row in seen["plugins"] if row["name"] == name)


def test_before_the_first_run_everything_is_found_and_nothing_imported(neomind):
    neomind.plugin("bomb", "raise SystemExit(9)")
    seen = neomind.json("plugins", "--json")
    assert (seen["running"], seen["reported_ms"]) == (None, None)
    assert row(seen, "bomb")["status"] == "found"
    assert row(seen, "bomb")["reason"] == "the platform has not run here yet"
    assert "never run here" in neomind("plugins").stdout


def test_looking_makes_nothing(neomind):
    assert neomind("plugins").exit_code == 0
    assert not neomind.data.exists()


def test_the_last_report_is_merged_with_what_is_installed(neomind, state):
    neomind.plugin("good")
    neomind.plugin("bad")
    neomind.plugin("new")
    infos = [
        info("good", Status.ENABLED, "running"),
        info("bad", Status.FAILED_AT_RUN, "ValueError: no"),
        info("left", Status.ENABLED, "running"),
    ]
    state.report(infos, 1_700_000_000_000)
    seen = neomind.json("plugins", "--json")
    assert seen["reported_ms"] == 1_700_000_000_000
    told = {name: (row(seen, name)["status"], row(seen, name)["reason"]) for name in ("good", "bad", "new", "left")}
    assert told == {
        "good": ("enabled", "running"),
        "bad": ("failed_at_run", "ValueError: no"),
        "new": ("found", "was not there when the platform last ran"),
        "left": ("gone", "was there when the platform last ran, is not installed any more"),
    }


def test_the_table_shows_every_column(neomind, state):
    neomind.plugin("bad")
    state.report([info("bad", Status.FAILED_AT_RUN, "ValueError: no")], 1_700_000_000_000)
    lines = neomind("plugins").stdout.splitlines()
    assert lines[0].startswith("Not running; as of 2023-11-1")
    assert lines[1].split() == ["NAME", "STATUS", "DISTRIBUTION", "VERSION", "REASON"]
    assert ["bad", "failed_at_run", "file:bad.py", "0", "ValueError:", "no"] in [line.split() for line in lines]


def test_a_plugin_for_another_sdk_is_incompatible_whatever_was_reported(neomind, state, tmp_path):
    state.report([info("old", Status.ENABLED, "running", "old-dist")], 1)
    requires = ["neomind-sdk>=99"]
    with fake_dist(tmp_path, "old-dist", "1.2", plugins={"old": "absent_module:plugin"}, requires=requires):
        found = row(neomind.json("plugins", "--json"), "old")
    assert found["status"] == "incompatible"
    assert "needs neomind-sdk >=99" in found["reason"]
    assert (found["distribution"], found["version"]) == ("old-dist", "1.2")


def test_it_says_when_a_server_runs(neomind, state):
    state.lock()
    try:
        assert neomind.json("plugins", "--json")["running"].isdigit()
        assert "The platform is running (process" in neomind("plugins").stdout
    finally:
        state.unlock()
    assert neomind.json("plugins", "--json")["running"] is None


@pytest.mark.parametrize("config", ["[nonsense]", "not toml"])
def test_it_works_when_the_configuration_does_not(neomind, config):
    neomind.plugin("good")
    (neomind.data / "neomind.toml").write_text(config)
    assert neomind("plugins").exit_code == 0


def test_a_damaged_report_counts_as_none(neomind, state):
    state.report([], 1)
    (neomind.data / "run" / "plugins.json").write_bytes(b"{\x00")
    assert neomind.json("plugins", "--json")["reported_ms"] is None


def test_an_option_of_the_command_wins_over_the_general_one(neomind, tmp_path):
    StateFile(tmp_path / "other").report([], 7)
    assert neomind.json("plugins", "--json", "--data-dir", str(tmp_path / "other"))["reported_ms"] == 7
