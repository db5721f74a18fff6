"""Users over HTTP, by administrators who are logged in for real; and the wizard of the first start."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from neomind_plugins.accounts import plugin as accounts
from neomind_sdk import SessionEnded
from neomind_sdk.testing import make_host

MANY = {"accounts": {"attempts": {"per_minute": 1000}}}
PASSWORD = "lovelace1"


@pytest.fixture
async def host() -> AsyncIterator[Any]:
    async with make_host(accounts, settings=MANY) as host:
        yield host


async def post(host: Any, path: str, **body: Any) -> Any:
    return await host.client(role=None).post(f"/api{path}", json=body)


async def register(host: Any, username: str) -> Any:
    """A client with the token of a new user."""
    answer = await post(host, "/auth/register", username=username, password=PASSWORD)
    assert answer.status_code == 201, answer.text
    client = host.client(role=None)
    client.headers["Authorization"] = f"Bearer {answer.json()['data']['token']}"
    return client


@pytest.fixture
async def ada(host: Any) -> Any:
    """The first user: an administrator."""
    return await register(host, "ada")


def refused(answer: Any) -> tuple[int, str]:
    body = answer.json()
    assert body["success"] is False
    return answer.status_code, body["error"]["code"]


async def data(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()["data"]


async def names(client: Any) -> list[str]:
    answer = await client.get("/api/users")
    found = (await data(answer))["users"]
    assert answer.json()["meta"]["count"] == len(found)
    return [user["username"] for user in found]


async def test_users_are_listed(host: Any, ada: Any) -> None:
    await host.clock.advance(60)
    await register(host, "bob")
    [first, second] = (await data(await ada.get("/api/users")))["users"]
    assert set(first) == {"id", "username", "role", "created_at", "disabled"}
    assert (first["username"], first["role"], first["disabled"]) == ("ada", "admin", False)
    assert (second["username"], second["role"]) == ("bob", "viewer")
    assert second["created_at"] == first["created_at"] + 60


@pytest.mark.parametrize(
    ("given", "role"), [({}, "user"), ({"role": "viewer"}, "viewer"), ({"role": "admin"}, "admin")]
)
async def test_users_are_added(host: Any, ada: Any, given: Any, role: str) -> None:
    body = {"username": "bob", "password": PASSWORD, **given}
    user = (await data(await ada.post("/api/users", json=body), 201))["user"]
    assert (user["username"], user["role"]) == ("bob", role)
    entry = await data(await post(host, "/auth/login", username="bob", password=PASSWORD))
    assert entry["user"]["id"] == user["id"]
    assert refused(await ada.post("/api/users", json={**body, "username": "BOB"})) == (409, "CONFLICT")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"role": "root"}, (422, "VALIDATION_ERROR")),
        ({"role": 5}, (422, "VALIDATION_ERROR")),
        ({"username": "b"}, (400, "INVALID_USERNAME")),
        ({"password": "short"}, (400, "WEAK_PASSWORD")),
        ({"password": "a\x00" * 5}, (422, "VALIDATION_ERROR")),
        ({"password": "x" * 65_536}, (413, "PAYLOAD_TOO_LARGE")),
    ],
)
async def test_users_that_cannot_be(ada: Any, body: Any, expected: Any) -> None:
    answer = await ada.post("/api/users", json={"username": "bob", "password": PASSWORD, **body})
    assert refused(answer) == expected
    assert await names(ada) == ["ada"]


@pytest.mark.parametrize("name", ["bob", "李雷", "a b", "100%", "o'brien?#&", "a;b", "...", "a\\b"])
async def test_users_of_any_name_are_deleted(host: Any, ada: Any, name: str) -> None:
    client = await register(host, name)
    user = await data(await client.get("/api/auth/me"))
    path = f"/api/users/{quote(name, safe='')}"
    assert name in (await data(await ada.delete(path)))["message"]
    assert await names(ada) == ["ada"]
    assert refused(await client.get("/api/auth/me")) == (401, "INVALID_TOKEN")
    assert refused(await post(host, "/auth/login", username=name, password=PASSWORD)) == (401, "UNAUTHORIZED")
    assert refused(await ada.delete(path)) == (404, "USER_NOT_FOUND")
    [event] = host.events.of(SessionEnded)
    assert (event.principal_id, event.session) == (user["id"], None)


async def test_oneself_and_the_last_administrator_stay(host: Any, ada: Any) -> None:
    for name in ("ada", "ADA", "%20Ada"):
        assert refused(await ada.delete(f"/api/users/{name}")) == (400, "BAD_REQUEST")
    assert refused(await ada.put("/api/users/ada", json={"disabled": True})) == (400, "BAD_REQUEST")
    assert refused(await ada.put("/api/users/ada", json={"role": "user"})) == (409, "CONFLICT")
    assert refused(await host.client().delete("/api/users/ada")) == (409, "CONFLICT")
    await data(await ada.get("/api/auth/me"))


async def test_users_are_changed(host: Any, ada: Any) -> None:
    bob = await register(host, "bob")
    changed = (await data(await ada.put("/api/users/bob", json={"role": "admin"})))["user"]
    assert (changed["role"], changed["disabled"]) == ("admin", False)
    assert await names(bob) == ["ada", "bob"]
    assert (await data(await bob.put("/api/users/ada", json={"disabled": True})))["user"]["disabled"]
    assert refused(await ada.get("/api/users")) == (401, "INVALID_TOKEN")
    assert (await data(await bob.put("/api/users/ada", json={})))["user"]["disabled"]
    assert not (await data(await bob.put("/api/users/ada", json={"disabled": False})))["user"]["disabled"]
    assert refused(await bob.put("/api/users/eve", json={"role": "user"})) == (404, "USER_NOT_FOUND")
    for wrong in ({"role": "root"}, {"disabled": "yes"}, {"disabled": 1}, []):
        assert refused(await bob.put("/api/users/ada", json=wrong)) == (422, "VALIDATION_ERROR")


REQUESTS = (("GET", "/api/users"), ("POST", "/api/users"), ("PUT", "/api/users/ada"), ("DELETE", "/api/users/ada"))


@pytest.mark.parametrize(("method", "path"), REQUESTS)
async def test_users_are_for_administrators(host: Any, ada: Any, method: str, path: str) -> None:
    bob = await register(host, "bob")
    await data(await ada.put("/api/users/bob", json={"role": "user"}))
    body = {"username": "eve", "password": PASSWORD, "role": "admin"}
    more = {"json": body} if method in ("POST", "PUT") else {}
    assert refused(await bob.request(method, path, **more)) == (403, "INSUFFICIENT_PERMISSIONS")
    assert refused(await host.client(None).request(method, path, **more)) == (401, "UNAUTHORIZED")
    assert refused(await host.client(scopes={"*"}).request(method, path, **more)) == (401, "UNAUTHORIZED")
    assert await names(ada) == ["ada", "bob"]


# ---- the wizard ----


async def setup_status(host: Any) -> Any:
    return await data(await host.client(None).get("/api/setup/status"))


async def test_the_wizard(host: Any) -> None:
    assert await setup_status(host) == {"setup_required": True, "is_first_launch": True, "setup_version": "1.0"}
    assert refused(await post(host, "/setup/complete")) == (400, "SETUP_INCOMPLETE")
    made = await data(await post(host, "/setup/initialize", username="ada", password=PASSWORD, email="ada@example.org"))
    assert set(made) == {"message", "user", "token"}
    assert (made["user"]["username"], made["user"]["role"]) == ("ada", "admin")
    client = host.client(role=None)
    client.headers["Authorization"] = f"Bearer {made['token']}"
    assert await data(await client.get("/api/auth/me")) == made["user"]
    assert await setup_status(host) == {"setup_required": False, "is_first_launch": False, "setup_version": "1.0"}
    assert (await data(await post(host, "/setup/complete")))["redirect"] == "/dashboard"
    answer = await post(host, "/setup/initialize", username="eve", password=PASSWORD)
    assert refused(answer) == (403, "SETUP_ALREADY_COMPLETED")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"username": "ad"}, (400, "INVALID_USERNAME")),
        ({"username": "a/d"}, (400, "INVALID_USERNAME")),
        ({"email": "nowhere"}, (400, "INVALID_EMAIL")),
        ({"email": 5}, (422, "VALIDATION_ERROR")),
        ({"password": "lovela1"}, (400, "WEAK_PASSWORD")),
        ({"password": "lovelaces"}, (400, "WEAK_PASSWORD")),
        ({"password": "181512101852"}, (400, "WEAK_PASSWORD")),
    ],
)
async def test_what_the_wizard_refuses(host: Any, body: Any, expected: Any) -> None:
    answer = await post(host, "/setup/initialize", **{"username": "ada", "password": PASSWORD, "email": None, **body})
    assert refused(answer) == expected
    assert (await setup_status(host))["setup_required"]


async def test_a_registration_ends_the_setup(host: Any, ada: Any) -> None:
    assert not (await setup_status(host))["setup_required"]
    answer = await post(host, "/setup/initialize", username="eve", password=PASSWORD)
    assert refused(answer) == (403, "SETUP_ALREADY_COMPLETED")
