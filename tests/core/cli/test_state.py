"""What others may ask about the data directory while the platform works on it, or after."""

import pytest

from neomind_core.host.state import DataDirectoryInUse, Run, StateFile


def test_who_holds_the_directory_can_be_asked_without_taking_it(tmp_path):
    one, other = StateFile(tmp_path), StateFile(tmp_path)
    assert other.holder() is None
    one.lock()
    assert other.holder().isdigit()
    with pytest.raises(DataDirectoryInUse, match=other.holder()):
        other.lock()
    one.unlock()
    assert other.holder() is None
    other.lock()
    other.unlock()


def test_how_the_last_run_went(tmp_path):
    state = StateFile(tmp_path)
    assert state.last_run() == Run()
    state.begin()
    assert state.last_run() == Run(crashes=0, clean=False, stable=False)
    state.begin()
    state.begin()
    assert state.last_run() == Run(crashes=2, clean=False, stable=False)
    state.stable()
    assert state.last_run() == Run(crashes=0, clean=False, stable=True)
    state.end()
    assert state.last_run() == Run()


@pytest.mark.parametrize("text", [b"", b"[]", b'{"crashes": "x", "clean": null}', b"\x00"])
def test_notes_that_are_damaged_count_as_none(tmp_path, text):
    state = StateFile(tmp_path)
    state.end()
    (tmp_path / "run" / "state.json").write_bytes(text)
    assert state.last_run() == Run()
    assert state.begin() == 0
