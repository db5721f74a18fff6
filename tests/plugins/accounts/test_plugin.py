"""The plugin as a whole: restarts on a disk, its key, a broken table, and the process that stops."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from neomind_plugins.accounts import plugin as accounts
from neomind_plugins.settings import plugin as settings
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk import Platform, Status
from neomind_sdk.testing import make_host

ENVIRONMENT = "NEOMIND_JWT_SECRET"
PASSWORD = "lovelace1"
PERSON = {"username": "ada", "password": PASSWORD}
PLUGINS = (storage_sqlite, accounts, settings)


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """As the platform writes them: without the local variables of every frame."""
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])
    yield
    structlog.reset_defaults()


async def post(host: Any, path: str, body: Any) -> Any:
    return await host.client(role=None).post(f"/api{path}", json=body)


async def register(host: Any, username: str = "ada") -> str:
    answer = await post(host, "/auth/register", {"username": username, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]["token"]


async def me(host: Any, token: str) -> Any:
    return await host.client(role=None).get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})


def execute(data_dir: Path, *statements: str) -> None:
    """What somebody does to the files while the platform is down."""
    [path] = [path for path in data_dir.iterdir() if path.suffix in (".db", ".sqlite", ".sqlite3")]
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_restarts_keep_users_sessions_settings_and_marker(tmp_path: Path) -> None:
    async with make_host(*PLUGINS, data_dir=tmp_path) as host:
        ada, bob = await register(host, "ada"), await register(host, "bob")
        before = (await me(host, ada)).json()["data"]
        await host.client().put("/api/settings/accounts", json={"registration": "closed"})
        await host.client(None).post("/api/auth/logout", headers={"Authorization": f"Bearer {bob}"})
    async with make_host(*PLUGINS, data_dir=tmp_path) as host:
        assert (await me(host, ada)).json()["data"] == before
        assert (await me(host, bob)).status_code == 401
        assert (await post(host, "/auth/login", {"username": "bob", "password": PASSWORD})).status_code == 200
        assert (await post(host, "/auth/register", {"username": "eve", "password": PASSWORD})).status_code == 403
        assert (await post(host, "/setup/initialize", PERSON)).json()["error"]["code"] == "SETUP_ALREADY_COMPLETED"
    written = everything_in(tmp_path)
    assert b"$argon2id$" in written
    assert PASSWORD.encode() not in written
    assert ada.encode() not in written


async def test_an_emptied_table_of_users_does_not_reopen_the_setup(tmp_path: Path) -> None:
    async with make_host(*PLUGINS, data_dir=tmp_path) as host:
        token = await register(host)
    execute(tmp_path, "DELETE FROM accounts_user")
    async with make_host(*PLUGINS, data_dir=tmp_path) as host:
        status = await host.client(None).get("/api/setup/status")
        assert status.json()["data"]["setup_required"] is False
        assert (await me(host, token)).status_code == 401
        assert (await post(host, "/setup/initialize", PERSON)).status_code == 403
        answer = await post(host, "/auth/register", PERSON)
        assert answer.json()["data"]["user"]["role"] == "viewer"


@pytest.mark.parametrize(
    "statement",
    ["DROP TABLE accounts_user", "DROP TABLE accounts_setup", "ALTER TABLE accounts_user DROP COLUMN password_hash"],
)
async def test_a_broken_table_of_users_does_not_reopen_the_setup(tmp_path: Path, statement: str) -> None:
    async with make_host(*PLUGINS, data_dir=tmp_path) as host:
        token = await register(host)
    execute(tmp_path, statement)
    async with make_host(*PLUGINS, data_dir=tmp_path, strict=False) as host:
        info = next(info for info in host.services[Platform].plugins() if info.name == "accounts")
        assert info.status is Status.FAILED_AT_RUN
        for path in ("/setup/initialize", "/auth/register", "/auth/login"):
            assert (await post(host, path, PERSON)).status_code in (404, 503)
        assert (await me(host, token)).status_code in (401, 404)


async def test_a_role_that_nobody_knows_is_let_into_nothing(tmp_path: Path) -> None:
    async with make_host(*PLUGINS, data_dir=tmp_path) as host:
        ada, bob = await register(host, "ada"), await register(host, "bob")
    execute(tmp_path, "UPDATE accounts_user SET role = 'root' WHERE username = 'bob'")
    async with make_host(*PLUGINS, data_dir=tmp_path) as host:
        assert (await me(host, bob)).status_code == 401
        assert (await me(host, ada)).status_code == 200
        changed = await host.client().put("/api/users/bob", json={"role": "viewer"})
        assert changed.status_code == 200, changed.text
        assert (await me(host, bob)).status_code == 200


async def test_the_key_is_made_beside_the_data(tmp_path: Path) -> None:
    async with make_host(accounts, data_dir=tmp_path):
        path = tmp_path / ".jwt_secret"
        assert path.stat().st_mode & 0o777 == 0o600


async def test_the_key_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "0123456789abcdef" * 2)
    async with make_host(*PLUGINS, data_dir=tmp_path) as host:
        token = await register(host)
    assert not (tmp_path / ".jwt_secret").exists()
    async with make_host(*PLUGINS, data_dir=tmp_path) as host:
        assert (await me(host, token)).status_code == 200
    monkeypatch.setenv(ENVIRONMENT, "fedcba9876543210" * 2)
    async with make_host(*PLUGINS, data_dir=tmp_path) as host:
        assert (await me(host, token)).json()["error"]["message"] == "Invalid token signature"


async def test_a_short_key_stops_the_plugin_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ENVIRONMENT, "hunter2")
    async with make_host(accounts, strict=False) as host:
        info = next(info for info in host.services[Platform].plugins() if info.name == "accounts")
        assert info.status is Status.SELF_CHECK_FAILED
        assert info.reason == f"{ENVIRONMENT}: the key for tokens must have at least 32 bytes, it has 7"
        assert (await post(host, "/setup/initialize", PERSON)).status_code in (404, 503)
    printed = capsys.readouterr()
    assert "hunter2" not in printed.out + printed.err


async def test_nothing_secret_is_logged(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    async with make_host(accounts) as host:
        token = await register(host)
        await post(host, "/auth/login", {"username": "ada", "password": "guessed-in-vain"})
        await me(host, token[:-5])
    printed = capsys.readouterr()
    text = caplog.text + printed.out + printed.err
    assert not any(secret in text for secret in (PASSWORD, "guessed-in-vain", token, token[:-5]))


async def test_requests_under_way_when_the_platform_stops_are_answered() -> None:
    async with make_host(accounts) as host:
        requests = [asyncio.create_task(post(host, "/auth/login", PERSON)) for _ in range(8)]
        await asyncio.sleep(0.01)
        await host.host.stop()
        answers = await asyncio.gather(*requests)
    assert {answer.status_code for answer in answers} <= {401, 404, 503}
