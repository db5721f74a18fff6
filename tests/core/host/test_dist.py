"""``fake_dist``: distributions that look installed to whoever looks."""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib
import importlib.metadata
import importlib.resources
import sys

import importlib_metadata
import pytest

from neomind_core.host.discovery import scan
from neomind_sdk.testing import FakeDist, fake_dist

PLUGIN = 'from neomind_sdk import Plugin\nplugin = Plugin(name="greeter", summary="Greets.")\n'


def greeter(directory, **more):
    given = {"plugins": {"greeter": "my_greeter:plugin"}, "modules": {"my_greeter": PLUGIN}, **more}
    return fake_dist(directory, "My-Greeter", "2.1", **given)


def candidates(name="greeter"):
    return [candidate for candidate in scan(None) if candidate.name == name]


def test_the_loader_finds_it_without_importing(tmp_path):
    assert candidates() == []
    with greeter(tmp_path) as dist:
        assert isinstance(dist, FakeDist)
        (found,) = candidates()
        assert (found.distribution, found.version, found.location) == ("my-greeter", "2.1", "my_greeter:plugin")
        assert found.gate is None
        assert not found.first_party
        assert dist.loaded() == []
        plugin, _ = found.load()
        assert plugin.summary == "Greets."
        assert dist.loaded() == ["my_greeter"]


def test_nothing_is_left(tmp_path):
    path, modules = list(sys.path), set(sys.modules)
    with greeter(tmp_path):
        importlib.import_module("my_greeter")
        assert sys.path[0] == str(tmp_path)
    assert sys.path == path
    assert set(sys.modules) - modules == set()
    assert candidates() == []
    assert [entry for entry in tmp_path.rglob("*") if entry.is_file()] == []
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("my_greeter")


def test_nothing_is_left_after_an_error(tmp_path):
    with pytest.raises(RuntimeError), greeter(tmp_path):
        raise RuntimeError("of the test")
    assert candidates() == []
    assert str(tmp_path) not in sys.path


@pytest.mark.parametrize("library", [importlib.metadata, importlib_metadata])
def test_both_metadata_libraries_read_it(tmp_path, library):
    with greeter(tmp_path, requires=["neomind-sdk<1", "attrs"]):
        found = library.distribution("my-greeter")
        assert found.metadata["Name"] == "My-Greeter"
        assert found.version == "2.1"
        assert found.requires == ["neomind-sdk<1", "attrs"]
        assert [(point.name, point.value) for point in found.entry_points] == [("greeter", "my_greeter:plugin")]


def test_the_record_is_true(tmp_path):
    with greeter(tmp_path) as dist:
        with (dist.dist_info / "RECORD").open(newline="") as file:
            rows = list(csv.reader(file))
        assert {row[0] for row in rows} == {
            str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()
        }
        for path, digest, size in rows:
            if digest:
                content = (tmp_path / path).read_bytes()
                hashed = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
                assert (digest, size) == (f"sha256={hashed}", str(len(content)))


def test_packages_and_files(tmp_path):
    modules = {"my_pack": "", "my_pack.hooks": "from .deep.er import x", "my_pack.deep.er": "x = 1"}
    with fake_dist(tmp_path, "p", modules=modules, files={"my_pack/static/clock.js": "// tick"}) as dist:
        assert importlib.import_module("my_pack.hooks").x == 1
        bundle = importlib.resources.files("my_pack") / "static" / "clock.js"
        assert bundle.read_text() == "// tick"
        assert dist.modules == ("my_pack",)
        assert dist.loaded() == ["my_pack", "my_pack.deep", "my_pack.deep.er", "my_pack.hooks"]


def test_rewriting_is_seen_at_the_next_import(tmp_path):
    with fake_dist(tmp_path, "p", modules={"my_mod": "x = 1"}) as dist:
        module = importlib.import_module("my_mod")
        dist.rewrite({"my_mod": "x = 2"})  # same size, same second: stale byte code would be taken for good
        assert module.x == 1
        dist.forget()
        assert importlib.import_module("my_mod").x == 2


def test_two_may_share_a_directory(tmp_path):
    with greeter(tmp_path):
        with fake_dist(tmp_path, "other", modules={"other_mod": ""}):
            importlib.import_module("other_mod")
        assert "other_mod" not in sys.modules
        assert len(candidates()) == 1, "the outer one is still installed"


def test_uninstalling_early(tmp_path):
    with greeter(tmp_path) as dist:
        dist.uninstall()
        assert candidates() == []


@pytest.mark.parametrize("name", ["", "-x", "a b", "../x", "x/y"])
def test_impossible_names(tmp_path, name):
    with pytest.raises(ValueError, match="name of a distribution"), fake_dist(tmp_path, name):
        pass


@pytest.mark.parametrize("module", ["my-mod", "a..b", "../up", "1x", ""])
def test_impossible_modules(tmp_path, module):
    with pytest.raises(ValueError, match="name of a module"), fake_dist(tmp_path, "p", modules={module: ""}):
        pass
    assert list(tmp_path.iterdir()) == []
