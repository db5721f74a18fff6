"""The API's own read paths, as a viewer has them."""

from __future__ import annotations

import os
from typing import Any

import pytest

from .conftest import SECRET, World, code, data

NOW_S = 1_700_000_000
TEMPERATURE = {
    "name": "temperature",
    "display_name": "temperature",
    "unit": "°C",
    "data_type": "float",
    "value": 21.5,
    "timestamp": NOW_S - 1,
    "is_virtual": False,
}


@pytest.fixture
async def token(world: World) -> str:
    return await world.shared()


async def read(world: World, token: str, path: str, **params: Any) -> Any:
    answer = await world.look(token, f"/proxy/{path}", params=params)
    assert SECRET not in answer.text
    return data(answer)


async def test_a_device_and_its_values(world: World, token: str) -> None:
    device = await read(world, token, "devices/boiler")
    assert device["current_values"] == {"temperature": 21.5, "flow": 0.5}
    assert device["metrics"]["temperature"] == TEMPERATURE
    assert (device["id"], device["name"], device["online"]) == ("boiler", "boiler", False)
    assert set(device) == {"id", "device_id", "name", "online", "current_values", "metrics", "commands"}
    current = await read(world, token, "devices/boiler/current")
    assert current["metrics"] == device["metrics"]
    assert current["device"] == {"id": "boiler", "device_id": "boiler", "name": "boiler", "online": False}
    assert current["commands"] == []


async def test_the_shapes_are_those_of_the_api(world: World, token: str) -> None:
    """Whatever is there as here is the same."""
    for path in ("devices/boiler/current", "devices/boiler/history?metric=flow", "telemetry?source=boiler&metric=flow"):
        ours = data(await world.look(token, f"/proxy/{path}"))
        theirs = data(await world.owner.get(f"/api/{path}"))
        assert set(ours) == set(theirs)
    assert theirs["data"] == ours["data"]
    for query in ("", "&time_range=1h", "&aggregate=avg", "&aggregate=sum&bucketed=true", "&offset=1&limit=1"):
        path = f"devices/boiler/history?metric=temperature{query}"
        ours = data(await world.look(token, f"/proxy/{path}"))
        assert ours == data(await world.owner.get(f"/api/{path}"))


async def test_properties_where_they_are_shown(world: World) -> None:
    token = await world.shared([{"type": "device-info", "sourceId": "vault", "infoProperty": "name"}])
    device = data(await world.look(token, "/proxy/devices/vault/current"))["device"]
    assert device == {"id": "vault", "device_id": "vault", "name": SECRET}


async def test_history(world: World, token: str) -> None:
    for path in ("devices/boiler/history", "devices/boiler/telemetry"):
        every = await read(world, token, path)
        assert every["metrics"] == ["temperature", "flow"]
        assert [point["value"] for point in every["data"]["temperature"]] == [21.5, 20.5]
        flow = await read(world, token, path, metric="flow", time_range="1h")
        assert flow["data"] == {"flow": [{"timestamp": NOW_S - 1800, "value": 0.5}]}
        mean = await read(world, token, path, metric="flow", aggregate="avg")
        assert [point["value"] for point in mean["data"]["flow"]] == [1.25]
        thin = await read(world, token, path, metric="flow", bucketed="true", aggregation="sum")
        assert [point["value"] for point in thin["data"]["flow"]] == [2, 0.5]
        assert await read(world, token, path, metric="flow", bucketed="true")
        second = await read(world, token, path, metric="flow", limit=1, offset=1)
        assert [point["value"] for point in second["data"]["flow"]] == [2]


async def test_telemetry(world: World, token: str) -> None:
    for source in ("boiler", "device:boiler"):
        found = await read(world, token, "telemetry", source=source, metric="flow")
        assert found["data"][-1] == {"timestamp": NOW_S - 1800, "value": 0.5, "quality": None}
        assert (found["source_id"], found["count"]) == ("device:boiler:flow", 2)
    wind = await read(world, token, "telemetry", source="extension:weather", metric="wind", bucketed="1")
    assert wind["data"][0]["value"] == 7
    mean = await read(world, token, "telemetry", source="transform:t1", metric="mean", aggregate="max")
    assert (mean["value"], mean["count"]) == (1.25, 1)


async def test_several_devices_at_once(world: World, token: str) -> None:
    url, body = f"/api/dashboards/shared/{token}/proxy/devices/current-batch", ["boiler", "vault", "nobody"]
    answer = await world.stranger.post(url, json={"device_ids": body})
    assert SECRET not in answer.text
    found = data(answer)["devices"]
    values = {name: device["current_values"] for name, device in found.items()}
    assert values == {"boiler": {"temperature": 21.5, "flow": 0.5}, "vault": {}, "nobody": {}}
    for bad in ({}, {"device_ids": "boiler"}, {"device_ids": [1]}, [], {"device_ids": ["x"] * 1001}):
        assert code(await world.stranger.post(url, json=bad)) == (400, "BAD_REQUEST")


async def test_the_machine_and_agents(world: World, token: str) -> None:
    assert await read(world, token, "stats/system") == {"cpu_count": os.cpu_count()}
    runs = await read(world, token, "agents/a1/executions")
    assert (runs["count"], runs["executions"][0]["summary"]) == (1, "well")
    assert code(await world.look(token, "/proxy/agents/a2/executions")) == (403, "FORBIDDEN")
    bare = await world.shared([])
    assert code(await world.look(bare, "/proxy/stats/system")) == (403, "FORBIDDEN")


async def test_components_of_extensions_are_public_elsewhere(world: World, token: str) -> None:
    for path, kind in (
        ("extensions/weather/components", "wind-rose"),
        ("extensions/dashboards/components", "sparkline"),
    ):
        answer = await world.look(token, f"/proxy/{path}")
        assert (answer.status_code, answer.headers["location"]) == (307, f"/api/{path}")
        followed = await world.look(token, f"/proxy/{path}", follow_redirects=True)
        assert kind in [one["type"] for one in data(followed)]
    assert (await world.look(token, "/proxy/extensions/dashboard-components")).status_code == 307
    assert code(await world.look(token, "/proxy/extensions/nobody/components")) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("devices/vault", {}),
        ("devices/nobody", {}),
        ("devices/vault/current", {}),
        ("devices/vault/history", {}),
        ("devices/boiler/history", {"metric": SECRET}),
        ("devices/boiler/history", {"metric": "_raw"}),
        ("devices/boiler/history", {"metric": "Flow"}),
        ("telemetry", {"source": "vault", "metric": "temperature"}),
        ("telemetry", {"source": "device:boiler", "metric": "_raw"}),
        ("telemetry", {"source": "extension:weather", "metric": "x"}),
        ("telemetry", {"source": "command:boiler", "metric": "heat"}),
        ("telemetry", {"source": "agent", "metric": "a1"}),
        ("telemetry", {}),
    ],
)
async def test_what_is_not_shown(world: World, token: str, path: str, params: Any) -> None:
    assert code(await world.look(token, f"/proxy/{path}", params=params)) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "x"},
        {"limit": "0"},
        {"limit": "99999"},
        {"limit": "٣"},
        {"offset": "-1"},
        {"aggregate": "median"},
        {"cursor": "1"},
        {"start": "x"},
        {"end": "-1"},
        {"time_range": "100d"},
    ],
)
async def test_queries_that_cannot_be(world: World, token: str, params: Any) -> None:
    for path in ("devices/boiler/history", "telemetry?source=boiler&metric=flow"):
        url = f"/proxy/{path}{'&' if '?' in path else '?'}"
        text = "&".join(f"{name}={value}" for name, value in params.items())
        assert code(await world.look(token, url + text)) == (400, "BAD_REQUEST")


async def test_methods(world: World, token: str) -> None:
    url = f"/api/dashboards/shared/{token}/proxy"
    answer = await world.stranger.post(f"{url}/devices/boiler/current")
    assert code(answer) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "GET"
    assert code(await world.stranger.get(f"{url}/devices/boiler/control")) == (405, "METHOD_NOT_ALLOWED")
    for method in ("PUT", "PATCH", "DELETE"):
        assert code(await world.stranger.request(method, f"{url}/devices/boiler")) == (405, "METHOD_NOT_ALLOWED")
    assert (await world.stranger.head(f"{url}/devices/boiler")).status_code == 200
