"""Bodies that cannot be, and attempts that are too many: a clear 4xx each time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from neomind_plugins.accounts import plugin as accounts
from neomind_sdk.testing import make_host

PASSWORD = "lovelace1"
MANY = {"accounts": {"attempts": {"per_minute": 1000}}}


@pytest.fixture
async def host() -> AsyncIterator[Any]:
    async with make_host(accounts, settings=MANY) as host:
        yield host


async def post(host: Any, path: str, **body: Any) -> Any:
    return await host.client(role=None).post(f"/api{path}", json=body)


def refused(answer: Any) -> tuple[int, str]:
    body = answer.json()
    assert body["success"] is False
    return answer.status_code, body["error"]["code"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"username": "ad"}, (400, "INVALID_USERNAME")),
        ({"username": "a/b"}, (400, "INVALID_USERNAME")),
        ({"username": "x" * 65}, (400, "INVALID_USERNAME")),
        ({"password": "12345"}, (400, "WEAK_PASSWORD")),
        ({"username": "ADA"}, (409, "CONFLICT")),
        ({"username": None}, (422, "VALIDATION_ERROR")),
        ({"username": ["ada"]}, (422, "VALIDATION_ERROR")),
        ({"password": 123456}, (422, "VALIDATION_ERROR")),
        ({"password": "love\x00lace"}, (422, "VALIDATION_ERROR")),
        ({"username": "a\x00da"}, (422, "VALIDATION_ERROR")),
        ({"password": "x" * 65_536}, (413, "PAYLOAD_TOO_LARGE")),
        ({"username": "x" * 65_536}, (413, "PAYLOAD_TOO_LARGE")),
    ],
)
async def test_registrations_that_cannot_be(host: Any, body: Any, expected: Any) -> None:
    await post(host, "/auth/register", username="ada", password=PASSWORD)
    answer = await post(host, "/auth/register", **{"username": "bob", "password": PASSWORD, **body})
    assert refused(answer) == expected
    assert len(answer.text) < 1000
    assert PASSWORD not in answer.text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", (400, "BAD_REQUEST")),
        (b"{", (400, "BAD_REQUEST")),
        (b"[]", (422, "VALIDATION_ERROR")),
        (b"null", (422, "VALIDATION_ERROR")),
        (b"{}", (422, "VALIDATION_ERROR")),
        (b'{"username": "ada", "username": "bob", "password": "lovelace1"}', (400, "BAD_REQUEST")),
        (b'{"username": "bob", "password": "lovelace1\\ud800"}', (400, "BAD_REQUEST")),
        (b'{"username": "bob", "password": "lovelace1\\u0000"}', (422, "VALIDATION_ERROR")),
        (b'{"username": "bob", "password": "lovelace1\xff\xfe"}', (400, "BAD_REQUEST")),
        (b'{"username": "bob", "password": "' + b"a1" * 32 * 1024 + b'"}', (413, "PAYLOAD_TOO_LARGE")),
    ],
)
@pytest.mark.parametrize("path", ["/auth/login", "/auth/register", "/setup/initialize"])
async def test_bodies_that_make_no_sense(host: Any, path: str, raw: bytes, expected: Any) -> None:
    client = host.client(None)
    answer = await client.post(f"/api{path}", content=raw, headers={"Content-Type": "application/json"})
    assert refused(answer) == expected
    assert (await client.get("/api/setup/status")).json()["data"]["setup_required"] is True


async def test_the_longest_password_that_fits_is_a_password(host: Any) -> None:
    password = "lovelace1" * 7000
    assert (await post(host, "/auth/register", username="ada", password=password)).status_code == 201
    assert (await post(host, "/auth/login", username="ada", password=password)).status_code == 200
    assert refused(await post(host, "/auth/login", username="ada", password=password[:-1])) == (401, "UNAUTHORIZED")


# ---- limits ----

TWICE = {"accounts": {"attempts": {"per_minute": 2}}}
LIMITED = {
    "/auth/login": {"username": "nobody", "password": "guessed"},
    "/auth/register": {"username": "x", "password": "guessed"},
    "/setup/initialize": {"username": "x", "password": "guessed"},
    "/setup/complete": {},
}


@pytest.mark.parametrize("path", LIMITED)
async def test_an_address_may_try_a_few_times(path: str) -> None:
    async with make_host(accounts, settings=TWICE) as host:
        answers = [await post(host, path, **LIMITED[path]) for _ in range(4)]
        assert [answer.status_code == 429 for answer in answers] == [False, False, True, True]
        assert refused(answers[2]) == (429, "RATE_LIMITED")
        assert 1 <= int(answers[2].headers["Retry-After"]) <= 60
        other = await host.client(None, address="192.0.2.7").post(f"/api{path}", json=LIMITED[path])
        assert other.status_code != 429
        assert (await host.client(None).get("/api/setup/status")).status_code == 200
        await host.clock.advance(60)
        assert (await post(host, path, **LIMITED[path])).status_code == answers[0].status_code


async def test_guessing_the_old_password_is_limited_too() -> None:
    async with make_host(accounts, settings=TWICE) as host:
        entry = (await post(host, "/auth/register", username="ada", password=PASSWORD)).json()["data"]
        client = host.client(role=None)
        client.headers["Authorization"] = f"Bearer {entry['token']}"
        body = {"old_password": "guessed", "new_password": "byron1815"}
        answers = [await client.post("/api/auth/change-password", json=body) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [401, 401, 429]
        assert (await client.get("/api/auth/me")).status_code == 200
