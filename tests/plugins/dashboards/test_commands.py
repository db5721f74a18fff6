"""Commands through a share link: those that the dashboard has a control for, if the link allows any."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import SHOWN, World, code, data

CONTROL = {"command": "heat", "params": {"minutes": 5}}


@pytest.fixture
async def token(world: World) -> str:
    return await world.shared(interactive=True)


async def post(world: World, token: str, path: str, body: Any = None) -> Any:
    return await world.stranger.post(f"/api/dashboards/shared/{token}{path}", json=body)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/commands", {"source": "command:boiler:heat", "params": {"minutes": 5}}),
        ("/proxy/devices/boiler/control", CONTROL),
        ("/proxy/devices/boiler/command/heat", {"params": {"minutes": 5, "level": 3}}),
    ],
)
async def test_a_command_reaches_its_device(world: World, token: str, path: str, body: Any) -> None:
    answer = data(await post(world, token, path, body))
    assert answer["sent"] is True
    [sent] = world.weather.sent
    assert (sent.device.device_id, json.loads(sent.payload)) == ("boiler", {"level": 3, "for": 5})
    [link] = [one["id"] for one in await shares(world, token)]
    kept = data(await world.owner.get("/api/devices/boiler/commands"))["commands"]
    assert [one["source"] for one in kept] == [f"share:{link}"]


async def test_commands_are_listed_for_who_may_give_them(world: World, token: str) -> None:
    found = data(await world.look(token, "/proxy/devices/boiler/current"))
    assert [one["name"] for one in found["commands"]] == ["heat"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/commands", {"source": "extension-command:weather:roll", "params": {"sides": 6}}),
        ("/proxy/extensions/weather/command", {"command": "roll", "args": {"sides": 6}}),
        ("/proxy/extensions/weather/commands/roll", {"sides": 6}),
    ],
)
async def test_a_command_of_an_extension(world: World, token: str, path: str, body: Any) -> None:
    answer = data(await post(world, token, path, body))
    assert answer.get("result", answer) == {"eyes": 4}
    [(args, call)] = world.weather.ran
    assert args == {"sides": 6}
    assert (call.principal.kind, call.principal.scopes) == ("share", frozenset())


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/commands", {"source": "command:boiler:heat"}),
        ("/proxy/devices/boiler/control", CONTROL),
        ("/proxy/devices/boiler/command/heat", {}),
        ("/proxy/extensions/weather/command", {"command": "roll"}),
        ("/proxy/extensions/weather/commands/roll", {}),
    ],
)
async def test_a_link_that_only_allows_to_look(world: World, path: str, body: Any) -> None:
    assert code(await post(world, await world.shared(), path, body)) == (403, "FORBIDDEN")
    assert (world.weather.sent, world.weather.ran) == ([], [])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/commands", {"source": "command:boiler:drain"}),
        ("/commands", {"source": "command:vault:heat"}),
        ("/commands", {"source": "device:boiler:temperature"}),
        ("/commands", {"source": "extension-command:weather:secret"}),
        ("/commands", {"source": "command:boiler:heat", "params": {"level": 9}}),
        ("/proxy/devices/boiler/control", {"command": "drain"}),
        ("/proxy/devices/boiler/control", {"command": "heat", "params": {"level": 9}}),
        ("/proxy/devices/vault/control", CONTROL),
        ("/proxy/devices/boiler/command/drain", {}),
        ("/proxy/extensions/weather/command", {"command": "secret"}),
        ("/proxy/extensions/other/command", {"command": "roll"}),
    ],
)
async def test_what_no_control_is_for(world: World, token: str, path: str, body: Any) -> None:
    assert code(await post(world, token, path, body)) == (403, "FORBIDDEN")
    assert (world.weather.sent, world.weather.ran) == ([], [])


@pytest.mark.parametrize(
    "body", [None, [], {}, {"command": 1}, {"command": "heat", "params": 1}, {"command": "heat", "params": []}]
)
async def test_bodies_that_cannot_be(world: World, token: str, body: Any) -> None:
    assert code(await post(world, token, "/proxy/devices/boiler/control", body)) == (400, "BAD_REQUEST")


async def test_two_controls_of_one_command(world: World) -> None:
    low, high = ({**SHOWN[7], "commandParams": {"level": level}} for level in (1, 9))
    token = await world.shared([low, high], interactive=True)
    for level, status in ((1, 200), (9, 200), (5, 403)):
        body = {"source": "command:boiler:heat", "params": {"level": level}}
        assert (await post(world, token, "/commands", body)).status_code == status
    assert [json.loads(sent.payload)["level"] for sent in world.weather.sent] == [1, 9]


async def test_what_the_device_refuses(world: World, token: str) -> None:
    body = {"source": "command:boiler:heat", "params": {"minutes": "x"}}
    assert (await post(world, token, "/commands", body)).status_code in (400, 422)


async def test_one_link_gives_so_many_commands_a_minute(world: World, token: str) -> None:
    for _ in range(60):
        data(await post(world, token, "/proxy/extensions/weather/commands/roll", {}))
    answer = await post(world, token, "/proxy/extensions/weather/commands/roll", {})
    assert code(answer) == (429, "RATE_LIMITED")
    assert answer.headers["retry-after"] == "60"
    await world.host.clock.advance(60)
    data(await post(world, token, "/proxy/extensions/weather/commands/roll", {}))


async def shares(world: World, token: str) -> Any:
    ident = data(await world.look(token))["dashboard"]["id"]
    return data(await world.owner.get(f"/api/dashboards/{ident}/share"))
