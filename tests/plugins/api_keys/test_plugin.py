"""The plugin as a whole: its environment, restarts on a disk, and beside accounts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from neomind_plugins.accounts import plugin as accounts
from neomind_plugins.api_keys import plugin as api_keys
from neomind_plugins.storage_sqlite import plugin as storage_sqlite
from neomind_sdk import ApiKeyCounter, Platform, Status
from neomind_sdk.testing import make_host

GIVEN = "chosen-for-the-whole-house"
ENVIRONMENT = "NEOMIND_API_KEY"
KEYS = "/api/auth/keys"


async def keys_with(host: Any, key: str) -> Any:
    return await host.client(role=None).get(KEYS, headers={"X-API-Key": key})


async def names_with(host: Any, key: str) -> list[str]:
    answer = await keys_with(host, key)
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["data"]["keys"]]


def stands_in_a_file(folder: Path, text: str) -> bool:
    return any(text.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_restarts_keep_keys_and_their_hashes_only(tmp_path: Path) -> None:
    async with make_host(storage_sqlite, api_keys, data_dir=tmp_path) as host:
        made = (await host.client().post(KEYS, json={"name": "robot"})).json()["data"]
        await keys_with(host, made["api_key"])
    async with make_host(storage_sqlite, api_keys, data_dir=tmp_path) as host:
        (item,) = (await keys_with(host, made["api_key"])).json()["data"]["keys"]
        assert item == {**made["info"], "preview": made["api_key"][:8] + "...", "last_used_at": 1_700_000_000}
    assert stands_in_a_file(tmp_path, made["info"]["id"])
    assert not stands_in_a_file(tmp_path, made["api_key"][8:])


async def test_a_first_start_makes_no_key() -> None:
    async with make_host(api_keys) as host:
        counter = host.services[ApiKeyCounter]
        assert (counter.count(), counter.has_default()) == (0, False)


async def test_the_environment_gives_the_default_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, f" {GIVEN}\n")
    for _ in range(2):
        async with make_host(storage_sqlite, api_keys, data_dir=tmp_path) as host:
            assert await names_with(host, GIVEN) == ["Default API Key"]
            assert host.services[ApiKeyCounter].has_default()
    monkeypatch.setenv(ENVIRONMENT, GIVEN.upper())
    async with make_host(storage_sqlite, api_keys, data_dir=tmp_path) as host:
        assert await names_with(host, GIVEN.upper()) == ["Default API Key"]
        assert (await keys_with(host, GIVEN)).status_code == 401
        answer = await host.client(role=None).get(KEYS, headers={"Authorization": f"Bearer {GIVEN.upper()}"})
        assert answer.status_code == 200


@pytest.mark.parametrize("given", ["", "  "])
async def test_a_blank_variable_is_none(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, given)
    async with make_host(api_keys) as host:
        assert host.services[ApiKeyCounter].count() == 0


@pytest.mark.parametrize("given", ["too-short", "it has blanks in it", "x" * 300])
async def test_an_unusable_key_stops_the_plugin_with_a_sentence(
    given: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ENVIRONMENT, given)
    async with make_host(api_keys, strict=False) as host:
        info = next(info for info in host.services[Platform].plugins() if info.name == "api_keys")
        assert info.status is Status.SELF_CHECK_FAILED
        assert info.reason.startswith("NEOMIND_API_KEY: the key must ")
        assert given not in info.reason
        assert (await keys_with(host, given)).status_code in (404, 503)
    printed = capsys.readouterr()
    assert given not in printed.out + printed.err


async def test_accounts_tell_about_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, GIVEN)
    async with make_host(accounts, api_keys) as host:
        client = host.client(role=None)
        status = (await client.get("/api/auth/status")).json()["data"]
        assert (status["key_count"], status["has_default_key"], status["authenticated"]) == (1, True, False)
        for headers in ({"X-API-Key": GIVEN}, {"Authorization": f"Bearer {GIVEN}"}):
            verified = await client.get("/api/auth/verify", headers=headers)
            assert (verified.status_code, verified.json()["data"]["method"]) == (200, "api_key")
        me = (await client.get("/api/auth/me", headers={"X-API-Key": GIVEN})).json()["data"]
        assert (me["username"], me["role"]) == ("Default API Key", "admin")
        stranger = await client.get("/api/auth/verify", headers={"Authorization": "Bearer nmk_" + "0" * 32})
        assert (stranger.status_code, stranger.json()["error"]["code"]) == (401, "INVALID_API_KEY")


async def test_an_administrator_with_a_token_makes_keys() -> None:
    async with make_host(accounts, api_keys) as host:
        client = host.client(role=None)
        person = {"username": "ada", "password": "correct horse 1"}
        answer = await client.post("/api/auth/register", json=person)
        assert answer.status_code == 201, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['data']['token']}"
        made = await client.post(KEYS, json={"name": "robot"})
        assert made.status_code == 200, made.text
        assert await names_with(host, made.json()["data"]["api_key"]) == ["robot"]
