"""Through a share link there is nothing but what its dashboard shows: no path of the API, and no spelling of one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from neomind_plugins.accounts import plugin as accounts
from neomind_plugins.api_keys import plugin as api_keys
from neomind_plugins.dashboards.proxy import plain
from neomind_plugins.drafts import plugin as drafts
from neomind_plugins.messages import plugin as messages
from neomind_plugins.outbox import plugin as outbox
from neomind_plugins.realtime import plugin as realtime
from neomind_plugins.rules import plugin as rules
from neomind_plugins.scheduler import plugin as scheduler
from neomind_plugins.system import plugin as system

from . import raw
from .conftest import SECRET, World, a_world, furnish

REFUSED = (400, 403, 404, 405, 422)
OTHERS = (accounts, api_keys, drafts, messages, outbox, realtime, rules, scheduler, system)
OPEN = {"GET devices/{device_id}", "GET devices/{device_id}/current", "GET devices/{device_id}/history"}
"""What is answered for a device that is shown."""
ALWAYS = {"GET stats/system", "POST devices/current-batch", "GET extensions/dashboard-components"}
TARGETS = ("devices/vault/current", "devices/vault", "settings/accounts", "devices")
TRAVERSALS = (
    "../{target}",
    "../../{target}",
    "../../../{target}",
    "../../../../{target}",
    "../../../../api/{target}",
    "./{target}",
    "././{target}",
    "/{target}",
    "//{target}",
    "devices/../{target}",
    "devices/./../{target}",
    "devices/boiler/../../{target}",
    "devices/boiler/current/../../../{target}",
    "devices/boiler/%2e%2e/%2e%2e/{target}",
    "devices/boiler/%2E%2E/%2E%2E/{target}",
    "devices/boiler/.%2e/.%2e/{target}",
    "devices/boiler%2f..%2f..%2f{target}",
    "devices%2fboiler%2f..%2f..%2f{target}",
    "devices/boiler%2F%2e%2e%2F%2e%2e%2F{target}",
    "%2e%2e/{target}",
    "%2e%2e%2f{target}",
    "..%2f{target}",
    "..%5c{target}",
    "..\\{target}",
    "devices\\..\\{target}",
    "%252e%252e/{target}",
    "%252e%252e%252f{target}",
    "..%252f{target}",
    "%25252e%25252e%25252f{target}",
    "devices/boiler/%252e%252e/%252e%252e/{target}",
    "..%c0%af{target}",
    "%c0%ae%c0%ae/{target}",
    "%e3%80%82%e3%80%82/{target}",
    "%ef%bc%8e%ef%bc%8e/{target}",
    "%ef%bc%8e%ef%bc%8e%ef%bc%8f{target}",
    "%e2%80%a5/{target}",
    "..;/{target}",
    "devices/boiler/..;/..;/{target}",
    "devices/boiler;x=1/../../{target}",
    "devices/boiler%00/../../{target}",
    "devices/boiler%00{target}",
    "{target}%00",
    "{target}%20",
    "%20{target}",
    "{target}%09",
    "{target}/",
    "{target}/.",
    "{target}/..",
    "{target}%3fx=1",
    "{target}%23",
    "http://127.0.0.1:9375/api/{target}",
    "//127.0.0.1:9375/api/{target}",
    "http:%2f%2f127.0.0.1:9375%2fapi%2f{target}",
    "api/{target}",
    "..%u2215{target}",
    "....//{target}",
    "..././{target}",
    "devices/boiler/..%0d%0a/{target}",
)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """With nearly every plugin there is."""
    async with a_world(*OTHERS) as world:
        await furnish(world)
        yield world


async def send(world: World, method: str, target: str, body: Any = None) -> raw.Answer:
    return await raw.send(world.host.host.api, method, target, body)


def operations(world: World) -> list[tuple[str, str]]:
    paths = world.host.host.api.openapi()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


def filled(path: str, ident: str) -> str:
    return re.sub(r"\{[^}]*\}", quote(ident), path)


async def test_no_path_of_the_api(world: World) -> None:
    """Every operation there is, with every id that means something, through a link that allows all it can."""
    token = await world.shared(interactive=True)
    proxy, answered = f"/api/dashboards/shared/{token}/proxy", set()
    assert len(operations(world)) > 100
    for method, path in operations(world):
        for ident in ("boiler", "vault", "weather", "a1", token, "x"):
            body = None if method == "GET" else {"device_ids": ["vault"], "command": "drain", "name": "x"}
            answer = await send(world, method, proxy + filled(path, ident).removeprefix("/api"), body)
            assert SECRET not in answer.text, (method, path, ident)
            if answer.status_code not in REFUSED:
                assert answer.status_code in (200, 307), (method, path, answer.text)
                answered.add(f"{method} {path.removeprefix('/api/').removeprefix('/')}")
        await world.host.clock.advance(1)
    assert answered <= OPEN | ALWAYS | {"GET extensions/{extension_id}/components"}, answered
    assert answered >= OPEN  # else the test has tried nothing
    assert (world.weather.sent, world.weather.ran) == ([], [])


async def test_the_token_is_no_credential(world: World) -> None:
    """Whoever has a link and nobody in particular are let in to the same."""
    token = await world.shared()
    ways: list[dict[str, Any]] = [
        {"headers": {"Authorization": f"Bearer {token}"}},
        {"headers": {"X-API-Key": token}},
        {"headers": {"Cookie": f"token={token}"}},
        {"params": {"token": token}},
        {"params": {"api_key": token}},
    ]
    tried = 0
    for method, path in operations(world):
        if method != "GET" or "shared" in path or "/events" in path:
            continue
        url = filled(path, "boiler")
        url = url if url.startswith("/api") else f"/api{url}"
        nobody = (await world.stranger.get(url)).status_code
        for way in ways:
            status = (await world.stranger.get(url, **way)).status_code
            assert status == nobody or (nobody, status) == (200, 401), (path, way)
        tried += nobody == 401
    assert tried > 30


@pytest.mark.parametrize("spelling", TRAVERSALS)
async def test_traversals(world: World, spelling: str) -> None:
    token = await world.shared(interactive=True)
    for target in TARGETS:
        for prefix in (f"/api/dashboards/shared/{token}/proxy/", f"/api/dashboards/shared/{token}/"):
            for method in ("GET", "POST"):
                answer = await send(world, method, prefix + spelling.format(target=target))
                assert answer.status_code in REFUSED, (spelling, target, answer.text)
                assert answer.json()["success"] is False
                assert SECRET not in answer.text


async def test_there_is_something_to_find(world: World) -> None:
    """What the tests above look for is there, for who may see it."""
    for path in ("devices/vault/current", "devices/vault", "devices/boiler/history?metric=_raw", "devices"):
        assert SECRET in (await world.owner.get(f"/api/{path}")).text
    token = await world.shared()
    own = await send(world, "GET", f"/api/dashboards/shared/{token}/proxy/devices/boiler/current")
    assert own.status_code == 200


def test_there_are_many_spellings() -> None:
    assert len(set(TRAVERSALS)) >= 30


PIECES = ("..", ".", "/", "%2e", "%2f", "%25", "\\", "devices", "vault", "boiler", "current", "history", "telemetry")
ODD = ("%c0%af", ";", "?", "#", "%00", "．", "／", "agents", "a2", "stats", "system", "extensions", "settings", " ")


@hypothesis_settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES + ODD), min_size=1, max_size=12), post=st.booleans())
async def test_whatever_is_put_together(world: World, pieces: list[str], post: bool) -> None:
    token = await world.shared([{"type": "device", "sourceId": "boiler", "property": "temperature"}])
    path = quote("".join(pieces), safe="/%;\\?#.")
    answer = await send(world, "POST" if post else "GET", f"/api/dashboards/shared/{token}/proxy/{path}")
    await world.host.clock.advance(1)
    assert SECRET not in answer.text
    assert answer.status_code in (*REFUSED, 200, 307)
    if answer.status_code == 200:
        assert re.fullmatch(
            r"devices/boiler(/current|/history|/telemetry)?(\?.*)?", raw.replace("%2f", "/").split("#")[0]
        )


@given(path=st.text(max_size=40))
def test_a_path_that_is_taken_has_one_reading(path: str) -> None:
    segments = plain(path)
    if segments is not None:
        assert "/".join(segments) == path
        assert not set(path) & set("\\%?#;")
        assert not any(segment.strip(".") == "" for segment in segments)
