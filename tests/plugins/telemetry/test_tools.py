"""What agents get to read of samples."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from neomind_plugins.devices import plugin as devices
from neomind_plugins.telemetry import plugin as telemetry
from neomind_plugins.telemetry.tools import HISTORY_SCHEMA, ROWS, ROWS_MAX, TEXT_MAX
from neomind_sdk import (
    READ,
    BadRequest,
    Device,
    DeviceDirectory,
    DeviceType,
    Ingest,
    MetricDef,
    Platform,
    Point,
    Principal,
    ToolContext,
)
from neomind_sdk.testing import make_host

AGENT = ToolContext(principal=Principal(kind="agent", id="a-1", name="agent"), agent_id="a-1", execution_id="x-1")


@pytest.fixture
async def host() -> AsyncIterator[Any]:
    """With a boiler of 600 temperatures, one a second, the newest 599."""
    async with make_host(devices, telemetry) as host:
        directory = host.services[DeviceDirectory]
        metrics = (MetricDef(name="t", display_name="Temperature", data_type="float", unit="°C"),)
        await directory.register_type(DeviceType(device_type="heater", name="Heater", metrics=metrics))
        await directory.register(Device(device_id="boiler", name="Boiler", device_type="heater"))
        now_ms = host.clock.now_ms()
        points = [Point("device:boiler:t", now_ms - 1000 * (599 - n), float(n)) for n in range(600)]
        points += [Point("device:boiler:note", now_ms, "x" * 5000), Point("extension:dice:total", now_ms, 7)]
        await host.services[Ingest].write(points, source="test")
        yield host


@pytest.fixture
def tools(host: Any) -> dict[str, Any]:
    every = host.services[Platform].contributions("agent_tools")
    return {tool.name: tool for owner, tool in every if owner == "telemetry"}


@pytest.fixture
def read(tools: dict[str, Any]) -> Any:
    async def read(source: str = "boiler", metric: str = "t", **more: Any) -> Any:
        return await tools["read_history"].run({"source": source, "metric": metric, **more}, AGENT)

    return read


async def test_history_is_the_newest_rows_and_says_how_many_there_are(read: Any) -> None:
    answer = await read(limit=3)
    assert [row["value"] for row in answer["data"]] == [597.0, 598.0, 599.0]
    assert (answer["source_id"], answer["count"], answer["total_count"]) == ("device:boiler:t", 3, 600)
    assert (await read())["count"] == ROWS
    assert HISTORY_SCHEMA["properties"]["limit"]["maximum"] == ROWS_MAX


async def test_of_a_range(host: Any, read: Any) -> None:
    now_s = host.clock.now_ms() / 1000
    answer = await read(start=now_s - 10.5, end=now_s - 8.5)
    assert [row["value"] for row in answer["data"]] == [589.0, 590.0]
    assert (await read(time_range="1m", limit=500))["count"] == 61
    assert (await read(bucketed=True, time_range="10m", limit=5))["count"] <= 5


@pytest.mark.parametrize(("name", "value"), [("avg", 299.5), ("min", 0), ("max", 599), ("count", 600), ("last", 599)])
async def test_an_aggregate_is_one_number(read: Any, name: str, value: float) -> None:
    answer = await read(aggregate=name)
    assert (answer["aggregation"], answer["value"], answer["count"]) == (name, value, 600)
    assert "data" not in answer


async def test_a_long_text_is_cut(read: Any) -> None:
    [row] = (await read(metric="note"))["data"]
    assert row["value"] == "x" * TEXT_MAX + "… (5000 characters)"


async def test_extensions_have_a_history_too(read: Any) -> None:
    assert [row["value"] for row in (await read("extension:dice", "total"))["data"]] == [7]
    assert (await read("nobody"))["count"] == 0


@pytest.mark.parametrize("more", [{"source": "kitchen:boiler"}, {"time_range": "for ever"}, {"start": 9e99}])
async def test_what_cannot_be_is_said(read: Any, more: Any) -> None:
    with pytest.raises(BadRequest):
        await read(**more)


async def test_sources_with_their_newest_values(tools: dict[str, Any]) -> None:
    answer = await tools["list_data_sources"].run({}, AGENT)
    rows = {row["id"]: row for row in answer["sources"]}
    assert answer["total"] == len(rows) == 3
    assert rows["device:boiler:t"]["value"] == 599.0
    assert (rows["device:boiler:t"]["field_display_name"], rows["device:boiler:t"]["unit"]) == ("Temperature", "°C")
    assert len(rows["device:boiler:note"]["value"]) < TEXT_MAX + 30
    few = await tools["list_data_sources"].run({"search": "dice", "limit": 1}, AGENT)
    assert [row["id"] for row in few["sources"]] == ["extension:dice:total"]


def test_they_only_read_and_name_what_they_touch(tools: dict[str, Any]) -> None:
    assert {tool.effect for tool in tools.values()} == {READ}
    targets = tools["read_history"].targets
    assert targets({"source": "boiler", "metric": "t"}) == ("device:boiler",)
    assert targets({"source": "extension:dice", "metric": "t"}) == ("extension:dice",)
