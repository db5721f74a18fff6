"""With real accounts and API keys."""

from __future__ import annotations

from typing import Any

from neomind_plugins.accounts import plugin as accounts
from neomind_plugins.api_keys import plugin as api_keys
from neomind_sdk.testing import needs

from .conftest import Served, serving, stored, until

PASSWORD = "correct horse 7"
pytestmark = needs("accounts", "api_keys")


async def registered(served: Served, name: str) -> str:
    body = {"username": name, "password": PASSWORD}
    answer = await served.host.client(role=None).post("/api/auth/register", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["data"]["token"])


async def made_key(served: Served, **body: Any) -> dict[str, Any]:
    answer = await served.host.client().post("/api/auth/keys", json={"name": "robot", **body})
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["data"])


async def test_the_stream_ends_at_logout_and_only_that_one() -> None:
    async with serving(accounts, api_keys) as served:
        first = await registered(served, "ada")
        client = await served.socket("", authenticated=False)
        await client.send({"type": "Auth", "token": first})
        assert (await client.frame())["type"] == "Authenticated"
        login = await served.host.client(role=None).post(
            "/api/auth/login", json={"username": "ada", "password": PASSWORD}
        )
        other = await served.socket(f"token={login.json()['data']['token']}")
        bearer = {"Authorization": f"Bearer {first}"}
        answer = await served.host.client(role=None).post("/api/auth/logout", headers=bearer)
        assert answer.status_code == 200
        assert (await client.closed())[0] == 1008
        served.publish(stored(1))
        assert (await other.event())["data"]["value"] == 1


async def test_the_streams_of_a_deleted_user_end() -> None:
    async with serving(accounts, api_keys) as served:
        await registered(served, "ada")
        client = await served.socket(f"token={await registered(served, 'vic')}")
        assert (await served.host.client().delete("/api/users/vic")).status_code == 200
        assert (await client.closed())[0] == 1008


async def test_the_streams_of_a_key_that_is_deleted_or_expires_end() -> None:
    async with serving(accounts, api_keys) as served:
        deleted = await made_key(served, permissions=["devices:read"])
        expires = served.host.clock.now_ms() // 1000 + 100
        expiring = await made_key(served, permissions=["devices:read"], expires_at=expires)
        clients = [await served.socket(f"api_key={made['api_key']}") for made in (deleted, expiring)]
        answer = await served.host.client().delete(f"/api/auth/keys/{deleted['info']['id']}")
        assert answer.status_code == 200
        assert (await clients[0].closed())[0] == 1008
        for _ in range(3):
            assert clients[1].connection.close_code is None
            await served.host.clock.advance(25)
            for stream in served.streams:
                stream.heard = served.host.clock.monotonic()
        await served.host.clock.advance(60)
        assert (await clients[1].closed())[0] == 1008
        await until(lambda: not served.streams)
