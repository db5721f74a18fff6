"""Share links: made, listed, expired, revoked; and what stays of them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from neomind_plugins.dashboards.tables import ShareRow
from neomind_sdk import Database, SessionEnded

from .conftest import COMPONENT, World, code, data

HOUR = 3600


async def made(world: World) -> str:
    return (await world.dashboard(components=[COMPONENT]))["id"]


async def test_a_link_shows_the_whole_dashboard(world: World) -> None:
    ident = await made(world)
    link = data(await world.owner.post(f"/api/dashboards/{ident}/share", json={"expires_in_hours": 2}))
    now = world.host.clock.now_ms() // 1000
    assert re.fullmatch(r"ds_[0-9a-f]{32}", link["token"])
    assert link == {
        "id": link["id"],
        "token": link["token"],
        "token_preview": f"{link['token'][:8]}...",
        "dashboard_id": ident,
        "permissions": {"allow_interactive": False},
        "created_at": now,
        "expires_at": now + 2 * HOUR,
        "share_url": f"/share/{link['token']}",
    }
    answer = await world.look(link["token"])
    whole = data(await world.owner.get(f"/api/dashboards/{ident}"))
    assert data(answer) == {
        "dashboard": whole,
        "permissions": {"allow_interactive": False},
        "expires_at": now + 2 * HOUR,
    }
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "permissions", "life"),
    [
        (None, False, None),
        ({}, False, None),
        ({"permissions": {}}, False, None),
        ({"permissions": {"allow_interactive": True}, "expires_in_hours": None}, True, None),
        ({"expires_in_hours": 0.5}, False, HOUR / 2),
        ({"expires_in_hours": 87_600}, False, 87_600 * HOUR),
    ],
)
async def test_what_may_be_asked_for(world: World, body: Any, permissions: bool, life: float | None) -> None:
    ident = await made(world)
    link = data(await world.owner.post(f"/api/dashboards/{ident}/share", json=body))
    assert link["permissions"]["allow_interactive"] is permissions
    assert link["expires_at"] == (None if life is None else link["created_at"] + life)


@pytest.mark.parametrize("hours", [0, -1, -1e-9, 87_600.1, 1e300, 2**62])
async def test_lifetimes_that_cannot_be(world: World, hours: float) -> None:
    ident = await made(world)
    answer = await world.owner.post(f"/api/dashboards/{ident}/share", json={"expires_in_hours": hours})
    assert code(answer) == (400, "BAD_REQUEST")
    assert data(await world.owner.get(f"/api/dashboards/{ident}/share")) == []


async def test_an_expired_link_is_gone_for_good(world: World) -> None:
    ident = await made(world)
    link = data(await world.owner.post(f"/api/dashboards/{ident}/share", json={"expires_in_hours": 0.001}))
    await world.host.clock.advance(3.599)
    assert (await world.look(link["token"])).status_code == 200
    await world.host.clock.advance(0.001)
    for path in ("", "/data", "/proxy/devices/boiler", "/proxy/nothing"):
        assert code(await world.look(link["token"], path)) == (410, "GONE")
    data(await world.owner.post(f"/api/dashboards/{ident}/share"))  # makes room, but not of this one
    assert code(await world.look(link["token"])) == (410, "GONE")
    assert len(data(await world.owner.get(f"/api/dashboards/{ident}/share"))) == 1


@pytest.mark.parametrize("by", ["id", "token"])
async def test_a_revoked_link_never_was(world: World, by: str) -> None:
    ident = await made(world)
    link = data(await world.owner.post(f"/api/dashboards/{ident}/share"))
    gone = data(await world.owner.delete(f"/api/dashboards/{ident}/share/{link[by]}"))
    assert gone == {"ok": True, "token": link[by]}
    never = code(await world.look("ds_" + "0" * 32))
    for path in ("", "/data", "/proxy/devices/boiler"):
        assert code(await world.look(link["token"], path)) == never == (404, "SHARE_NOT_FOUND")
    assert [event.principal_id for event in world.host.events.of(SessionEnded)] == [link["id"]]
    assert code(await world.owner.delete(f"/api/dashboards/{ident}/share/{link[by]}")) == (404, "SHARE_NOT_FOUND")


async def test_the_list_has_what_revokes_a_link_and_not_what_opens_it(world: World) -> None:
    ident = await made(world)
    link = data(await world.owner.post(f"/api/dashboards/{ident}/share"))
    answer = await world.owner.get(f"/api/dashboards/{ident}/share")
    assert link["token"] not in answer.text
    [listed] = data(answer)
    assert listed == {**link, "token": link["id"], "share_url": None}
    assert code(await world.look(listed["token"])) == (404, "SHARE_NOT_FOUND")
    data(await world.owner.delete(f"/api/dashboards/{ident}/share/{listed['token']}"))


async def test_links_are_revoked_through_their_own_dashboard(world: World) -> None:
    token, other = await world.shared(), await made(world)
    assert code(await world.owner.delete(f"/api/dashboards/{other}/share/{token}")) == (404, "SHARE_NOT_FOUND")
    assert (await world.look(token)).status_code == 200
    assert data(await world.owner.get(f"/api/dashboards/{other}/share")) == []
    assert data(await world.owner.get("/api/dashboards/dashboard_nobody/share")) == []


async def test_links_go_with_their_dashboard(world: World) -> None:
    token = await world.shared()
    ident = data(await world.look(token))["dashboard"]["id"]
    data(await world.owner.delete(f"/api/dashboards/{ident}"))
    assert code(await world.look(token)) == (404, "SHARE_NOT_FOUND")
    assert await rows(world) == []
    assert len(world.host.events.of(SessionEnded)) == 1


async def test_tokens_are_kept_as_hashes(world: World) -> None:
    token = await world.shared()
    [row] = await rows(world)
    assert token not in repr(row)
    assert token[8:] not in repr(row)


async def test_a_link_sees_changes(world: World) -> None:
    token = await world.shared()
    ident = data(await world.look(token))["dashboard"]["id"]
    assert (await world.look(token, "/data?source=device:boiler:temperature")).status_code == 200
    data(await world.owner.put(f"/api/dashboards/{ident}", json={"components": [COMPONENT]}))
    assert code(await world.look(token, "/data?source=device:boiler:temperature")) == (403, "FORBIDDEN")


async def test_addresses_are_limited(world: World) -> None:
    token = await world.shared()
    codes = [(await world.look(token)).status_code for _ in range(121)]
    assert (set(codes[:120]), codes[120]) == ({200}, 429)
    elsewhere = world.host.client(None, address="192.0.2.7")
    assert (await elsewhere.get(f"/api/dashboards/shared/{token}")).status_code == 200


async def rows(world: World) -> list[Any]:
    return await world.host.services[Database].read(lambda: list(ShareRow.select().dicts()))
