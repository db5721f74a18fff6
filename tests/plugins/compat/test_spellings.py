"""Second paths answer as the first ones do, and mirrors repeat what is in the envelope."""

from __future__ import annotations

import pytest

from neomind_plugins.compat import plugin as compat
from neomind_plugins.compat.spellings import ALIASES, MIRRORS
from neomind_sdk import PUBLIC, BadRequest, Plugin, Request, Route, hookimpl
from neomind_sdk.testing import make_host
from neomind_sdk.testing.marks import needs

from .conftest import PUMP, TYPE, beside, data


async def echo(request: Request):
    if "fail" in request.query:
        raise BadRequest("as was asked for")
    return {"at": request.route.path, **request.params}


class Targets:
    """Routes at every target, and at every path that is mirrored and nobody else's."""

    @hookimpl
    def neomind_routes(self, ctx):
        paths = {alias.target for alias in ALIASES} | {mirror.path for mirror in MIRRORS}
        own = {"/suggestions", "/onboarding/status", "/onboarding/dismiss", "/onboarding/reset"}
        return [
            Route(method=method, path=path, handler=echo, scope=PUBLIC, summary="Echo")
            for path in sorted(paths - own)
            for method in ("GET", "POST")
        ]


@pytest.fixture
async def targets():
    async with make_host(compat, Plugin(name="targets", summary="Targets.", hooks=Targets())) as host:
        yield host


def filled(path):
    return "/api" + path.replace("{", "a_").replace("}", "")


@pytest.mark.parametrize("alias", ALIASES, ids=lambda alias: alias.path)
async def test_an_alias_leads_to_its_target(targets, alias):
    client = targets.client()
    there = await data(await client.post(filled(alias.target)))
    here = await data(await client.post(filled(alias.path)))
    assert {**here, "at": ""} == {**there, "at": ""}


@pytest.mark.parametrize("alias", ALIASES, ids=lambda alias: alias.path)
async def test_without_its_target_an_alias_is_nothing(alone, alias):
    answer = await alone.client().delete(filled(alias.path))
    assert answer.status_code in (404, 405)
    answer = await alone.client().get(filled(alias.path))
    assert answer.json()["success"] is False
    assert answer.status_code in (404, 405), answer.text


async def test_aliases_are_marked_in_the_document(targets):
    paths = targets.host.api.openapi()["paths"]
    assert paths["/api/events/stream"]["get"]["deprecated"] is True
    assert "deprecated" not in paths["/api/events"]["get"]


@pytest.mark.parametrize("mirror", MIRRORS, ids=lambda mirror: mirror.path)
async def test_what_is_mirrored(targets, mirror):
    method = "POST" if mirror.path in ("/onboarding/dismiss", "/onboarding/reset") else "GET"
    body = (await targets.client().request(method, filled(mirror.path))).json()
    assert body["data"]
    assert {name: body[name] for name in body["data"] if name != "success"} == {
        name: value for name, value in body["data"].items() if name != "success"
    }
    assert body["success"] is True


async def test_a_failure_stays_as_it_is(targets):
    body = (await targets.client().get("/api/setup/status?fail=1")).json()
    assert set(body) == {"success", "error"}


async def test_without_compat_there_are_none():
    async with make_host(Plugin(name="targets", summary="Targets.", hooks=Targets())) as host:
        client = host.client()
        body = (await client.get("/api/health")).json()
        assert set(body) == {"success", "data", "meta"}
        answer = await client.get("/api/share/ds_1")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


# ---- beside the plugins that they are for ----------------------------------------------------------------------------


@needs("devices", "telemetry")
async def test_both_trees_of_device_types():
    async with beside("devices", "telemetry") as host:
        client = host.client()
        await data(await client.post("/api/device-types", json=TYPE))
        assert await data(await client.get("/api/device-types/pump")) == await data(
            await client.get("/api/devices/types/pump")
        )
        listed = await data(await client.get("/api/device-types"))
        assert "pump" in {row["device_type"] for row in listed["device_types"]}
        assert (await data(await client.delete("/api/device-types/pump")))["deleted"] is True
        assert (await client.get("/api/device-types/pump")).json()["error"]["code"] == "DEVICE_TYPE_NOT_FOUND"
        assert (await data(await client.get("/api/device-types/cloud/list")))["device_types"] == []


@needs("devices", "telemetry")
async def test_telemetry_is_history():
    async with beside("devices", "telemetry") as host:
        client = host.client()
        await client.post("/api/devices/types", json=TYPE)
        await client.post("/api/devices", json=PUMP)
        await data(await client.post("/api/devices/p1/metrics", json={"metric": "rpm", "value": 900}))
        found = await data(await client.get("/api/devices/p1/telemetry?metric=rpm"))
        assert [point["value"] for point in found["data"]["rpm"]] == [900]
        assert await data(await client.get("/api/devices/p1/telemetry/summary"))


@needs("accounts")
async def test_the_first_start_as_the_web_client_reads_it():
    async with beside("accounts") as host:
        client = host.client(None)
        assert (await client.get("/api/setup/status")).json()["setup_required"] is True
        credentials = {"username": "anna", "password": "kitchen-1"}
        body = (await client.post("/api/setup/initialize", json=credentials)).json()
        assert body["token"] == body["data"]["token"]
        assert body["user"]["username"] == "anna"
        refused = await client.post("/api/setup/initialize", json=credentials)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "SETUP_ALREADY_COMPLETED")
        assert (await client.get("/api/setup/status")).json()["setup_required"] is False


@needs("messages", "outbox")
async def test_a_message_is_posted_where_messages_are_listed():
    async with beside("messages", "outbox") as host:
        client = host.client()
        sent = await data(await client.post("/api/messages", json={"title": "Hello", "message": "World"}))
        listed = await data(await client.get("/api/messages"))
        assert [message["id"] for message in listed["messages"]] == [sent["id"]]


@needs("extension_admin")
async def test_extensions_are_looked_for():
    async with beside("extension_admin") as host:
        answer = await host.client().post("/api/extensions/sync")
        assert (await data(answer)).keys() >= {"scanned", "installed", "upgraded", "skipped"}


@needs("realtime")
@pytest.mark.parametrize("path", ["/api/events/ws", "/api/events"])
async def test_events_over_a_socket(talk, path):
    async with beside("realtime") as host, host.served() as address:
        stranger = await talk(f"{address}{path}")
        await stranger.say({"type": "Auth", "token": "nobody"})
        assert (await stranger.next())["type"] == "Error"
        assert await stranger.closed() == 1008
        friend = await talk(f"{address}{path}", **{"x-test-principal": host.principal("viewer")})
        assert (await friend.next())["type"] == "Authenticated"
