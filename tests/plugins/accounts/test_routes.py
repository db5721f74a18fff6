"""Logging in and out over HTTP, with tokens and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from neomind_plugins.accounts import plugin as accounts
from neomind_plugins.settings import plugin as settings
from neomind_sdk import AUTHENTICATED, Plugin, Raw, Request, Route, SessionEnded, hookimpl
from neomind_sdk.testing import make_host
from neomind_sdk.units import DAY_MS

MANY = {"accounts": {"attempts": {"per_minute": 1000}}}
PASSWORD = "lovelace1"


class Notes:
    """Routes of an extension, for what a role may do; and a stream."""

    @hookimpl
    def neomind_routes(self, ctx: Any) -> list[Route]:
        async def answer(request: Request) -> Raw:
            return Raw(content=request.principal.name.encode(), media_type="text/plain")

        def route(method: str, scope: str, path: str = "/notes", **more: Any) -> Route:
            return Route(method=method, path=path, handler=answer, scope=scope, summary="Notes", **more)

        stream = route("GET", AUTHENTICATED, "/notes/stream", query_credentials=True)
        return [route("GET", "notes:read"), route("POST", "notes:write"), stream]


notes = Plugin(name="notes", summary="Keeps notes.", hooks=Notes())


@pytest.fixture
async def host() -> AsyncIterator[Any]:
    async with make_host(accounts, settings, notes, settings=MANY) as host:
        yield host


def bearing(host: Any, token: str | None) -> Any:
    """A client that has nothing but a token."""
    client = host.client(role=None)
    if token is not None:
        client.headers["Authorization"] = f"Bearer {token}"
    return client


async def post(host: Any, path: str, **body: Any) -> Any:
    return await host.client(role=None).post(f"/api{path}", json=body)


async def register(host: Any, username: str = "ada", password: str = PASSWORD) -> Any:
    answer = await post(host, "/auth/register", username=username, password=password)
    assert answer.status_code == 201, answer.text
    return bearing(host, answer.json()["data"]["token"])


def refused(answer: Any) -> tuple[int, str]:
    body = answer.json()
    assert body["success"] is False
    return answer.status_code, body["error"]["code"]


async def data(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_registering_logging_in_and_out(host: Any) -> None:
    answer = await post(host, "/auth/register", username="ada", password=PASSWORD, role="viewer")
    entry = answer.json()["data"]
    assert (answer.status_code, set(entry), entry["user"]["role"]) == (201, {"token", "user"}, "admin")
    assert set(entry["user"]) == {"id", "username", "role", "created_at"}
    assert entry["user"]["created_at"] == host.clock.now_ms() // 1000
    logged_in = await data(await post(host, "/auth/login", username="Ada", password=PASSWORD))
    assert logged_in["user"] == entry["user"]
    client = bearing(host, logged_in["token"])
    assert await data(await client.get("/api/auth/me")) == entry["user"]
    assert (await data(await client.post("/api/auth/logout")))["message"]
    gone = await client.get("/api/auth/me")
    assert refused(gone) == (401, "INVALID_TOKEN")
    assert gone.json()["error"]["message"] == "Session has been revoked"
    assert gone.headers["WWW-Authenticate"] == "Bearer"
    [event] = host.events.of(SessionEnded)
    assert (event.principal_id, event.reason) == (entry["user"]["id"], "logout")
    await data(await bearing(host, entry["token"]).get("/api/auth/me"))


async def test_later_registrants_read_only(host: Any) -> None:
    ada, bob = await register(host, "ada"), await register(host, "bob")
    assert (await bob.get("/api/notes")).text == "bob"
    for answer in (await bob.post("/api/notes"), await bob.put("/api/settings/accounts", json={})):
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")
    await data(await ada.put("/api/users/bob", json={"role": "user"}))
    assert (await bob.post("/api/notes")).text == "bob"  # the same token: the role is the account's
    assert refused(await bob.put("/api/settings/accounts", json={})) == (403, "INSUFFICIENT_PERMISSIONS")


async def test_wrong_names_and_wrong_passwords_look_the_same(host: Any) -> None:
    await register(host)
    answers = [
        await post(host, "/auth/login", username=name, password=password)
        for name, password in (("ada", "guessed"), ("nobody", PASSWORD), ("", ""))
    ]
    assert {refused(answer) for answer in answers} == {(401, "UNAUTHORIZED")}
    assert len({json.dumps({**answer.json(), "meta": 0, "error": error(answer)}) for answer in answers}) == 1


def error(answer: Any) -> Any:
    return {key: value for key, value in answer.json()["error"].items() if key != "request_id"}


async def test_the_disabled_are_told(host: Any) -> None:
    ada, bob = await register(host, "ada"), await register(host, "bob")
    await data(await ada.put("/api/users/bob", json={"disabled": True}))
    assert refused(await bob.get("/api/auth/me")) == (401, "INVALID_TOKEN")
    assert refused(await post(host, "/auth/login", username="bob", password=PASSWORD)) == (403, "FORBIDDEN")
    assert refused(await post(host, "/auth/login", username="bob", password="guessed")) == (401, "UNAUTHORIZED")


async def test_changing_the_password_ends_every_session(host: Any) -> None:
    client = await register(host)
    change = {"old_password": PASSWORD, "new_password": "byron1815"}
    for wrong, expected in (
        ({"old_password": "guessed"}, (401, "UNAUTHORIZED")),
        ({"new_password": "short"}, (400, "WEAK_PASSWORD")),
        ({"new_password": 5}, (422, "VALIDATION_ERROR")),
    ):
        assert refused(await client.post("/api/auth/change-password", json={**change, **wrong})) == expected
    assert (await data(await client.post("/api/auth/change-password", json=change)))["message"]
    assert refused(await client.get("/api/auth/me")) == (401, "INVALID_TOKEN")
    assert refused(await post(host, "/auth/login", username="ada", password=PASSWORD)) == (401, "UNAUTHORIZED")
    await data(await post(host, "/auth/login", username="ada", password="byron1815"))
    assert refused(await host.client(None).post("/api/auth/change-password", json=change)) == (401, "UNAUTHORIZED")
    key = host.client(scopes={"*"})
    assert refused(await key.post("/api/auth/change-password", json=change)) == (404, "USER_NOT_FOUND")


async def test_status_and_verify(host: Any) -> None:
    fresh = await data(await host.client(None).get("/api/auth/status"))
    assert fresh == {
        "enabled": True,
        "key_count": 0,
        "has_default_key": False,
        "authenticated": False,
        "setup_required": True,
        "user": None,
    }
    client = await register(host)
    status = await data(await client.get("/api/auth/status"))
    me = await data(await client.get("/api/auth/me"))
    assert (status["authenticated"], status["setup_required"], status["user"]) == (True, False, me)
    bearer = {key: me[key] for key in ("id", "username", "role")}
    verified = await data(await client.get("/api/auth/verify"))
    assert verified == {"authenticated": True, "method": "jwt", "user": bearer}
    await client.post("/api/auth/logout")
    status = await data(await client.get("/api/auth/status"))
    assert (status["authenticated"], status["user"]) == (False, None)
    assert refused(await client.get("/api/auth/verify")) == (401, "INVALID_TOKEN")
    assert refused(await host.client(None).get("/api/auth/verify")) == (401, "UNAUTHORIZED")


async def test_a_key_has_no_session_and_no_account(host: Any) -> None:
    key = host.client(scopes={"read"})
    assert (await data(await key.get("/api/auth/verify"))) == {"authenticated": True, "method": "api_key", "user": None}
    assert (await data(await key.get("/api/auth/me")))["created_at"] is None
    assert "no session" in (await data(await key.post("/api/auth/logout")))["message"]


async def test_tokens_expire(host: Any) -> None:
    client = await register(host)
    host.clock.jump_ms(7 * DAY_MS + 30_000)
    await data(await client.get("/api/auth/me"))
    host.clock.jump_ms(1000)
    answer = await client.get("/api/auth/me")
    assert refused(answer) == (401, "INVALID_TOKEN")
    assert answer.json()["error"]["message"] == "Token has expired"


async def test_a_token_in_the_query_is_for_streams_only(host: Any) -> None:
    client = await register(host)
    token = client.headers["Authorization"].removeprefix("Bearer ")
    anonymous = host.client(None)
    assert (await anonymous.get("/api/notes/stream", params={"token": token})).text == "ada"
    assert refused(await anonymous.get("/api/notes/stream", params={"token": "x"})) == (401, "INVALID_TOKEN")
    assert refused(await anonymous.get("/api/notes", params={"token": token})) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("value", ["", "Basic x", "Bearer", "Bearer ", "Bearer x y", "bearer a.b.c", "Bearer é"])
async def test_headers_that_prove_nothing(host: Any, value: str) -> None:
    answer = await host.client(None).get("/api/auth/me", headers={"Authorization": value.encode("latin-1")})
    assert refused(answer) in {(401, "UNAUTHORIZED"), (401, "INVALID_TOKEN")}


# ---- registration ----


async def test_registration_can_be_closed(host: Any) -> None:
    ada = await register(host, "ada")
    assert await data(await ada.get("/api/settings/accounts")) == {"registration": "open"}
    closed = await data(await ada.put("/api/settings/accounts", json={"registration": "closed"}))
    assert closed == {"success": True, "registration": "closed"}
    answer = await post(host, "/auth/register", username="bob", password=PASSWORD)
    assert refused(answer) == (403, "FORBIDDEN")
    wrong = await ada.put("/api/settings/accounts", json={"registration": "ajar"})
    assert refused(wrong) == (422, "VALIDATION_ERROR")
    await data(await ada.put("/api/settings/accounts", json={"registration": "open"}))
    await register(host, "bob")


async def test_twenty_at_once_give_one_administrator(host: Any) -> None:
    answers = await asyncio.gather(
        *(post(host, "/auth/register", username=f"user{number}", password=PASSWORD) for number in range(20))
    )
    assert Counter(answer.status_code for answer in answers) == {201: 20}
    roles = Counter(answer.json()["data"]["user"]["role"] for answer in answers)
    assert roles == {"admin": 1, "viewer": 19}
