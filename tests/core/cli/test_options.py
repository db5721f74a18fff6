"""What ``neomind serve`` makes of options, environment and file, and how it refuses."""

from pathlib import Path

import pytest

from neomind_core.host import serve
from neomind_core.host.config import ServerConfig
from neomind_core.host.listening import CannotListen, listen, url


@pytest.fixture
def configs(monkeypatch):
    """The configurations that ``serve`` was run with."""
    found = []
    monkeypatch.setattr(serve, "run", lambda config: found.append(config) or 0)
    return found


def test_defaults(neomind, configs):
    result = neomind("serve", where=False, NEOMIND_ONLY="")
    assert result.exit_code == 0, result.output
    (config,) = configs
    assert (config.server.host, config.server.port, config.data_dir) == ("0.0.0.0", 9375, Path("data"))
    assert (config.plugins.only, config.plugins.block, config.plugins.safe) == (None, [], False)


def test_options_win_over_the_environment_and_that_over_the_file(neomind, configs):
    neomind.data.mkdir()
    (neomind.data / "neomind.toml").write_text('[server]\nhost = "127.0.0.3"\nport = 1\n[plugins]\nblock = ["a"]')
    neomind("serve", "--port", "3", "--block", "b,c", "--block", "d", "--safe", NEOMIND_HOST="127.0.0.2", PORT="2")
    (config,) = configs
    assert (config.server.host, config.server.port) == ("127.0.0.2", 3)
    assert (config.plugins.block, config.plugins.safe) == (["b", "c", "d"], True)


@pytest.mark.parametrize(("given", "only"), [("a b", ["a", "b"]), ("", []), (",", [])])
def test_only_nothing_is_not_everything(neomind, configs, given, only):
    neomind("serve", "--only", given)
    assert configs[0].plugins.only == only


def test_the_port_of_hosting_platforms(neomind, configs):
    neomind("serve", PORT="8123")
    assert configs[0].server.port == 8123


@pytest.mark.parametrize("before", [True, False])
def test_where_can_be_said_before_or_after_the_command(neomind, configs, tmp_path, before):
    where = ["--data-dir", "x", "--config", "y.toml"]
    (tmp_path / "y.toml").write_text("[server]\nport = 7")
    neomind(*[*where, "serve"] if before else ["serve", *where], where=False)
    assert (configs[0].data_dir, configs[0].server.port) == (Path("x"), 7)


@pytest.mark.parametrize(
    ("args", "env", "word"),
    [
        (["--config", "absent.toml"], {}, "absent.toml"),
        ([], {"NEOMIND_LOG_LEVEL": "loud"}, "log.level"),
        ([], {"PORT": "http"}, "server.port"),
    ],
)
def test_a_bad_configuration_is_one_sentence_and_code_2(neomind, configs, args, env, word):
    result = neomind("serve", *args, **env)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert word in line
    assert configs == []


def test_a_port_out_of_range_is_a_usage_error(neomind, configs):
    assert neomind("serve", "--port", "70000").exit_code == 2


def test_a_port_in_use_is_one_sentence_with_the_port():
    with listen(ServerConfig(host="127.0.0.1", port=0)) as first:
        port = first.getsockname()[1]
        with pytest.raises(CannotListen, match=f"port {port} on 127.0.0.1 is in use"):
            listen(ServerConfig(host="127.0.0.1", port=port))


def test_an_address_that_is_not_ours_is_one_sentence():
    with pytest.raises(CannotListen, match=r"cannot listen on 192\.0\.2\.1, port 0: "):
        listen(ServerConfig(host="192.0.2.1", port=0))


@pytest.mark.parametrize(("path", "code"), [("", 2), ("run", 1)])
def test_a_data_directory_that_cannot_be_used_is_one_sentence(neomind, path, code):
    """The first already fails where the configuration is looked for."""
    if path:
        neomind.data.mkdir()
    (neomind.data / path).write_text("a file")
    result = neomind("serve")
    assert result.exit_code == code
    (line,) = result.stderr.splitlines()
    assert str(neomind.data) in line


@pytest.mark.parametrize(
    ("bound", "shown"),
    [
        (("0.0.0.0", 1), "http://127.0.0.1:1"),
        (("127.0.0.2", 1), "http://127.0.0.2:1"),
        (("::", 1), "http://[::1]:1"),
    ],
)
def test_the_address_to_open(bound, shown):
    assert url(bound) == shown
