"""The REST API of keys, and what one may do with a key."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from neomind_plugins.api_keys import plugin as api_keys
from neomind_plugins.devices import plugin as devices
from neomind_sdk import ADMIN, AUTHENTICATED, Database, Plugin, Raw, Request, Route, SessionEnded, hookimpl
from neomind_sdk.testing import make_host
from neomind_sdk.units import DAY_MS

KEYS = "/api/auth/keys"
DEVICE = {"name": "Boiler", "device_type": "generic", "device_id": "boiler"}


class Greetings:
    """Routes of an extension: one that takes credentials from the query, one for an area of its own."""

    @hookimpl
    def neomind_routes(self, ctx: Any) -> list[Route]:
        async def hello(request: Request) -> dict[str, Any]:
            return attrs.asdict(request.principal, filter=lambda field, _: field.name != "scopes")

        async def stream(request: Request) -> Raw:
            return Raw(content=request.principal.name.encode(), media_type="text/plain")

        return [
            Route(method="GET", path="/hello", handler=hello, scope=AUTHENTICATED, summary="Say hello"),
            Route(method="POST", path="/hello", handler=hello, scope="greetings:write", summary="Say hello loudly"),
            Route(method="GET", path="/reign", handler=hello, scope=ADMIN, summary="Say hello from above"),
            Route(
                method="GET",
                path="/hello/stream",
                handler=stream,
                scope="greetings:read",
                summary="Say hello for ever",
                query_credentials=True,
            ),
        ]


greetings = Plugin(name="greetings", summary="Says hello.", hooks=Greetings())


@pytest.fixture
async def host() -> AsyncIterator[Any]:
    async with make_host(api_keys, devices, greetings) as host:
        yield host


async def create(host: Any, name: str = "robot", client: Any = None, **more: Any) -> Any:
    answer = await (client or host.client()).post(KEYS, json={"name": name, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def listed(host: Any) -> list[Any]:
    answer = await host.client().get(KEYS)
    assert answer.status_code == 200, answer.text
    assert answer.json()["meta"]["count"] == len(answer.json()["data"]["keys"])
    return answer.json()["data"]["keys"]


def refused(answer: Any) -> tuple[int, str]:
    body = answer.json()
    assert body["success"] is False
    return answer.status_code, body["error"]["code"]


def bearing(host: Any, key: str) -> Any:
    """A client that has nothing but a key."""
    client = host.client(role=None)
    client.headers["X-API-Key"] = key
    return client


async def test_a_key_is_shown_once_and_then_listed_by_its_beginning(host: Any) -> None:
    made = await create(host)
    key, info = made["api_key"], made["info"]
    assert re.fullmatch("nmk_[0-9a-f]{32}", key)
    assert info == {
        "id": info["id"],
        "name": "robot",
        "created_at": host.clock.now_ms() // 1000,
        "permissions": ["*"],
        "active": True,
        "expires_at": None,
        "last_used_at": None,
    }
    assert await listed(host) == [{**info, "preview": f"{key[:8]}..."}]


@pytest.mark.parametrize("how", [{"expires_at": 1_700_000_100}, {"expires_in_days": 100 / 86_400}])
async def test_keys_expire(host: Any, how: dict[str, Any]) -> None:
    made = await create(host, **how)
    client = bearing(host, made["api_key"])
    assert made["info"]["expires_at"] == 1_700_000_100
    await host.clock.advance(99.999)
    assert (await client.get("/api/hello")).status_code == 200
    await host.clock.advance(0.001)
    assert refused(await client.get("/api/hello")) == (401, "API_KEY_EXPIRED")
    assert [(item["active"], item["last_used_at"]) for item in await listed(host)] == [(False, 1_700_000_099)]
    await host.clock.advance(10)
    await host.settle()
    assert host.events.of(SessionEnded) == [SessionEnded(principal_id=f"apikey:{made['info']['id']}", reason="expired")]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "a\x1b[1mb"}, "name"),
        ({"permissions": "read"}, "permissions"),
        ({"permissions": []}, "permissions"),
        ({"permissions": ["read", "fly"]}, "permissions[1]"),
        ({"permissions": ["read", 1]}, "permissions[1]"),
        ({"scopes": ["devices:own"]}, "scopes[0]"),
        ({"scopes": ["read"], "permissions": ["read"]}, "scopes"),
        ({"expires_at": 1_699_999_999}, "expires_at"),
        ({"expires_at": 1_700_000_000}, "expires_at"),
        ({"expires_at": -1}, "expires_at"),
        ({"expires_at": 1e300}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": True}, "expires_at"),
        ({"expires_in_days": 0}, "expires_in_days"),
        ({"expires_in_days": 36_501}, "expires_in_days"),
        ({"expires_in_days": 1, "expires_at": 1_800_000_000}, "expires_in_days"),
    ],
)
async def test_what_cannot_be_names_the_field(host: Any, body: dict[str, Any], field: str) -> None:
    sent = body if not body or "name" in body else {"name": "robot", **body}
    answer = await host.client().post(KEYS, json=sent)
    assert refused(answer) == (422, "VALIDATION_ERROR")
    assert [problem["field"] for problem in answer.json()["error"]["details"]] == [field]
    assert await listed(host) == []


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"null", b"\xff"])
async def test_bodies_that_are_no_object(host: Any, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    status, _ = refused(await host.client().post(KEYS, content=content, headers=headers))
    assert status in (400, 422)


async def test_keys_are_for_administrators(host: Any) -> None:
    made = await create(host)
    anonymous, strangers = host.client(role=None), [host.client(role="viewer"), host.client(role="user")]
    keys = [host.client(scopes=scopes) for scopes in (["read", "write"], ["keys:read", "keys:write"], [])]
    for method, path in (("GET", KEYS), ("POST", KEYS), ("DELETE", f"{KEYS}/{made['info']['id']}")):
        more = {"json": {"name": "x", "permissions": ["read"]}} if method == "POST" else {}
        assert refused(await anonymous.request(method, path, **more)) == (401, "UNAUTHORIZED")
        for client in [*strangers, *keys]:
            assert refused(await client.request(method, path, **more)) == (403, "INSUFFICIENT_PERMISSIONS")
    assert len(await listed(host)) == 1


async def test_a_key_for_everything_manages_keys(host: Any) -> None:
    client = bearing(host, (await create(host))["api_key"])
    second = await create(host, client=client, permissions=["devices:read"])
    assert len((await client.get(KEYS)).json()["data"]["keys"]) == 2
    assert (await client.delete(f"{KEYS}/{second['info']['id']}")).status_code == 200
    assert (await client.get("/api/reign")).status_code == 200


async def test_nobody_grants_more_than_they_have(host: Any) -> None:
    client = bearing(host, (await create(host, scopes=["admin"], expires_in_days=1))["api_key"])
    for body in ({}, {"permissions": ["*"]}, {"permissions": ["read"]}, {"scopes": ["read"], "expires_in_days": 2}):
        answer = await client.post(KEYS, json={"name": "x", **body})
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")
    await create(host, client=client, permissions=["admin"], expires_in_days=1)
    assert len(await listed(host)) == 2


async def test_deleted_keys_do_not_hold(host: Any) -> None:
    made, kept = await create(host), await create(host)
    ident = made["info"]["id"]
    answer = await host.client().delete(f"{KEYS}/{ident}")
    assert answer.json()["data"] == {"message": "The API key 'robot' is deleted", "success": True}
    assert refused(await bearing(host, made["api_key"]).get("/api/hello")) == (401, "INVALID_API_KEY")
    assert (await bearing(host, kept["api_key"]).get("/api/hello")).status_code == 200
    await host.settle()
    assert [event.principal_id for event in host.events.of(SessionEnded)] == [f"apikey:{ident}"]
    for gone in (ident, "nothing", "ü"):
        assert refused(await host.client().delete(f"{KEYS}/{gone}")) == (404, "API_KEY_NOT_FOUND")
    assert len(await listed(host)) == 1


# ---- calling with a key ----


async def test_scopes_are_enforced(host: Any) -> None:
    reader = bearing(host, (await create(host, permissions=["devices:read"]))["api_key"])
    assert (await reader.get("/api/devices")).status_code == 200
    assert refused(await reader.post("/api/devices", json=DEVICE)) == (403, "INSUFFICIENT_PERMISSIONS")
    assert refused(await reader.get("/api/reign")) == (403, "INSUFFICIENT_PERMISSIONS")
    assert refused(await reader.get(KEYS)) == (403, "INSUFFICIENT_PERMISSIONS")
    writer = bearing(host, (await create(host, permissions=["devices:write"]))["api_key"])
    assert refused(await writer.get("/api/devices")) == (403, "INSUFFICIENT_PERMISSIONS")
    assert (await writer.post("/api/devices", json=DEVICE)).status_code != 403


async def test_areas_of_extensions_are_areas(host: Any) -> None:
    client = bearing(host, (await create(host, permissions=["greetings:write"]))["api_key"])
    assert (await client.post("/api/hello")).status_code == 200
    assert refused(await client.get("/api/devices")) == (403, "INSUFFICIENT_PERMISSIONS")


async def test_the_caller_is_the_key(host: Any) -> None:
    made = await create(host, permissions=["read"])
    answer = await bearing(host, made["api_key"]).get("/api/hello")
    ident = f"apikey:{made['info']['id']}"
    assert answer.json()["data"] == {"kind": "api_key", "id": ident, "name": "robot", "role": "user", "session": None}


async def test_where_a_key_may_stand(host: Any) -> None:
    key, stranger = (await create(host))["api_key"], "nmk_" + "0" * 32
    client = host.client(role=None)
    headers = [{"X-API-Key": key}, {"x-api-key": f" {key} "}, {"Authorization": f"Bearer {key}"}]
    mixed = [
        {"X-API-Key": key, "Authorization": f"Bearer {stranger}"},
        {"X-API-Key": stranger, "Authorization": f"Bearer {key}"},
        {"X-API-Key": key, "Authorization": "Bearer some.bad.token"},
    ]
    for good in [*headers, *mixed]:
        assert (await client.get("/api/hello", headers=good)).status_code == 200
    for bad in ({"X-API-Key": stranger}, {"Authorization": f"Bearer {stranger}"}, {"X-API-Key": "é".encode()}):
        assert refused(await client.get("/api/hello", headers=bad)) == (401, "INVALID_API_KEY")
    assert refused(await client.get("/api/hello", headers={"X-API-Key": ""})) == (401, "UNAUTHORIZED")


async def test_the_query_counts_where_the_route_allows_it(host: Any) -> None:
    query = {"api_key": (await create(host))["api_key"]}
    client = host.client(role=None)
    answer = await client.get("/api/hello/stream", params=query)
    assert (answer.status_code, answer.text) == (200, "robot")
    assert refused(await client.get("/api/hello", params=query)) == (401, "UNAUTHORIZED")
    assert refused(await client.get("/api/hello/stream", params={"api_key": "x"})) == (401, "INVALID_API_KEY")


async def test_openapi_knows_the_header(host: Any) -> None:
    document = (await host.client(role=None).get("/api/openapi.json")).json()
    assert document["components"]["securitySchemes"]["api_key"] == {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
    }
    assert set(document["paths"]["/api/auth/keys"]) >= {"get", "post"}


async def test_the_last_use_is_written_in_the_background(host: Any) -> None:
    made = await create(host)
    await host.clock.advance(100)
    await bearing(host, made["api_key"]).get("/api/hello")
    assert [item["last_used_at"] for item in await listed(host)] == [1_700_000_100]
    database = host.services[Database]
    assert await database.read(saved_uses) == [None]
    await host.clock.advance(10)
    await host.settle()
    assert await database.read(saved_uses) == [1_700_000_100_000]


def saved_uses() -> list[Any]:
    from neomind_plugins.api_keys.tables import KeyRow

    return [row.last_used_ms for row in KeyRow.select()]


async def test_years_of_days_are_fine(host: Any) -> None:
    made = await create(host, expires_in_days=36_500)
    assert made["info"]["expires_at"] == (host.clock.now_ms() + 36_500 * DAY_MS) // 1000


# ---- what is left behind ----


async def test_no_key_stands_in_the_log(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(0)
    caplog.set_level("WARNING", "httpx2")  # the client of the test, which logs addresses
    async with make_host(api_keys, greetings, data_dir=tmp_path) as host:
        made, stranger = await create(host), "nmk_" + "1" * 32
        for key in (made["api_key"], stranger):
            await bearing(host, key).get("/api/hello")
            await host.client(role=None).get("/api/hello/stream", params={"api_key": key})
        await host.client().delete(f"{KEYS}/{made['info']['id']}")
        await bearing(host, made["api_key"]).get("/api/hello")
        await host.settle()
        text = repr(host.events)
    printed = capsys.readouterr()
    text += caplog.text + printed.out + printed.err
    assert made["info"]["id"] in text  # so there is a log to look at
    assert made["api_key"][8:] not in text
    assert stranger[8:] not in text
