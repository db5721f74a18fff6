"""What outlives a run: the lock, the crash counter, the last report."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from neomind_core.contracts import PluginInfo, Status
from neomind_core.host.state import CRASHES_TO_SAFE_MODE, DataDirectoryInUse, Run, StateFile


@pytest.fixture
def state(tmp_path):
    one = StateFile(tmp_path / "data")
    yield one
    one.unlock()


def test_one_at_a_time(state, tmp_path):
    state.lock()
    with pytest.raises(DataDirectoryInUse, match=f"data is in use by the process {os.getpid()}"):
        StateFile(tmp_path / "data").lock()
    state.unlock()
    state.unlock()
    other = StateFile(tmp_path / "data")
    other.lock()
    other.unlock()


def test_the_lock_of_a_process_that_was_killed_is_gone(tmp_path):
    code = """
    import os, pathlib, signal, sys
    from neomind_core.host.state import StateFile
    state = StateFile(pathlib.Path(sys.argv[1]))
    state.lock()
    os.kill(os.getpid(), signal.SIGKILL)
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(tmp_path)], check=False)
    assert ended.returncode == -9
    assert (tmp_path / "run" / "lock").read_text().isdigit()
    state = StateFile(tmp_path)
    state.lock()
    assert (tmp_path / "run" / "lock").read_text() == str(os.getpid())
    state.unlock()


def test_a_first_run_and_clean_ones_count_nothing(state):
    assert state.begin() == 0
    state.end()
    assert state.begin() == 0


def test_crashes_soon_after_the_start_add_up(state):
    assert [state.begin() for _ in range(5)] == [0, 1, 2, 3, 4]
    assert CRASHES_TO_SAFE_MODE == 3


def test_a_crash_after_a_long_run_starts_anew(state):
    state.begin()
    state.begin()
    state.stable()
    assert state.begin() == 0, "it had lasted"
    assert state.begin() == 1


def test_a_clean_end_forgets_crashes_unless_told_to_keep_them(state):
    state.begin()
    state.begin()
    state.end()
    assert state.begin() == 0
    state.end(crashes=3)
    assert state.begin() == 0, "the run before ended as it should"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"clean": false, "stable": false, "crashes": "many"}',
        b"\xff\xfe",
        b'{"crashes":null}',
    ],
)
def test_a_broken_state_file_hinders_nobody(state, tmp_path, content):
    run = tmp_path / "data" / "run"
    run.mkdir(parents=True)
    (run / "state.json").write_bytes(content)
    assert state.begin() in (0, 1)
    assert state.begin() >= 1, "counting goes on"


def test_the_report(state):
    assert state.last_report() == {}
    info = PluginInfo(
        name="a",
        status=Status.CONFLICT,
        reason="two of them",
        distribution="d",
        version="1",
        first_party=False,
        contributions={"routes": ("GET /x",)},
    )
    state.report([info], 5)
    found = state.last_report()
    assert found["at_ms"] == 5
    assert found["plugins"][0]["status"] == "conflict"
    assert found["plugins"][0]["contributions"] == {"routes": ["GET /x"]}


def test_nothing_half_written_is_left(state, tmp_path):
    state.begin()
    state.report([], 1)
    assert sorted(path.name for path in (tmp_path / "data" / "run").iterdir()) == ["plugins.json", "state.json"]


def test_who_holds_it(state, tmp_path):
    other = StateFile(tmp_path / "data")
    assert other.holder() is None
    state.lock()
    assert other.holder() == str(os.getpid())
    state.unlock()
    assert other.holder() is None, "the name in the file outlives the lock, and means nothing"


def test_the_last_run(state):
    assert state.last_run() == Run()
    state.begin()
    state.begin()
    assert state.last_run() == Run(crashes=1, clean=False, stable=False)
    state.end()
    assert state.last_run() == Run()
