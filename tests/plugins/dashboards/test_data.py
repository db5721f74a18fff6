"""The data that viewers of a shared dashboard load."""

from __future__ import annotations

import os
from typing import Any

import pytest

from neomind_plugins.dashboards.share_models import SOURCES_MAX

from .conftest import COMPONENT, IDS, SECRET, World, a_world, code, data

NOW_S = 1_700_000_000


async def entries(world: World, token: str, **params: Any) -> dict[str, Any]:
    found = data(await world.look(token, "/data", params=params))
    return {entry["source"]: entry for entry in found["sources"]}


async def test_everything_that_the_dashboard_shows(world: World) -> None:
    answer = await world.look(await world.shared(), "/data")
    found = data(answer)
    assert SECRET not in answer.text
    assert found["timestamp"] == NOW_S
    assert [entry["source"] for entry in found["sources"]] == IDS
    assert {entry["component_id"] for entry in found["sources"]} == {"c1"}
    values = {entry["source"]: entry["value"] for entry in found["sources"]}
    assert values == {
        "device:boiler:temperature": 21.5,
        "device:boiler:flow": 0.5,
        "device-info:boiler:online": False,
        "extension:weather:wind": 7,
        "transform:t1:mean": 1.25,
        "system:cpu_count": os.cpu_count(),
        "agent:a1": values["agent:a1"],
        "command:boiler:heat": None,
        "extension-command:weather:roll": None,
    }
    assert values["agent:a1"]["conclusion"] == "all is well"
    assert values["agent:a1"]["report"] == "# Well"


async def test_histories_over_the_time_that_is_shown(world: World) -> None:
    found = await entries(world, await world.shared())
    flow = found["device:boiler:flow"]
    assert (flow["start"], flow["end"]) == (NOW_S - 3600, NOW_S)
    assert flow["data"] == [{"timestamp": NOW_S - 1800, "value": 0.5}]
    assert "data" not in found["device:boiler:temperature"]
    assert found["device:boiler:temperature"]["timestamp"] == NOW_S - 1


async def test_histories_that_are_asked_for(world: World) -> None:
    token = await world.shared()
    found = await entries(world, token, source=IDS[:2], time_range="24h")
    assert [point["value"] for point in found[IDS[1]]["data"]] == [2, 0.5]
    assert [point["value"] for point in found[IDS[0]]["data"]] == [20.5, 21.5]
    assert found[IDS[0]]["component_id"] is None
    newest = await entries(world, token, source=IDS[1], time_range="24h", limit=1)
    assert [point["value"] for point in newest[IDS[1]]["data"]] == [0.5]
    early = await entries(world, token, source=IDS[1], start=NOW_S - 7200, end=NOW_S - 7200)
    assert [point["value"] for point in early[IDS[1]]["data"]] == [2]


async def test_aggregates(world: World) -> None:
    found = await entries(world, await world.shared(), source=IDS[1], time_range="12h", aggregate="sum", limit=2)
    flow = found[IDS[1]]
    assert flow["aggregate"] == "sum"
    assert [(point["value"], point["count"]) for point in flow["data"]] == [(2.5, 2)]
    wide = [{"type": "telemetry", "sourceId": "boiler", "metricId": "flow", "aggregateExt": "avg", "limit": 2}]
    found = await entries(world, await world.shared(wide))
    assert [point["value"] for point in found[IDS[1]]["data"]] == [1.25]


async def test_by_ids_in_a_body(world: World) -> None:
    url = f"/api/dashboards/shared/{await world.shared()}/data"
    body = {"sources": [IDS[1], IDS[1]], "start": NOW_S - 7200.5, "end": NOW_S, "limit": 10}
    answer = data(await world.stranger.post(url, json=body))
    assert answer["count"] == 1
    assert [point["value"] for point in answer["sources"][0]["data"]] == [2, 0.5]
    assert data(await world.stranger.post(url))["count"] == len(IDS)


@pytest.mark.parametrize(
    "source",
    [
        "device:vault:temperature",
        "device:boiler:_raw",
        f"device:boiler:{SECRET}",
        "device:boiler",
        "device:boiler:",
        "Device:boiler:temperature",
        "device:Boiler:temperature",
        "device:boiler:temperature ",
        "device:boiler:temper%61ture",
        "device:boiler:temperature:x",
        "device-info:boiler:name",
        "extension:weather:x",
        "system:total_memory",
        "agent:a2",
        "*",
        "",
    ],
)
async def test_what_is_not_shown(world: World, source: str) -> None:
    token = await world.shared()
    for answer in (
        await world.look(token, "/data", params={"source": [IDS[0], source]}),
        await world.stranger.post(f"/api/dashboards/shared/{token}/data", json={"sources": [source]}),
    ):
        assert code(answer) == (403, "FORBIDDEN")
        assert answer.json()["error"]["message"].startswith("The shared dashboard does not show")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"time_range": "x"}, (400, "BAD_REQUEST")),
        ({"time_range": "31d"}, (400, "BAD_REQUEST")),
        ({"start": "x"}, (400, "BAD_REQUEST")),
        ({"start": "nan"}, (400, "BAD_REQUEST")),
        ({"start": "10", "end": "9"}, (400, "BAD_REQUEST")),
        ({"limit": "0"}, (422, "VALIDATION_ERROR")),
        ({"limit": "5001"}, (422, "VALIDATION_ERROR")),
        ({"aggregate": "median"}, (422, "VALIDATION_ERROR")),
    ],
)
async def test_what_cannot_be_asked(world: World, params: Any, expected: Any) -> None:
    assert code(await world.look(await world.shared(), "/data", params=params)) == expected


async def test_one_answer_has_a_size(world: World) -> None:
    sources = [{"type": "telemetry", "sourceId": "boiler", "metricId": f"m{n}"} for n in range(SOURCES_MAX + 50)]
    found = data(await world.look(await world.shared(sources), "/data"))
    assert found["count"] == SOURCES_MAX


async def test_nothing_to_show() -> None:
    """Without devices, agents and all the others there is nothing to show, and nothing breaks."""
    async with a_world() as world:
        found = data(await world.look(await world.shared(), "/data"))
        values = {entry["source"]: entry["value"] for entry in found["sources"]}
        assert values["device-info:boiler:online"] is None
        assert values["device:boiler:temperature"] is None
        made = await world.dashboard(components=[COMPONENT])
        link = data(await world.owner.post(f"/api/dashboards/{made['id']}/share"))
        assert data(await world.look(link["token"], "/data"))["sources"] == []
