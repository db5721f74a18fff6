"""The configuration: file, then environment, then flags; what does not fit is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from neomind_core.contracts import ValidationFailed
from neomind_core.host.config import ConfigError, HostConfig, load


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "neomind.toml"
        path.write_text(text)
        return path

    return write


def read(tmp_path, env=None, flags=None, **more):
    return load(flags, data_dir=tmp_path, environment=env or {}, **more)


def test_nothing_but_defaults(tmp_path):
    config = read(tmp_path)
    assert config == HostConfig(data_dir=tmp_path)
    assert (config.server.port, config.plugins.only, config.plugins.strict) == (9375, None, False)


def test_the_later_wins(tmp_path, file):
    file("[server]\nport = 1001\nhost = 'a'\n")
    env = {"NEOMIND_PORT": "1002"}
    assert read(tmp_path).server.port == 1001
    assert read(tmp_path, env).server.port == 1002
    found = read(tmp_path, env, {("server", "port"): 1003})
    assert (found.server.port, found.server.host) == (1003, "a")


def test_short_and_general_names(tmp_path):
    assert read(tmp_path, {"NEOMIND_SERVER__PORT": "7"}).server.port == 7
    assert read(tmp_path, {"PORT": "8"}).server.port == 8
    assert read(tmp_path, {"PORT": "8", "NEOMIND_PORT": "9"}).server.port == 9
    assert read(tmp_path, {"NEOMIND_PLUGINS__START_CAP_S": "2.5"}).plugins.start_cap_s == 2.5
    assert read(tmp_path, {"NEOMIND_LOG_LEVEL": "debug"}).log.level == "debug"


@pytest.mark.parametrize("text", ["a,b", "a b", " a , b ", "a,b,"])
def test_lists_of_the_environment(tmp_path, text):
    for name in ("NEOMIND_BLOCK", "NEOMIND_PLUGINS__BLOCK"):
        assert read(tmp_path, {name: text}).plugins.block == ["a", "b"]
    assert read(tmp_path, {"NEOMIND_ONLY": text}).plugins.only == ["a", "b"]


def test_an_empty_short_name_is_as_if_it_were_not_there(tmp_path, file):
    """``NEOMIND_BLOCK=`` in an environment file: the file's list holds."""
    file("[plugins]\nblock = ['x']\nonly = ['y']\n")
    found = read(tmp_path, {"NEOMIND_BLOCK": "", "NEOMIND_ONLY": ""}).plugins
    assert (found.block, found.only) == (["x"], ["y"])


@pytest.mark.parametrize(("text", "value"), [("1", True), ("true", True), ("no", False), ("0", False)])
def test_switches_of_the_environment(tmp_path, text, value):
    found = read(tmp_path, {"NEOMIND_STRICT": text, "NEOMIND_SAFE": text}).plugins
    assert (found.strict, found.safe) == (value, value)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[serverr]\nport = 1\n", r"\[serverr\]: there is no such section; known are server, .*, plugin\.<name>"),
        ("[server]\nprot = 1\n", r"server\.prot: there is no such setting; known are host, port"),
        ("[server]\nport = 'x'\n", r"server\.port: must be an integer"),
        ("[server]\nport = 99999\n", r"server\.port: must be at most 65535"),
        ("[plugins]\nblock = 'a'\n", r"plugins\.block: must be an array"),
        ("[plugins]\nblock = [1]\n", r"plugins\.block\[0\]: must be text"),
        ("[log]\nlevel = 'loud'\n", r"log\.level: must be one of debug"),
        ("server = 5\n", r"server: must be a table, \[server\]"),
        ("plugin = 5\n", r"plugin: must be a table, \[plugin\]"),
        ("[server\n", r"neomind\.toml: .*line 1"),
        ("[server]\nport = 1\nport = 2\n", r"neomind\.toml: .*"),
    ],
)
def test_what_does_not_fit_names_its_place(tmp_path, file, text, where):
    file(text)
    with pytest.raises(ConfigError, match=where):
        read(tmp_path)


@pytest.mark.parametrize(
    ("env", "where"),
    [
        ({"NEOMIND_PORT": "x"}, r"server\.port: must be an integer"),
        ({"NEOMIND_SERVER__PROT": "1"}, r"server\.prot: there is no such setting; known are host, port"),
        ({"NEOMIND_STRICT": "perhaps"}, r"plugins\.strict: must be true or false"),
    ],
)
def test_the_environment_is_checked_too(tmp_path, env, where):
    with pytest.raises(ConfigError, match=where):
        read(tmp_path, env)


def test_flags_are_checked_too(tmp_path):
    with pytest.raises(ConfigError, match=r"server\.port: must be at least 0"):
        read(tmp_path, flags={("server", "port"): -1})


def test_where_the_file_is(tmp_path, file):
    other = tmp_path / "other.toml"
    other.write_text("[server]\nport = 5\n")
    file("[server]\nport = 6\n")
    assert read(tmp_path).server.port == 6
    assert read(tmp_path, {"NEOMIND_CONFIG": str(other)}).server.port == 5
    assert read(tmp_path, file=other).server.port == 5
    found = load(environment={"NEOMIND_DATA_DIR": str(tmp_path)})
    assert (found.data_dir, found.server.port) == (tmp_path, 6)
    assert load(environment={}).data_dir == Path("data")


def test_a_file_that_was_named_must_be_there(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml: there is no such file"):
        read(tmp_path, file=tmp_path / "none.toml")
    with pytest.raises(ConfigError, match=r"none\.toml: there is no such file"):
        read(tmp_path, {"NEOMIND_CONFIG": str(tmp_path / "none.toml")})


def test_a_file_that_cannot_be_read(tmp_path):
    (tmp_path / "neomind.toml").mkdir()
    with pytest.raises(ConfigError, match=r"neomind\.toml: "):
        read(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"bytes\.toml: "):
        read(tmp_path, file=tmp_path / "bytes.toml")


def test_sections_of_plugins(tmp_path, file):
    file("[plugin.rules]\nsize = 1\n[plugin.rules.extra]\ndeep = 2\n[plugin.other]\nx = 1\n")
    env = {"NEOMIND_RULES__SIZE": "3", "NEOMIND_RULES__EXTRA__DEEP": "4", "PATH": "/bin", "RULES__SIZE": "9"}
    config = read(tmp_path, env)
    assert config.section("rules", "rules") == ({"size": 1, "extra": {"deep": 2}}, {"size": "3"})
    assert config.section("rules", "extra") == ({"deep": 2}, {"deep": "4"})
    assert config.section("nobody", "nobody") == ({}, {})
    assert "PATH" not in config.environment


@pytest.mark.parametrize("name", ["rules", "extra"])
def test_a_plugins_section_that_is_none(tmp_path, file, name):
    file("[plugin]\nrules = 5\n")
    with pytest.raises(ValidationFailed, match="rules: must be a table"):
        read(tmp_path).section("rules", name)


def test_the_real_environment_is_the_default(monkeypatch, tmp_path):
    monkeypatch.setenv("NEOMIND_PORT", "77")
    monkeypatch.setenv("NEOMIND_DATA_DIR", str(tmp_path))
    assert load().server.port == 77
