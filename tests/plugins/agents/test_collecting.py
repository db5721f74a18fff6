"""What a run looks at before the model is asked."""

from __future__ import annotations

import base64
import json
from typing import Any

from neomind_sdk import Ingest, Uplink

from .conftest import House, ScriptedModels, house_with, info

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))


async def collected(house: House, agent_id: str, **body: Any) -> list[Any]:
    return list((await house.run(agent_id, **body))["decision_process"]["data_collected"])


async def test_history_of_a_metric(house: House) -> None:
    for number in range(5):
        await house.store("device:boiler:t", number)
        await house.clock.advance(60)
    config = {"data_collection": {"include_history": True, "max_points": 3, "time_range_minutes": 10}}
    resource = {"resource_id": "boiler:t", "resource_type": "metric", "config": config}
    [row] = await collected(house, await house.add(resources=[resource]))
    assert [point["value"] for point in row["values"]["history"]] == [2, 3, 4]
    assert row["values"]["points_count"] == 3


async def test_nonsense_in_a_configuration_is_the_default(house: House) -> None:
    await house.store("device:boiler:t", 1)
    config = {"data_collection": {"include_history": True, "max_points": "x", "time_range_minutes": -5}}
    for odd in (config, {"data_collection": 5}, {"parameters": []}):
        resource = {"resource_id": "boiler:t", "resource_type": "metric", "config": odd}
        [row] = await collected(house, await house.add(resources=[resource]))
        assert row["values"]["value"] == 1


async def test_nothing_is_there(house: House) -> None:
    [row] = await collected(house, await house.add())
    assert (row["source"], row["data_type"]) == ("system", "info")
    resources = [{"resource_id": ident} for ident in ("nobody", "device:nobody:t", "transform:1:x")]
    assert (await collected(house, await house.add(resources=resources)))[0]["source"] == "system"


async def test_an_agent_that_waits_looks_at_what_it_waits_for_when_it_is_run_by_hand(house: House) -> None:
    await house.store("device:boiler:t", 81)
    sources = [{"type": "device", "id": "nobody"}, {"type": "device", "id": "boiler"}]
    agent_id = await house.add(schedule={"schedule_type": "event", "event_filter": {"sources": sources}})
    [row] = await collected(house, agent_id)
    assert (row["source"], row["values"]["value"]) == ("device:boiler:t", 81)
    [row] = await collected(house, agent_id, data={"a": 1})
    assert (row["source"], row["values"]) == ("invocation", {"a": 1})


async def test_much_data_is_cut(house: House) -> None:
    for number in range(30):
        for metric in range(4):
            await house.store(f"extension:e{number}:m{metric}", "x y " * 990)
    resources = [
        {"resource_id": f"extension:e{number}:m{metric}", "resource_type": "extension_metric"}
        for number in range(25)
        for metric in range(4)
    ]
    rows = await collected(house, await house.add(resources=resources), data=["x y " * 990] * 100)
    assert len(rows) < 80
    assert rows[0]["values"]["characters"] > 300_000
    assert len(json.dumps(rows)) < 400_000
    assert len(house.models.prompts) < 500_000


async def test_pictures_go_to_models_that_see() -> None:
    models = ScriptedModels()
    async with house_with(models) as house:
        await house.furnish()
        url = "data:image/png;base64," + base64.b64encode(PNG).decode()
        uplink = Uplink(device_id="boiler", payload={"t": 1, "note": url}, received_ms=house.clock.now_ms())
        await house.host.services[Ingest].submit([uplink])
        agent_id = await house.bound("boiler")
        await house.run(agent_id)
        assert models.requests[-1].messages[1].images == ()
        models.infos = [info("b-1", multimodal=True)]
        await house.run(agent_id)
        [image] = models.requests[-1].messages[1].images
        assert (image.data, image.media_type) == (PNG, "image/png")
