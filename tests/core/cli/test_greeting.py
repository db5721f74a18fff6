"""What is said once it serves."""

import json
from types import SimpleNamespace

import pytest

from neomind_core.contracts import PluginInfo, Status, StorageInfo
from neomind_core.host.cli_greeting import greet, say


def host(*, answer=b"", durability="durable", safe=None, plugins=(), bound=("127.0.0.1", 9375)):
    async def info():
        return StorageInfo(engine="memory", durability=durability)

    async def api(scope, receive, send):
        assert scope["path"] == "/api/setup/status"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    storage = SimpleNamespace(value=SimpleNamespace(info=info))
    services = SimpleNamespace(get=lambda _: storage if durability else None)
    return SimpleNamespace(
        version="1", bound=bound, api=api, services=services, safe_mode=safe, plugins=lambda: plugins
    )


def plugin(name: str, status: Status, reason: str) -> PluginInfo:
    return PluginInfo(name=name, status=status, reason=reason, distribution="d", version="0", first_party=False)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"success": True, "data": {"setup_required": True}}, True),
        ({"success": True, "data": {"setup_required": False}}, False),
        ({"success": False, "error": {"code": "NOT_FOUND"}}, False),
        ([], False),
        (None, False),
    ],
)
async def test_how_to_make_an_administrator_is_said_while_there_is_none(capsys, answer, said):
    await greet(host(answer=json.dumps(answer).encode()))
    assert ("There is no administrator yet" in capsys.readouterr().out) == said


async def test_an_answer_that_is_no_json_is_no_answer(capsys):
    await greet(host(answer=b"<html>"))
    assert "administrator" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("state", "warning"),
    [
        ({}, None),
        ({"durability": "fast"}, "WARNING: durability is 'fast'"),
        ({"durability": None}, "WARNING: no storage is open"),
        ({"safe": "asked for"}, "WARNING: safe mode (asked for)"),
    ],
)
async def test_warnings(capsys, state, warning):
    await greet(host(**state))
    said = capsys.readouterr().err
    assert warning in said if warning else said == ""


async def test_plugins_that_do_not_run_are_grouped_by_their_reason(capsys):
    plugins = [
        plugin("a", Status.ENABLED, "running"),
        plugin("b", Status.BLOCKED, "named in the block list"),
        plugin("c", Status.FAILED_AT_RUN, "ValueError: no"),
        plugin("d", Status.BLOCKED, "named in the block list"),
    ]
    await greet(host(plugins=plugins))
    lines = capsys.readouterr().out.splitlines()
    assert "Plugins running: 1" in lines
    assert "  blocked: b, d: named in the block list" in lines
    assert "  failed_at_run: c: ValueError: no" in lines


async def test_a_wildcard_address_can_still_be_opened(capsys):
    await greet(host(bound=("0.0.0.0", 80)))
    said = capsys.readouterr().out
    assert "serves at http://127.0.0.1:80" in said
    assert "all addresses" in said


def test_nobody_has_to_read_it(monkeypatch):
    def broken(*_args, **_style):
        raise BrokenPipeError

    monkeypatch.setattr("click.secho", broken)
    say("anything")
