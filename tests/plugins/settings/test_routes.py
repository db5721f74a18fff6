"""Settings over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from neomind_plugins.devices import plugin as devices
from neomind_plugins.telemetry import plugin as telemetry
from neomind_sdk import SettingsChanged


@pytest.fixture
async def host(house: Any) -> AsyncIterator[Any]:
    async with house.host(devices, telemetry) as host:
        yield host


def refused(answer: Any) -> tuple[int, str]:
    body = answer.json()
    assert body["success"] is False
    return answer.status_code, body["error"]["code"]


async def data(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_all_sections_at_once(host: Any) -> None:
    shown = await data(await host.client("viewer").get("/api/settings"))
    assert sorted(shown) == ["boiler", "device", "retention", "timezone"]
    assert shown["timezone"] == {"timezone": "Asia/Shanghai"}
    assert shown["device"] == {"default_offline_timeout_secs": 300, "auto_onboard_enabled": True}
    assert shown["boiler"]["token"] == ""


async def test_one_section(host: Any) -> None:
    client = host.client()
    before = await data(await client.get("/api/settings/boiler"))
    changed = await data(await client.put("/api/settings/boiler", json={"limit": 70, "token": "hush-hush"}))
    assert changed == {"success": True, **before, "limit": 70, "token": "***"}
    for role in ("admin", "user", "viewer"):
        answer = await host.client(role).get("/api/settings/boiler")
        assert await data(answer) == {**before, "limit": 70, "token": "***"}
        assert "hush-hush" not in answer.text


async def test_what_is_shown_can_be_put_back(host: Any, house: Any) -> None:
    client = host.client()
    await data(await client.put("/api/settings/boiler", json={"token": "hush-hush", "stop_after": None}))
    shown = await data(await client.get("/api/settings/boiler"))
    assert (await data(await client.put("/api/settings/boiler", json=shown))) == {"success": True, **shown}
    assert house.boiler(host).token == "hush-hush"


async def test_sections_of_devices_and_telemetry(host: Any) -> None:
    client = host.client()
    changed = await data(await client.put("/api/settings/device", json={"default_offline_timeout_secs": 60}))
    assert changed == {"success": True, "default_offline_timeout_secs": 60, "auto_onboard_enabled": True}
    retention = {"enabled": True, "interval_hours": 2, "default_retention": None, "image_retention": 24}
    assert await data(await client.put("/api/settings/retention", json=retention)) == {"success": True, **retention}
    assert await data(await client.get("/api/settings/retention")) == retention


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([], (400, "BAD_REQUEST")),
        (None, (400, "BAD_REQUEST")),
        ("text", (400, "BAD_REQUEST")),
        (5, (400, "BAD_REQUEST")),
        ({"limit": 0}, (422, "VALIDATION_ERROR")),
        ({"limit": {}}, (422, "VALIDATION_ERROR")),
        ({"colour": "red"}, (422, "VALIDATION_ERROR")),
        ({"token": "a\x00b"}, (422, "VALIDATION_ERROR")),
    ],
)
async def test_bodies_that_make_no_sense(host: Any, body: Any, expected: Any) -> None:
    answer = await host.client().put("/api/settings/boiler", json=body)
    assert refused(answer) == expected
    if expected[0] == 422:
        assert answer.json()["error"]["details"][0]["field"] == next(iter(body))
    assert host.events.of(SettingsChanged) == []


async def test_empty_and_broken_bodies(host: Any) -> None:
    for path in ("boiler", "timezone"):
        for raw in (b"", b"{", b'{"limit": NaN}', b'{"limit": 1, "limit": 2}', b"\xff"):
            answer = await host.client().put(
                f"/api/settings/{path}", content=raw, headers={"Content-Type": "application/json"}
            )
            assert refused(answer) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("path", ["hidden", "nothing", "test_login", "%2e%2e", "a%20b", "boiler%2Flimit"])
async def test_sections_that_are_not_there(host: Any, path: str) -> None:
    assert refused(await host.client().get(f"/api/settings/{path}")) == (404, "NOT_FOUND")
    assert refused(await host.client().put(f"/api/settings/{path}", json={})) == (404, "NOT_FOUND")


async def test_reading_is_for_all_and_writing_for_administrators(host: Any) -> None:
    for path, body in (("boiler", {"limit": 70}), ("timezone", {"timezone": "UTC"})):
        for role in ("user", "viewer"):
            await data(await host.client(role).get(f"/api/settings/{path}"))
            answer = await host.client(role).put(f"/api/settings/{path}", json=body)
            assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")
        assert refused(await host.client(None).get(f"/api/settings/{path}")) == (401, "UNAUTHORIZED")
        assert refused(await host.client(None).put(f"/api/settings/{path}", json=body)) == (401, "UNAUTHORIZED")
        writer = host.client(scopes={"settings:write"})
        await data(await writer.put(f"/api/settings/{path}", json=body))
        answer = await host.client(scopes={"write"}).put(f"/api/settings/{path}", json=body)
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")
    for path in ("", "/timezones"):
        await data(await host.client("viewer").get(f"/api/settings{path}"))
        assert refused(await host.client(None).get(f"/api/settings{path}")) == (401, "UNAUTHORIZED")


# ---- the time zone ----


async def test_the_time_zone(host: Any) -> None:
    client = host.client()
    path = "/api/settings/timezone"
    assert await data(await client.get(path)) == {"timezone": "Asia/Shanghai", "is_default": True}
    saved = await data(await client.put(path, json={"timezone": "America/Sao_Paulo"}))
    assert saved == {"success": True, "timezone": "America/Sao_Paulo"}
    assert await data(await client.get(path)) == {"timezone": "America/Sao_Paulo", "is_default": False}
    assert [event.section for event in host.events.of(SettingsChanged)] == ["timezone"]
    await data(await client.put(path, json={"timezone": "Asia/Shanghai"}))
    assert (await data(await client.get(path)))["is_default"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"timezone": "Mars/Olympus"}, (400, "BAD_REQUEST")),
        ({"timezone": "../../etc/passwd"}, (400, "BAD_REQUEST")),
        ({"timezone": "Europe"}, (400, "BAD_REQUEST")),
        ({"timezone": " UTC"}, (400, "BAD_REQUEST")),
        ({"timezone": ""}, (422, "VALIDATION_ERROR")),
        ({"timezone": "UTC\x00"}, (422, "VALIDATION_ERROR")),
        ({"timezone": None}, (422, "VALIDATION_ERROR")),
        ({"timezone": 5}, (422, "VALIDATION_ERROR")),
        ({}, (422, "VALIDATION_ERROR")),
        ([], (422, "VALIDATION_ERROR")),
    ],
)
async def test_zones_that_cannot_be(host: Any, body: Any, expected: Any) -> None:
    answer = await host.client().put("/api/settings/timezone", json=body)
    assert refused(answer) == expected
    assert "timezone" in answer.json()["error"]["message"] or body == []
    assert (await data(await host.client().get("/api/settings/timezone")))["is_default"]


async def test_common_zones(host: Any) -> None:
    answer = await host.client().get("/api/settings/timezones")
    found = (await data(answer))["timezones"]
    assert len(found) == answer.json()["meta"]["count"] == 17
    assert all(set(zone) == {"id", "name"} for zone in found)
    for zone in found:
        await data(await host.client().put("/api/settings/timezone", json={"timezone": zone["id"]}))
