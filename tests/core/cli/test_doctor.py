"""``neomind doctor``."""

import os
import socket

import pytest

from neomind_core.contracts import PluginInfo, Status
from neomind_core.host import cli_doctor
from neomind_core.host.state import StateFile


@pytest.fixture
def port(neomind):
    """A port that is taken, and told to the platform."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        neomind.env.update(NEOMIND_HOST="127.0.0.1", NEOMIND_PORT=str(sock.getsockname()[1]))
        yield sock


@pytest.fixture
def well(neomind):
    neomind.env.update(NEOMIND_HOST="127.0.0.1", NEOMIND_PORT="0")
    return neomind


def level(neomind, name: str) -> tuple[str, str]:
    found = {one["name"]: (one["level"], one["detail"]) for one in neomind.json("doctor", "--json")["checks"]}
    return found[name]


def test_all_is_well(well):
    well.plugin("bomb", "raise SystemExit(9)")
    result = well("doctor")
    assert result.exit_code == 0
    assert "wrong" not in result.stdout
    assert "not started yet" in result.stdout
    assert well.json("doctor", "--json")["ok"] is True


def test_it_makes_nothing(well):
    assert well("doctor").exit_code == 0
    assert not well.data.exists()


def test_a_bad_configuration(well):
    well.data.mkdir()
    (well.data / "neomind.toml").write_text("[server]\nport = 99999999")
    assert well("doctor", NEOMIND_PORT="").exit_code == 1
    well.env["NEOMIND_PORT"] = ""
    grade, detail = level(well, "configuration")
    assert (grade, "server.port" in detail) == ("wrong", True)


def test_a_port_that_is_taken(neomind, port):
    grade, detail = level(neomind, "port")
    assert (grade, "in use by another program" in detail) == ("wrong", True)
    assert neomind("doctor").exit_code == 1


def test_a_port_that_is_taken_by_the_platform_itself(neomind, port):
    state = StateFile(neomind.data)
    state.lock()
    try:
        assert level(neomind, "port")[0] == "ok"
        assert str(os.getpid()) in level(neomind, "running")[1]
    finally:
        state.unlock()


def test_a_data_directory_that_is_a_file(well):
    well.data.write_text("")
    assert level(well, "data directory") == ("wrong", f"{well.data} is not a directory")


def test_a_data_directory_without_permission(well, monkeypatch):
    monkeypatch.setattr(cli_doctor.os, "access", lambda *_: False)
    assert level(well, "data directory")[0] == "wrong"


@pytest.mark.parametrize(("free", "grade"), [(10, "wrong"), (10**8, "warning"), (10**10, "ok")])
def test_free_space(well, monkeypatch, free, grade):
    usage = cli_doctor.shutil.disk_usage("/")._replace(free=free)
    monkeypatch.setattr(cli_doctor.shutil, "disk_usage", lambda _: usage)
    assert level(well, "free space")[0] == grade


def test_how_the_last_run_ended(well):
    state = StateFile(well.data)
    state.begin()
    assert level(well, "last run")[0] == "wrong"
    state.begin()
    assert "and 1 before it" in level(well, "last run")[1]
    state.stable()
    assert level(well, "last run")[0] == "warning"
    state.end()
    assert level(well, "last run")[0] == "ok"


@pytest.mark.parametrize(
    ("status", "grade", "code"),
    [(Status.FAILED_AT_RUN, "wrong", 1), (Status.BLOCKED, "ok", 0), (Status.CONFLICT, "wrong", 1)],
)
def test_plugins_that_are_not_enabled(well, status, grade, code):
    well.plugin("bad")
    info = PluginInfo(
        name="bad", status=status, reason="so it is", distribution="file:bad.py", version="0", first_party=False
    )
    StateFile(well.data).report([info], 1)
    assert level(well, "plugin bad") == (grade, f"{status.value}: so it is")
    assert well("doctor").exit_code == code


def test_a_python_that_is_too_old(well, monkeypatch):
    monkeypatch.setattr(cli_doctor, "PYTHONS", ((4, 0), (4, 2)))
    grade, detail = level(well, "python")
    assert (grade, "4.0 to 4.1 are wanted" in detail) == ("wrong", True)


def test_a_check_that_breaks_is_a_finding(well, monkeypatch):
    def _broken(_place):
        raise RuntimeError("oh")
        yield

    monkeypatch.setattr(cli_doctor, "CHECKS", (_broken, *cli_doctor.CHECKS))
    assert level(well, "broken") == ("wrong", "cannot be checked: RuntimeError: oh")
    assert level(well, "configuration")[0] == "ok"
